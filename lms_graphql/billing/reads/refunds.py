"""Reads of refunds. Their transaction decides who sees them."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.billing.models import Refund, RefundStatus, Transaction
from lms_graphql.billing.policies import transactions_visible_to
from lms_graphql.catalog.models import Course
from lms_graphql.core.actor import AccessLevel, Actor
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.money import Money
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows, group_rows


@with_global_id("Refund")
class RefundRow(NamedTuple):
    """A refund. The amount is in the currency's smallest unit."""

    key: int
    transaction_key: int
    units: int
    currency: str
    reason: str
    status: RefundStatus
    created_at: datetime
    completed_at: datetime | None

    @property
    def amount(self) -> Money:
        return Money(self.units, self.currency)


@cache
def _visible(access_level: AccessLevel) -> RowSelect:
    columns = (
        Refund.id,
        Refund.transaction_id,
        Refund.amount,
        Transaction.currency,
        Refund.reason,
        Refund.status,
        Refund.created_at,
        Refund.completed_at,
    )
    refunds = select(*columns).join(Transaction, Transaction.id == Refund.transaction_id)
    with_course = refunds.join(Course, Course.id == Transaction.course_id)
    return with_course.where(transactions_visible_to(access_level))


def refunds_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, RefundRow]:
    statement = _visible(actor.access_level).where(Refund.id.in_(KEYS))
    rows = fetch_rows(session, statement, {**actor.bind_params, "keys": keys})
    return {row[0]: RefundRow._make(row) for row in rows}


def refunds_by_transaction(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, list[RefundRow]]:
    """Return the refunds of each transaction, oldest first."""
    statement = _visible(actor.access_level).where(Refund.transaction_id.in_(KEYS))
    rows = fetch_rows(session, statement.order_by(Refund.id), {**actor.bind_params, "keys": keys})
    return group_rows(rows, RefundRow._make, by=1)
