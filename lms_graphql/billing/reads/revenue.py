"""What courses have brought in, by currency: as it is kept, and counted now."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.orm import Session

from lms_graphql.billing.models import CourseRevenue, Transaction, TransactionStatus
from lms_graphql.core import clock
from lms_graphql.core.actor import Actor
from lms_graphql.core.statements import KEYS, fetch, group

PAID = (TransactionStatus.COMPLETED, TransactionStatus.PARTIALLY_REFUNDED, TransactionStatus.REFUNDED)
"""The money came, whatever became of it."""


class Revenue(NamedTuple):
    """In the currency's smallest unit."""

    currency: str
    gross: int
    refunded: int


COUNTED = (
    select(
        Transaction.course_id,
        Transaction.currency,
        cast(func.sum(Transaction.amount), BigInteger),
        cast(func.sum(Transaction.refunded_amount), BigInteger),
    )
    .where(Transaction.course_id.in_(KEYS), Transaction.status.in_(PAID))
    .group_by(Transaction.course_id, Transaction.currency)
    .order_by(Transaction.course_id, Transaction.currency)
)
KEPT = (
    select(CourseRevenue.course_id, CourseRevenue.currency, CourseRevenue.gross, CourseRevenue.refunded)
    .where(CourseRevenue.course_id.in_(KEYS))
    .order_by(CourseRevenue.course_id, CourseRevenue.currency)
)


def count_revenue(session: Session, keys: Sequence[int], now: datetime) -> dict[int, list[Revenue]]:
    """By course."""
    return group(fetch(session, COUNTED, {"keys": keys}), lambda row: Revenue._make(row[1:]), by=0)


def kept_revenue(session: Session, keys: Sequence[int]) -> dict[int, list[Revenue]]:
    return group(fetch(session, KEPT, {"keys": keys}), lambda row: Revenue._make(row[1:]), by=0)


def kept_revenue_by_course(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, list[Revenue]]:
    return kept_revenue(session, keys)


def counted_revenue_by_course(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, list[Revenue]]:
    return count_revenue(session, keys, clock.now())
