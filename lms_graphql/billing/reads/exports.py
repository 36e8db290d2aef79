"""Exports of transactions, earnings and payouts as CSV, in batches of constant size.

Rows are in the order of their creation, and a batch continues after the last row of the one before. Its statement
selects the keys of its rows first and joins them then. Otherwise databases may begin with a small table and sort all.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Subquery, bindparam, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from lms_graphql.accounts.models import User
from lms_graphql.billing import export_columns
from lms_graphql.billing.ledger_models import Earning, InstructorPayout
from lms_graphql.billing.models import Transaction
from lms_graphql.catalog.models import Course
from lms_graphql.core.actor import VIEWER, Actor, Role
from lms_graphql.core.csv_format import csv_lines
from lms_graphql.core.orm import UtcDateTime
from lms_graphql.core.statements import RowSelect, fetch_named_rows

BATCH_SIZE = 1_000


class ExportKind(StrEnum):
    TRANSACTIONS = "transactions"
    EARNINGS = "earnings"
    PAYOUTS = "payouts"


COLUMNS = {
    ExportKind.TRANSACTIONS: export_columns.TRANSACTION_COLUMNS,
    ExportKind.EARNINGS: export_columns.EARNING_COLUMNS,
    ExportKind.PAYOUTS: export_columns.PAYOUT_COLUMNS,
}


class Position(NamedTuple):
    """Time of creation and key of a row."""

    created_at: datetime
    key: int


START = Position(datetime(1970, 1, 1, tzinfo=UTC), 0)


class Batch(NamedTuple):
    """Lines of a file, with the number of their rows and the position of the last one; None if there are no more."""

    lines: bytes
    row_count: int
    position: Position | None


def may_export(actor: Actor, kind: ExportKind) -> bool:
    """Return whether the actor gets a file of this kind: learners only their own transactions."""
    return actor.role in {Role.SUPER_ADMIN, Role.INSTRUCTOR} or (
        actor.is_signed_in and kind is ExportKind.TRANSACTIONS
    )


def read_batch(session: Session, actor: Actor, kind: ExportKind, until: datetime, after: Position = START) -> Batch:
    """Return the rows after a position that were created until an instant. The first batch has the header.

    Super admins get all rows, instructors those that they earn from, and learners what they have bought. The caller
    has checked `may_export`.
    """
    assert actor.role is not None
    columns = export_columns.columns_for(COLUMNS[kind], actor.is_super_admin)
    binds = {"after_time": after.created_at, "after_key": after.key, "until": until, **actor.bind_params}
    rows = fetch_named_rows(session, _statement(kind, actor.role), binds)
    lines: list[Sequence[Any]] = [[column.cell(row) for column in columns] for row in rows]
    if after is START:
        lines.insert(0, [column.name for column in columns])
    position = Position(rows[-1].page_time, rows[-1].page_key) if len(rows) == BATCH_SIZE else None
    return Batch(csv_lines(lines), len(rows), position)


@cache
def _statement(kind: ExportKind, role: Role) -> RowSelect:
    if kind is ExportKind.PAYOUTS:
        return _payouts(_visible_page(InstructorPayout, InstructorPayout.instructor_id, role))
    if kind is ExportKind.EARNINGS:
        return _earnings(_visible_page(Earning, Earning.instructor_id, role))
    if role is Role.INSTRUCTOR:
        # Each sale has one earning with sequence 0. Unpaid and free purchases have none.
        is_sale = (Earning.instructor_id == VIEWER, Earning.sequence == 0)
        return _transactions(_page(Earning, Earning.transaction_id, *is_sale))
    return _transactions(_visible_page(Transaction, Transaction.user_id, role))


_AFTER_TIME = bindparam("after_time", type_=UtcDateTime())


def _visible_page(model: Any, owner: InstrumentedAttribute[int], role: Role) -> Subquery:
    """Return all rows for super admins, else those that belong to the viewer."""
    return _page(model, model.id) if role is Role.SUPER_ADMIN else _page(model, model.id, owner == VIEWER)


def _page(model: Any, row_key: InstrumentedAttribute[int], *conditions: ColumnElement[bool]) -> Subquery:
    """Return the next positions, each with the key of the row to export."""
    is_after = (
        model.created_at >= _AFTER_TIME,
        or_(model.created_at > _AFTER_TIME, model.id > bindparam("after_key")),
        model.created_at <= bindparam("until", type_=UtcDateTime()),
    )
    columns = (model.created_at.label("page_time"), model.id.label("page_key"), row_key.label("row_key"))
    page = select(*columns).where(*conditions, *is_after).order_by(model.created_at, model.id).limit(BATCH_SIZE)
    return page.subquery("page")


_PERSON = (User.id.label("user_key"), User.first_name, User.last_name, User.deleted_at, User.email)


def _transactions(page: Subquery) -> RowSelect:
    return (
        select(
            page.c.page_time,
            page.c.page_key,
            Transaction.transaction_id.label("reference"),
            Transaction.created_at,
            Transaction.completed_at,
            Transaction.status,
            Transaction.payment_method,
            Transaction.gateway_transaction_id.label("gateway_reference"),
            Transaction.currency,
            Transaction.amount,
            Transaction.refunded_amount,
            Course.id.label("course_key"),
            Course.title,
            *_PERSON,
        )
        .join(Transaction, Transaction.id == page.c.row_key)
        .join(Course, Course.id == Transaction.course_id)
        .join(User, User.id == Transaction.user_id)
        .order_by(page.c.page_time, page.c.page_key)
    )


def _earnings(page: Subquery) -> RowSelect:
    return (
        select(
            page.c.page_time,
            page.c.page_key,
            Transaction.transaction_id.label("reference"),
            Earning.created_at,
            Earning.available_at,
            Earning.currency,
            Earning.net_amount,
            Earning.commission_rate,
            Earning.amount,
            Earning.platform_amount,
            InstructorPayout.status.label("payout_status"),
            InstructorPayout.payout_id.label("payout_reference"),
            Course.id.label("course_key"),
            Course.title,
            *_PERSON,
        )
        .join(Earning, Earning.id == page.c.row_key)
        .join(Transaction, Transaction.id == Earning.transaction_id)
        .join(Course, Course.id == Transaction.course_id)
        .join(User, User.id == Earning.instructor_id)
        .outerjoin(InstructorPayout, InstructorPayout.id == Earning.payout_id)
        .order_by(page.c.page_time, page.c.page_key)
    )


def _payouts(page: Subquery) -> RowSelect:
    return (
        select(
            page.c.page_time,
            page.c.page_key,
            InstructorPayout.payout_id.label("reference"),
            InstructorPayout.created_at,
            InstructorPayout.processed_at,
            InstructorPayout.status,
            InstructorPayout.period_start,
            InstructorPayout.period_end,
            InstructorPayout.currency,
            InstructorPayout.amount,
            InstructorPayout.commission_rate,
            InstructorPayout.external_payout_id.label("transfer_reference"),
            *_PERSON,
        )
        .join(InstructorPayout, InstructorPayout.id == page.c.row_key)
        .join(User, User.id == InstructorPayout.instructor_id)
        .order_by(page.c.page_time, page.c.page_key)
    )
