"""Disputes (chargebacks) that a gateway reports. One that is lost counts as a refund of all that is left.

Events come in any order, also before the payment that they are about. So each dispute has a row with its worst status
so far, and `apply_disputes` brings a transaction into line with the rows about its payment.

If a payment and its first dispute are reported at the same moment, the later transaction sees the earlier one. On a
cluster with several writing nodes, neither may see the other. Maintenance finds such disputes.
"""

from functools import partial
from typing import Any

import structlog
from sqlalchemy import Update, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit
from lms_graphql.billing.gateways.interface import Event, EventKind
from lms_graphql.billing.models import (
    Dispute,
    DisputeStatus,
    Payment,
    PaymentMethod,
    Refund,
    RefundKind,
    RefundStatus,
    Transaction,
)
from lms_graphql.billing.reads.disputes import UNAPPLIED_DISPUTES, dispute_statuses
from lms_graphql.billing.reads.sale_payments import payment_of_sale
from lms_graphql.billing.services.gateway_calls import PaymentResources
from lms_graphql.billing.services.refund_results import store_result
from lms_graphql.billing.services.refunds import AUTOMATIC_REASONS, add_refund
from lms_graphql.billing.services.sales import lock_sale, peek_sale
from lms_graphql.billing.transitions import SUCCESSFUL
from lms_graphql.core import clock, db_errors
from lms_graphql.core.statements import execute_dml, insert_ignore

log = structlog.get_logger("lms_graphql.billing")

STATUSES = {
    EventKind.DISPUTE_OPENED: DisputeStatus.OPEN,
    EventKind.DISPUTE_WON: DisputeStatus.WON,
    EventKind.DISPUTE_LOST: DisputeStatus.LOST,
}
EARLIER_STATUSES = {
    DisputeStatus.OPEN: (),
    DisputeStatus.WON: (DisputeStatus.OPEN,),
    DisputeStatus.LOST: (DisputeStatus.OPEN, DisputeStatus.WON),
}
"""Statuses from which a dispute may change to each status."""


def store_dispute(session: Session, method: PaymentMethod, event: Event, transaction: Transaction | None) -> None:
    """Store the state of a dispute that an event reports, unless a later state is stored.

    The transaction is locked. It is None if the dispute's payment is not known yet, or not ours.
    """
    if event.dispute_id is None or event.payment_id is None:
        raise ValueError("An event of a dispute needs its id and that of its payment.")
    status, now = STATUSES[event.kind], clock.now()
    ids = {
        "payment_method": method,
        "gateway_payment_id": event.payment_id,
        "gateway_dispute_id": event.dispute_id,
    }
    values = {**ids, "status": status, "created_at": now, "updated_at": now}
    is_new = execute_dml(session, insert_ignore(Dispute).values(values)) == 1
    facts: dict[str, Any] = {"subject": None if transaction is None else transaction.id, "dispute": event.dispute_id}
    if is_new or execute_dml(session, _change(ids, status)):
        audit.record(session, f"dispute.{event.kind.value.removeprefix('dispute_')}", **facts)
    elif status is DisputeStatus.WON and _stored_status(session, ids) is DisputeStatus.LOST:
        # The refund is booked, and entries of the ledger are only added. An operator decides.
        audit.record(session, "dispute.contradicted", **facts)
        log.error("dispute_result_contradicts", dispute=event.dispute_id, gateway_event=event.id)


def apply_disputes(session: Session, transaction: Transaction) -> None:
    """Let a locked transaction show the disputes about its payment. It does nothing if it shows them already.

    A lost one refunds what is left, and an open one blocks refunds. A payment that was not needed is refunded by
    itself, so that disputes about it have no effect.
    """
    payment = payment_of_sale(session, transaction.id)
    if payment is None:
        return
    statuses = dispute_statuses(session, payment)
    if DisputeStatus.LOST in statuses:
        _refund_rest(session, transaction, payment)
    if statuses and (DisputeStatus.OPEN in statuses) != (transaction.disputed_at is not None):
        disputed_at = clock.now() if DisputeStatus.OPEN in statuses else None
        values = {"disputed_at": disputed_at, "updated_at": clock.now()}
        execute_dml(session, update(Transaction).where(Transaction.id == transaction.id).values(values))
        session.refresh(transaction)


def apply_stored_disputes(resources: PaymentResources) -> int:
    """Apply the disputes that their transactions do not show. Return the number of transactions.

    One that fails unexpectedly does not stop the others. It is tried again at the next run.
    """
    total = 0
    for key in resources.database.read_sync(_unapplied):
        try:
            resources.database.write_sync(resources.with_settings(partial(_apply, key=key)))
            total += 1
        except Exception as error:
            if db_errors.stops_all_work(error):
                raise
            log.error("dispute_not_applied", transaction_key=key, exc_info=error)
    return total


def _unapplied(session: Session) -> list[int]:
    return list(session.scalars(UNAPPLIED_DISPUTES))


def _apply(session: Session, key: int) -> None:
    sale = peek_sale(session, Transaction.id == key)
    assert sale is not None
    apply_disputes(session, lock_sale(session, sale))


def _is_dispute(ids: dict[str, Any]) -> list[Any]:
    return [getattr(Dispute, name) == value for name, value in ids.items()]


def _change(ids: dict[str, Any], status: DisputeStatus) -> Update:
    """Return the UPDATE to a later status. The condition is in it, because events may arrive at the same time."""
    may_change = Dispute.status.in_(EARLIER_STATUSES[status])
    return update(Dispute).where(*_is_dispute(ids), may_change).values(status=status, updated_at=clock.now())


def _stored_status(session: Session, ids: dict[str, Any]) -> DisputeStatus:
    return session.scalars(select(Dispute.status).where(*_is_dispute(ids))).one()


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
