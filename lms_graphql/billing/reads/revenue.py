"""Reads of the live revenue of courses by currency. The stored revenue is in `analytics`."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.orm import Session

from lms_graphql.billing.models import Transaction, TransactionStatus
from lms_graphql.core import clock
from lms_graphql.core.actor import Actor
from lms_graphql.core.statements import KEYS, fetch_rows, group_rows

PAID_STATUSES = (TransactionStatus.COMPLETED, TransactionStatus.PARTIALLY_REFUNDED, TransactionStatus.REFUNDED)
"""Statuses of payments that were received, whether or not they were refunded later."""


class Revenue(NamedTuple):
    """Gross and refunded revenue in one currency, in its smallest unit."""

    currency: str
    gross: int
    refunded: int


LIVE_REVENUE = (
    select(
        Transaction.course_id,
        Transaction.currency,
        cast(func.sum(Transaction.amount), BigInteger),
        cast(func.sum(Transaction.refunded_amount), BigInteger),
    )
    .where(Transaction.course_id.in_(KEYS), Transaction.status.in_(PAID_STATUSES))
    .group_by(Transaction.course_id, Transaction.currency)
    .order_by(Transaction.course_id, Transaction.currency)
)


def compute_revenue(session: Session, keys: Sequence[int], now: datetime) -> dict[int, list[Revenue]]:
    """Return the revenue of each course, one entry for each currency. Rollups pass `now`, which is not used."""
    return group_rows(fetch_rows(session, LIVE_REVENUE, {"keys": keys}), lambda row: Revenue._make(row[1:]), by=0)


def live_revenue_by_course(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, list[Revenue]]:
    return compute_revenue(session, keys, clock.now())
