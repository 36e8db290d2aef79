"""Reads of earnings: by key, of an instructor, and of a payout."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.billing.earning_status import EarningStatus, current_status, status_as_of
from lms_graphql.billing.ledger_models import Earning, InstructorPayout, PayoutItem, PayoutStatus
from lms_graphql.billing.models import Transaction
from lms_graphql.billing.policies import earnings_visible_to
from lms_graphql.core import clock
from lms_graphql.core.actor import AccessLevel, Actor
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.list_queries import ListQuery
from lms_graphql.core.money import Money
from lms_graphql.core.pagination import SortKey, SortOrder
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows


@with_global_id("Earning")
class EarningRow(NamedTuple):
    key: int
    transaction_key: int
    course_key: int
    currency: str
    net_units: int
    units: int
    commission_rate: Decimal
    available_at: datetime
    payout_key: int | None
    payout_status: PayoutStatus | None
    created_at: datetime

    @property
    def net_amount(self) -> Money:
        return Money(self.net_units, self.currency)

    @property
    def amount(self) -> Money:
        return Money(self.units, self.currency)

    @property
    def status(self) -> EarningStatus:
        return status_as_of(clock.now(), self.net_units, self.available_at, self.payout_status)


EARNINGS = (
    select(
        Earning.id,
        Earning.transaction_id,
        Transaction.course_id,
        Earning.currency,
        Earning.net_amount,
        Earning.amount,
        Earning.commission_rate,
        Earning.available_at,
        Earning.payout_id,
        InstructorPayout.status,
        Earning.created_at,
    )
    .join(Transaction, Transaction.id == Earning.transaction_id)
    .outerjoin(InstructorPayout, InstructorPayout.id == Earning.payout_id)
)


@cache
def _by_key(access_level: AccessLevel) -> RowSelect:
    return EARNINGS.where(Earning.id.in_(KEYS), earnings_visible_to(access_level))


def earnings_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, EarningRow]:
    rows = fetch_rows(session, _by_key(actor.access_level), {**actor.bind_params, "keys": keys})
    return {row[0]: EarningRow._make(row) for row in rows}


@cache
def earnings_of_instructor(status: EarningStatus | None) -> ListQuery:
    """Return the query for the earnings of an instructor, newest first. The caller checks who may see them."""
    rows = EARNINGS if status is None else EARNINGS.where(current_status() == status.value)
    created = SortKey(Earning.created_at, lambda row: row.created_at, datetime)
    order = SortOrder("teaching.earnings:newest", (created, _KEY), descending=True)
    return ListQuery(rows, _to_row, order, parent=Earning.instructor_id)


@cache
def earnings_of_payout() -> ListQuery:
    """Return the query for the earnings that a payout took, oldest first. The caller checks who may see them.

    A payout that failed still has them, although later payouts may hold them.
    """
    rows = EARNINGS.join(PayoutItem, PayoutItem.earning_id == Earning.id)
    return ListQuery(rows, _to_row, SortOrder("payout.earnings", (_KEY,)), parent=PayoutItem.payout_id)


_KEY = SortKey(Earning.id, lambda row: row.key, int)


def _to_row(row: Any) -> EarningRow:
    return EarningRow._make(row)
