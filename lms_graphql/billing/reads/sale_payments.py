"""Reads of what was paid for a course, for services that decide about payments and refunds."""

from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from lms_graphql.billing.models import Payment, PaymentOutcome, Transaction, TransactionStatus
from lms_graphql.billing.transitions import SUCCESSFUL, UNPAID

USED_FOR_SALE = (PaymentOutcome.BOOKED, PaymentOutcome.DUPLICATE)
"""Outcomes of payments that may have completed their transaction."""
_PAYMENT = aliased(Payment)
PAYMENT_OF_SALE = (
    select(func.min(_PAYMENT.id))
    .where(_PAYMENT.transaction_id == Transaction.id, _PAYMENT.outcome.in_(USED_FOR_SALE))
    .correlate(Transaction)
    .scalar_subquery()
)
"""Key of the payment that `payment_of_sale` returns, for a statement that selects from `Transaction`."""


def has_paid(session: Session, buyer_key: int, course_key: int, except_key: int | None = None) -> bool:
    """Return whether the buyer has paid for the course, with another transaction than this one.

    A free enrollment is no payment, so that its course can be bought once it has a price.
    """
    other = select(Transaction.id).where(
        Transaction.user_id == buyer_key,
        Transaction.course_id == course_key,
        Transaction.status.in_(SUCCESSFUL),
        Transaction.amount > 0,
        Transaction.id != (except_key or 0),
    )
    return bool(session.scalar(select(exists(other))))


def count_unpaid(session: Session, buyer_key: int, since: datetime) -> int:
    """Return how many purchases the buyer has started since an instant that are not paid."""
    is_recent = (Transaction.user_id == buyer_key, Transaction.created_at >= since)
    is_unpaid = Transaction.status.in_((TransactionStatus.PENDING, *UNPAID))
    return session.scalar(select(func.count()).select_from(Transaction).where(*is_recent, is_unpaid)) or 0


def payment_of_sale(session: Session, transaction_key: int) -> Payment | None:
    """Return the payment that completed the transaction, if it was paid. Its refunds are those of the transaction.

    Later payments of the same transaction are duplicates, whose refunds are not.
    """
    is_used = (Payment.transaction_id == transaction_key, Payment.outcome.in_(USED_FOR_SALE))
    return session.scalar(select(Payment).where(*is_used).order_by(Payment.id).limit(1))
