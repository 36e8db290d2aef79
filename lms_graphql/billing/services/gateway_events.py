"""Events of gateways. Each is stored once, in the transaction of its effect, so that a repeated one changes nothing.

Lock order: docs/architecture.md.
"""

from collections.abc import Callable, Mapping

import structlog
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from lms_graphql.billing.gateways.interface import DISPUTE_KINDS, Event, EventKind
from lms_graphql.billing.models import GatewayEvent, Payment, PaymentMethod, Refund, Transaction
from lms_graphql.billing.services.disputes import apply_disputes, store_dispute
from lms_graphql.billing.services.payments import ReceivedPayment, record_payment
from lms_graphql.billing.services.purchases import fail_purchase, wait_for_money
from lms_graphql.billing.services.refund_results import store_reported_result
from lms_graphql.billing.services.sales import Sale, lock_sale, peek_sale, read_sale
from lms_graphql.core import clock
from lms_graphql.core.statements import execute_dml, insert_ignore

log = structlog.get_logger("lms_graphql.billing")

Handler = Callable[[Session, Transaction, Event], None]
"""Stores the effect of an event on its transaction, which is locked."""


def apply_event(session: Session, method: PaymentMethod, event: Event) -> None:
    """Store an event of this gateway with its effect, unless it is stored already.

    Events may come late, again and in any order. An event of an unknown transaction is stored without an effect. If
    it is about a dispute, the payment that follows finds it.
    """
    sale = _peek_sale(session, method, event)
    transaction = None if sale is None else lock_sale(session, sale)
    if not _insert(session, method, event, sale):
        return
    if event.kind in DISPUTE_KINDS:
        store_dispute(session, method, event, transaction)
        transaction = transaction or _lock_sale_of_new_payment(session, method, event)
    names = {"method": method.value, "gateway_event": event.id, "kind": event.kind.value}
    if transaction is None:
        log.info("gateway_event_without_transaction", **names)
        return
    log.info("gateway_event", **names, transaction=transaction.transaction_id)
    _HANDLERS[event.kind](session, transaction, event)


def _receive_payment(session: Session, transaction: Transaction, event: Event) -> None:
    if event.payment_id is None or event.amount is None:
        raise ValueError("An event of a payment needs its id and its amount.")
    if record_payment(session, transaction, ReceivedPayment(event.payment_id, event.amount)):
        apply_disputes(session, transaction)  # those that were reported before


def _wait_for_money(session: Session, transaction: Transaction, event: Event) -> None:
    wait_for_money(session, transaction)


def _fail(session: Session, transaction: Transaction, event: Event) -> None:
    fail_purchase(session, transaction)


def _apply_dispute(session: Session, transaction: Transaction, event: Event) -> None:
    apply_disputes(session, transaction)


def _ignore(session: Session, transaction: Transaction, event: Event) -> None:
    """Do nothing: the caller asks the gateway what has changed, and applies the events of the answer."""


_HANDLERS: Mapping[EventKind, Handler] = {
    EventKind.CHECKOUT_CHANGED: _ignore,
    EventKind.PAYMENT_PROMISED: _wait_for_money,
    EventKind.PAYMENT_RECEIVED: _receive_payment,
    EventKind.PAYMENT_FAILED: _fail,
    EventKind.REFUND_CHANGED: store_reported_result,
    EventKind.DISPUTE_OPENED: _apply_dispute,
    EventKind.DISPUTE_WON: _apply_dispute,
    EventKind.DISPUTE_LOST: _apply_dispute,
}


def _peek_sale(session: Session, method: PaymentMethod, event: Event) -> Sale | None:
    """Return the sale that an event names, by the first of its ids that is known here.

    The payment method must be the gateway's, so that no gateway can pay what is to be paid at another one.
    """
    for condition in _conditions(method, event):
        sale = peek_sale(session, Transaction.payment_method == method, condition)
        if sale is not None:
            return sale
    return None


def _lock_sale_of_new_payment(session: Session, method: PaymentMethod, event: Event) -> Transaction | None:
    """Lock the sale of a payment that was stored after `_peek_sale`, and return its transaction.

    The payment has not seen the dispute, and the INSERT of the dispute has waited for it. This lock comes late in the
    lock order. So a deadlock is possible, and the transaction then runs again.
    """
    sale = read_sale(session, _is_of_payment(method, event.payment_id))
    return None if sale is None else lock_sale(session, sale)


def _is_of_payment(method: PaymentMethod, payment_id: str | None) -> ColumnElement[bool]:
    is_payment = (Payment.payment_method == method, Payment.gateway_payment_id == payment_id)
    return Transaction.id == select(Payment.transaction_id).where(*is_payment).scalar_subquery()


def _conditions(method: PaymentMethod, event: Event) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if event.reference is not None:
        conditions.append(Transaction.transaction_id == event.reference)
    if event.checkout_id is not None:
        conditions.append(Transaction.gateway_transaction_id == event.checkout_id)
    if event.payment_id is not None:
        conditions.append(_is_of_payment(method, event.payment_id))
    if event.refund_reference is not None:
        is_refund = Refund.reference == event.refund_reference
        conditions.append(Transaction.id == select(Refund.transaction_id).where(is_refund).scalar_subquery())
    return conditions


def _insert(session: Session, method: PaymentMethod, event: Event, sale: Sale | None) -> bool:
    """Insert the event. Return False if it is stored already.

    The transaction's row is locked before, because the foreign key takes a shared lock on it.
    """
    now = clock.now()
    values = {
        "payment_method": method,
        "event_id": event.id,
        "kind": event.kind.value,
        "transaction_id": None if sale is None else sale.transaction_key,
        "created_at": now,
        "updated_at": now,
    }
    return execute_dml(session, insert_ignore(GatewayEvent).values(values)) == 1
