"""Columns of the CSV exports. The rows are those that `reads/exports.py` selects."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from lms_graphql.accounts.models import full_name
from lms_graphql.billing.earning_status import status_as_of
from lms_graphql.core import clock, global_ids
from lms_graphql.core.csv_format import Cell
from lms_graphql.core.money import Money


class Column(NamedTuple):
    """A column of an export, and how its cells are made of rows.

    Only super admins get the columns with email addresses, and those that concern the operator alone.
    """

    name: str
    cell: Callable[[Any], Cell]
    for_super_admins: bool = False


def _amount(units: int, row: Any) -> Cell:
    return Money(units, row.currency).amount


TRANSACTION_COLUMNS = (
    Column("reference", lambda row: row.reference),
    Column("created_at", lambda row: row.created_at),
    Column("completed_at", lambda row: row.completed_at),
    Column("status", lambda row: row.status),
    Column("payment_method", lambda row: row.payment_method),
    Column("gateway_reference", lambda row: row.gateway_reference, for_super_admins=True),
    Column("course_id", lambda row: global_ids.encode("Course", row.course_key)),
    Column("course", lambda row: row.title),
    Column("buyer_id", lambda row: global_ids.encode("User", row.user_key)),
    Column("buyer", lambda row: full_name(row.first_name, row.last_name, row.deleted_at)),
    Column("buyer_email", lambda row: row.email, for_super_admins=True),
    Column("currency", lambda row: row.currency),
    Column("amount", lambda row: _amount(row.amount, row)),
    Column("refunded_amount", lambda row: _amount(row.refunded_amount, row)),
    Column("net_amount", lambda row: _amount(row.amount - row.refunded_amount, row)),
)
EARNING_COLUMNS = (
    Column("sale_reference", lambda row: row.reference),
    Column("created_at", lambda row: row.created_at),
    Column("available_at", lambda row: row.available_at),
    Column("status", lambda row: status_as_of(clock.now(), row.net_amount, row.available_at, row.payout_status)),
    Column("course_id", lambda row: global_ids.encode("Course", row.course_key)),
    Column("course", lambda row: row.title),
    Column("instructor_id", lambda row: global_ids.encode("User", row.user_key)),
    Column("instructor", lambda row: full_name(row.first_name, row.last_name, row.deleted_at)),
    Column("instructor_email", lambda row: row.email, for_super_admins=True),
    Column("currency", lambda row: row.currency),
    Column("net_amount", lambda row: _amount(row.net_amount, row)),
    Column("commission_rate", lambda row: row.commission_rate),
    Column("amount", lambda row: _amount(row.amount, row)),
    Column("platform_amount", lambda row: _amount(row.platform_amount, row)),
    Column("payout_reference", lambda row: row.payout_reference),
)
PAYOUT_COLUMNS = (
    Column("reference", lambda row: row.reference),
    Column("created_at", lambda row: row.created_at),
    Column("processed_at", lambda row: row.processed_at),
    Column("status", lambda row: row.status),
    Column("instructor_id", lambda row: global_ids.encode("User", row.user_key)),
    Column("instructor", lambda row: full_name(row.first_name, row.last_name, row.deleted_at)),
    Column("instructor_email", lambda row: row.email, for_super_admins=True),
    Column("period_start", lambda row: row.period_start),
    Column("period_end", lambda row: row.period_end),
    Column("currency", lambda row: row.currency),
    Column("amount", lambda row: _amount(row.amount, row)),
    Column("commission_rate", lambda row: row.commission_rate),
    Column("transfer_reference", lambda row: row.transfer_reference),
)


def columns_for(columns: Sequence[Column], is_super_admin: bool) -> Sequence[Column]:
    return [column for column in columns if is_super_admin or not column.for_super_admins]
