"""Reads of disputes, which name their payment by its id at the gateway."""

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from lms_graphql.billing.models import Dispute, DisputeStatus, Payment, Transaction
from lms_graphql.billing.reads.sale_payments import PAYMENT_OF_SALE
from lms_graphql.billing.transitions import SUCCESSFUL


def dispute_statuses(session: Session, payment: Payment) -> set[DisputeStatus]:
    """Return the statuses of all disputes about a payment, and lock them for reading.

    The lock also covers disputes that are missing. They are inserted after this transaction, and then find the
    payment. An ordinary read would miss those that were inserted after its snapshot.
    """
    is_about_payment = (
        Dispute.payment_method == payment.payment_method,
        Dispute.gateway_payment_id == payment.gateway_payment_id,
    )
    return set(session.scalars(select(Dispute.status).where(*is_about_payment).with_for_update(read=True)))


_OTHER = aliased(Dispute)
_HAS_OPEN_DISPUTE = exists().where(
    _OTHER.payment_method == Dispute.payment_method,
    _OTHER.gateway_payment_id == Dispute.gateway_payment_id,
    _OTHER.status == DisputeStatus.OPEN,
)
_IS_ABOUT_PAYMENT = and_(
    Payment.payment_method == Dispute.payment_method, Payment.gateway_payment_id == Dispute.gateway_payment_id
)
UNAPPLIED_DISPUTES = (
    select(Transaction.id)
    .distinct()
    .select_from(Dispute)
    .join(Payment, _IS_ABOUT_PAYMENT)
    .join(Transaction, and_(Transaction.id == Payment.transaction_id, Payment.id == PAYMENT_OF_SALE))
    .where(
        or_(
            and_(Dispute.status == DisputeStatus.LOST, Transaction.status.in_(SUCCESSFUL)),
            and_(_HAS_OPEN_DISPUTE, Transaction.disputed_at.is_(None)),
            and_(~_HAS_OPEN_DISPUTE, Transaction.disputed_at.is_not(None)),
        )
    )
    .order_by(Transaction.id)
)
"""Selects the keys of transactions that do not show the disputes about their payment."""
