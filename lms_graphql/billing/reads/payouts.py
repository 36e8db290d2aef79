"""Reads of payouts: by key, and lists for super admins and instructors."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.billing.ledger_models import InstructorPayout, PayoutStatus
from lms_graphql.billing.policies import payouts_visible_to
from lms_graphql.core.actor import AccessLevel, Actor
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.list_queries import ListQuery
from lms_graphql.core.money import Money
from lms_graphql.core.pagination import SortKey, SortOrder
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows


@with_global_id("InstructorPayout")
class PayoutRow(NamedTuple):
    key: int
    reference: str
    instructor_key: int
    units: int
    currency: str
    commission_rate: Decimal
    period_start: datetime
    period_end: datetime
    status: PayoutStatus
    processed_at: datetime | None
    statement_code: str | None
    created_at: datetime

    @property
    def amount(self) -> Money:
        return Money(self.units, self.currency)


PAYOUTS = select(
    InstructorPayout.id,
    InstructorPayout.payout_id,
    InstructorPayout.instructor_id,
    InstructorPayout.amount,
    InstructorPayout.currency,
    InstructorPayout.commission_rate,
    InstructorPayout.period_start,
    InstructorPayout.period_end,
    InstructorPayout.status,
    InstructorPayout.processed_at,
    InstructorPayout.statement_code,
    InstructorPayout.created_at,
)


@cache
def _by_key(access_level: AccessLevel) -> RowSelect:
    return PAYOUTS.where(InstructorPayout.id.in_(KEYS), payouts_visible_to(access_level))


def payouts_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, PayoutRow]:
    rows = fetch_rows(session, _by_key(actor.access_level), {**actor.bind_params, "keys": keys})
    return {row[0]: PayoutRow._make(row) for row in rows}


@dataclass(frozen=True, slots=True)
class PayoutFilter:
    """Conditions on payouts. None means no condition."""

    instructor_key: int | None = None
    status: PayoutStatus | None = None


@lru_cache(maxsize=64)
def payouts(access_level: AccessLevel, conditions: PayoutFilter) -> ListQuery:
    """Return the query for the visible payouts that match the conditions, newest first."""
    rows = PAYOUTS.where(payouts_visible_to(access_level))
    if conditions.instructor_key is not None:
        rows = rows.where(InstructorPayout.instructor_id == conditions.instructor_key)
    if conditions.status is not None:
        rows = rows.where(InstructorPayout.status == conditions.status)
    return ListQuery(rows, _to_row, _newest_first("payouts"))


@cache
def payouts_of_instructor() -> ListQuery:
    """Return the query for the payouts of an instructor, newest first. The caller checks who may see them."""
    order = _newest_first("teaching.payouts")
    return ListQuery(PAYOUTS, _to_row, order, parent=InstructorPayout.instructor_id)


def _newest_first(name: str) -> SortOrder:
    created = SortKey(InstructorPayout.created_at, lambda row: row.created_at, datetime)
    key = SortKey(InstructorPayout.id, lambda row: row.key, int)
    return SortOrder(f"{name}:newest", (created, key), descending=True)


def _to_row(row: Any) -> PayoutRow:
    return PayoutRow._make(row)
