"""Earnings of instructors: written with each sale, and reduced by each refund. Entries of the ledger are only added.

Lock order: docs/architecture.md. The caller has locked the transaction, so that sales and refunds of one transaction
run one after the other. The payout run locks earnings, too: a conditional UPDATE decides whether a payout or the
refund came first.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from lms_graphql.billing.commission import Split, reversal, split
from lms_graphql.billing.ledger_models import Earning, EarningEntry, InstructorCommission
from lms_graphql.billing.models import Refund, Transaction
from lms_graphql.catalog.models import Course
from lms_graphql.core import clock
from lms_graphql.core.statements import execute_dml
from lms_graphql.settings import settings_of


def record_sale(session: Session, transaction: Transaction) -> None:
    """Add the earning of a completed sale, at the rate of today. It belongs to the course's present instructor.

    A sale without an amount earns nothing.
    """
    if transaction.amount == 0:
        return
    instructor_key = session.scalars(select(Course.instructor_id).where(Course.id == transaction.course_id)).one()
    rate = commission_rate(session, instructor_key)
    hold = timedelta(days=settings_of(session).earnings_hold_days)
    available_at = (transaction.completed_at or clock.now()) + hold
    _add_earning(session, transaction, instructor_key, 0, split(transaction.amount, rate), rate, available_at)


def record_refund(session: Session, transaction: Transaction, refund: Refund) -> None:
    """Take a refund out of the earnings of its sale. A sale without earnings stays without.

    The earning of the sale shrinks if no payout holds it. Otherwise a negative one is added, which the next payout
    nets.
    """
    earnings = session.execute(_EARNINGS, {"transaction": transaction.id}).all()
    if not earnings:
        return
    sale, number = earnings[0], len(earnings)
    left = Split(sum(row.net_amount for row in earnings), sum(row.amount for row in earnings))
    change = reversal(left, refund.amount, sale.commission_rate)
    shrunk = update(Earning).where(Earning.id == sale.id, Earning.payout_id.is_(None))
    if execute_dml(session, shrunk.values(_sums_with(change))):
        _add_entry(session, sale.id, change, refund.id)
        return
    rate: Decimal = sale.commission_rate
    _add_earning(session, transaction, sale.instructor_id, number, change, rate, clock.now(), refund.id)


def commission_rate(session: Session, instructor_key: int) -> Decimal:
    """Return the percentage that an instructor gets of sales from now on."""
    own_rate = select(InstructorCommission.rate).where(InstructorCommission.instructor_id == instructor_key)
    rate = session.scalar(own_rate)
    return settings_of(session).commission_rate if rate is None else rate


_EARNINGS = (
    select(Earning.id, Earning.instructor_id, Earning.net_amount, Earning.amount, Earning.commission_rate)
    .where(Earning.transaction_id == bindparam("transaction"))
    .order_by(Earning.sequence)
)


def _sums_with(change: Split) -> dict[str, object]:
    return {
        "net_amount": Earning.net_amount + change.net,
        "amount": Earning.amount + change.instructor,
        "platform_amount": Earning.platform_amount + change.platform,
    }


def _add_earning(
    session: Session,
    transaction: Transaction,
    instructor_key: int,
    sequence: int,
    parts: Split,
    rate: Decimal,
    available_at: datetime,
    refund_key: int | None = None,
) -> None:
    earning = Earning(
        instructor_id=instructor_key,
        transaction_id=transaction.id,
        sequence=sequence,
        currency=transaction.currency,
        net_amount=parts.net,
        amount=parts.instructor,
        platform_amount=parts.platform,
        commission_rate=rate,
        available_at=available_at,
    )
    session.add(earning)
    session.flush()
    _add_entry(session, earning.id, parts, refund_key)


def _add_entry(session: Session, earning_key: int, parts: Split, refund_key: int | None) -> None:
    session.add(
        EarningEntry(
            earning_id=earning_key,
            refund_id=refund_key,
            net_amount=parts.net,
            amount=parts.instructor,
            platform_amount=parts.platform,
        )
    )
    session.flush()
