"""Disputes (chargebacks) that a gateway reports. One that is lost counts as a refund of all that is left.

The caller has locked the sale, and has stored the event: `gateway_events.py`. Events come in any order, so that the
number of stored events decides whether a dispute is open.
"""

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit
from lms_graphql.billing.gateways.interface import Event, EventKind
from lms_graphql.billing.models import GatewayEvent, Payment, Refund, RefundKind, RefundStatus, Transaction
from lms_graphql.billing.reads.sale_payments import payment_of_sale
from lms_graphql.billing.services.refund_results import store_result
from lms_graphql.billing.services.refunds import AUTOMATIC_REASONS, add_refund
from lms_graphql.billing.transitions import SUCCESSFUL
from lms_graphql.core import clock
from lms_graphql.core.statements import execute_dml

CLOSED_KINDS = (EventKind.DISPUTE_WON, EventKind.DISPUTE_LOST)


def apply_dispute(session: Session, transaction: Transaction, event: Event) -> None:
    """Apply an event of a dispute about a locked transaction.

    A lost dispute about a payment that was not needed has no further effect: that payment is refunded by itself.
    """
    payment = payment_of_sale(session, transaction.id)
    is_lost = event.kind is EventKind.DISPUTE_LOST
    if is_lost and payment is not None and event.payment_id in (None, payment.gateway_payment_id):
        _refund_rest(session, transaction, payment)
    _store_state(session, transaction)
    audit.record(session, f"dispute.{event.kind.value.removeprefix('dispute_')}", subject=transaction.id)


def _store_state(session: Session, transaction: Transaction) -> None:
    """Mark the transaction as disputed if more disputes were opened than decided, whatever came first."""
    opened, closed = (_count(session, transaction, kinds) for kinds in ((EventKind.DISPUTE_OPENED,), CLOSED_KINDS))
    disputed_at = (transaction.disputed_at or clock.now()) if opened > closed else None
    values = {"disputed_at": disputed_at, "updated_at": clock.now()}
    execute_dml(session, update(Transaction).where(Transaction.id == transaction.id).values(values))
    session.refresh(transaction)


def _count(session: Session, transaction: Transaction, kinds: tuple[EventKind, ...]) -> int:
    is_kind = GatewayEvent.kind.in_([kind.value for kind in kinds])
    statement = select(func.count()).where(GatewayEvent.transaction_id == transaction.id, is_kind)
    return session.scalar(statement) or 0


def _refund_rest(session: Session, transaction: Transaction, payment: Payment) -> None:
    """Book a refund of all that is left. The bank has returned the money already.

    Refunds that are still PROCESSING fail: what they would return is part of this one.
    """
    if transaction.status not in SUCCESSFUL:
        return
    is_processing = (Refund.payment_id == payment.id, Refund.status == RefundStatus.PROCESSING)
    for key in session.scalars(select(Refund.id).where(*is_processing).order_by(Refund.id)).all():
        store_result(session, transaction, key, RefundStatus.FAILED)
    left, kind = transaction.amount - transaction.refunded_amount, RefundKind.DISPUTE
    key = add_refund(session, transaction, payment, kind, left, AUTOMATIC_REASONS[kind], next_check_at=clock.now())
    store_result(session, transaction, key, RefundStatus.SUCCEEDED)
