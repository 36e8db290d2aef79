"""Reads of instructors' balances and commission rates."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import BigInteger, ColumnElement, and_, case, cast, func, or_, select
from sqlalchemy.orm import Session

from lms_graphql.billing.ledger_models import Earning, InstructorCommission, InstructorPayout, PayoutStatus
from lms_graphql.core import clock
from lms_graphql.core.actor import Actor
from lms_graphql.core.money import Money
from lms_graphql.core.statements import KEYS, NOW, fetch_rows, group_rows


class BalanceRow(NamedTuple):
    """Sums of earnings in one currency, in its smallest unit. Each may be negative after refunds."""

    currency: str
    pending_units: int
    available_units: int
    paid_units: int

    @property
    def pending(self) -> Money:
        return Money(self.pending_units, self.currency)

    @property
    def available(self) -> Money:
        return Money(self.available_units, self.currency)

    @property
    def paid(self) -> Money:
        return Money(self.paid_units, self.currency)


_IS_PAID = InstructorPayout.status == PayoutStatus.PAID
_IS_UNPAID = or_(InstructorPayout.status.is_(None), InstructorPayout.status != PayoutStatus.PAID)


def _sum_if(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(func.sum(case((and_(*conditions), Earning.amount), else_=0)), BigInteger)


BALANCES = (
    select(
        Earning.instructor_id,
        Earning.currency,
        _sum_if(_IS_UNPAID, Earning.available_at > NOW),
        _sum_if(_IS_UNPAID, Earning.available_at <= NOW),
        _sum_if(_IS_PAID),
    )
    .outerjoin(InstructorPayout, InstructorPayout.id == Earning.payout_id)
    .where(Earning.instructor_id.in_(KEYS))
    .group_by(Earning.instructor_id, Earning.currency)
    .order_by(Earning.instructor_id, Earning.currency)
)


def balances_by_instructor(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, list[BalanceRow]]:
    """Return the balances of each instructor, one for each currency. The caller checks who may see them."""
    rows = fetch_rows(session, BALANCES, {"keys": keys, "now": clock.now()})
    return group_rows(rows, lambda row: BalanceRow._make(row[1:]), by=0)


_COMMISSION_RATES = select(InstructorCommission.instructor_id, InstructorCommission.rate).where(
    InstructorCommission.instructor_id.in_(KEYS)
)


def commission_rates_by_instructor(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, Decimal]:
    """Return the rates of those instructors who do not have the platform's default."""
    return {row[0]: row[1] for row in fetch_rows(session, _COMMISSION_RATES, {"keys": keys})}
