"""Refunds: money that goes back to a buyer."""

from sqlalchemy.orm import Session

from lms_graphql.billing.models import Payment, Refund, RefundKind, Transaction
from lms_graphql.billing.references import new_refund_reference
from lms_graphql.core import clock

AUTOMATIC_REASONS = {
    RefundKind.DUPLICATE_PAYMENT: "The course was paid already.",
    RefundKind.LATE_PAYMENT: "The purchase had ended before the payment arrived.",
}


def start_automatic_refund(session: Session, transaction: Transaction, payment: Payment, kind: RefundKind) -> int:
    """Start the refund of a whole payment that is not needed. Return the refund's key. Maintenance makes it."""
    refund = Refund(
        transaction_id=transaction.id,
        payment_id=payment.id,
        reference=new_refund_reference(),
        kind=kind,
        amount=payment.amount,
        reason=AUTOMATIC_REASONS[kind],
        next_check_at=clock.now(),
    )
    session.add(refund)
    session.flush()
    return refund.id
