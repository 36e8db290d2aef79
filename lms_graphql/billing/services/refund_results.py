"""Results of refunds at the gateway: the first report of each is stored. Lock order: docs/architecture.md.

A refund that SUCCEEDED ends access if nothing of the payment is left, and reduces the earnings of the sale.
"""

from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit
from lms_graphql.billing.gateways.interface import Event
from lms_graphql.billing.models import (
    Payment,
    PaymentMethod,
    Refund,
    RefundKind,
    RefundStatus,
    Transaction,
    TransactionStatus,
)
from lms_graphql.billing.reads.sale_payments import has_paid
from lms_graphql.billing.services import earnings
from lms_graphql.billing.services.mails import enqueue_refund_notice
from lms_graphql.billing.services.refunds import FIRST_CHECK, is_of_sale
from lms_graphql.billing.services.sales import change_status, lock_sale, peek_sale
from lms_graphql.catalog.models import EnrollmentSource, EnrollmentStatus
from lms_graphql.core import clock
from lms_graphql.core.money import Money
from lms_graphql.core.statements import execute_dml
from lms_graphql.learning.services.enrollment_lifecycle import end_enrollment, lock_enrollment

log = structlog.get_logger("lms_graphql.billing")

MAX_INTERVAL = timedelta(hours=6)


def settle_refund(
    session: Session, refund_key: int, status: RefundStatus, gateway_refund_id: str | None = None
) -> None:
    """Lock the refund's sale, and store the result that the gateway has returned."""
    transaction_key = select(Refund.transaction_id).where(Refund.id == refund_key).scalar_subquery()
    sale = peek_sale(session, Transaction.id == transaction_key)
    assert sale is not None
    store_result(session, lock_sale(session, sale), refund_key, status, gateway_refund_id)


def store_result(
    session: Session,
    transaction: Transaction,
    refund_key: int,
    status: RefundStatus,
    gateway_refund_id: str | None = None,
) -> None:
    """Store the result of a refund of a locked sale, with its effects. A second result has no effect.

    PROCESSING stores when reconciliation asks the gateway again.
    """
    now = clock.now()
    refund = session.get_one(Refund, refund_key, populate_existing=True)
    values: dict[str, Any] = {"status": status, "updated_at": now}
    values["next_check_at"] = next_check(refund.created_at, now) if status is RefundStatus.PROCESSING else None
    values["completed_at"] = None if status is RefundStatus.PROCESSING else now
    if gateway_refund_id is not None:
        values["gateway_refund_id"] = gateway_refund_id
    is_open = (Refund.id == refund_key, Refund.status == RefundStatus.PROCESSING)
    if not execute_dml(session, update(Refund).where(*is_open).values(values)):
        if status not in (refund.status, RefundStatus.PROCESSING):
            facts: dict[str, Any] = {"refund": refund.id, "stored": refund.status.value, "reported": status.value}
            audit.record(session, "refund.contradicted", subject=transaction.id, **facts)
            log.error("refund_result_contradicts", refund=refund.reference, stored=refund.status, reported=status)
        return
    session.refresh(refund)
    if status is RefundStatus.FAILED:
        _release(session, transaction, refund)
    elif status is RefundStatus.SUCCEEDED:
        _book(session, transaction, refund)


def store_reported_result(session: Session, transaction: Transaction, event: Event) -> None:
    """Store the result of a refund of a locked sale that an event reports. A refund made elsewhere is only logged."""
    result = event.refund
    is_refund = Refund.reference == event.refund_reference
    if result is not None:
        is_refund = or_(is_refund, Refund.gateway_refund_id == result.gateway_refund_id)
    refund = session.scalar(select(Refund).where(Refund.transaction_id == transaction.id, is_refund))
    if refund is None or result is None:
        log.error("refund_unknown", transaction=transaction.transaction_id, gateway_event=event.id)
        return
    store_result(session, transaction, refund.id, result.status, result.gateway_refund_id)


def next_check(started_at: datetime, now: datetime) -> datetime:
    """Return when to ask the gateway again: the longer it takes, the less often, from a minute to six hours."""
    return now + min(max(now - started_at, FIRST_CHECK), MAX_INTERVAL)


def _release(session: Session, transaction: Transaction, refund: Refund) -> None:
    """Release the reservation of a refund that failed."""
    if is_of_sale(session, session.get_one(Payment, refund.payment_id)):
        released = {"reserved_amount": Transaction.reserved_amount - refund.amount, "updated_at": clock.now()}
        execute_dml(session, update(Transaction).where(Transaction.id == transaction.id).values(released))
        session.refresh(transaction)
    _audit(session, "refund.failed", refund)
    log.error("refund_failed", refund=refund.reference, kind=refund.kind.value)


def _book(session: Session, transaction: Transaction, refund: Refund) -> None:
    """Book a refund that succeeded. Refunds of further payments of the same transaction do not change it."""
    payment = session.get_one(Payment, refund.payment_id)
    if is_of_sale(session, payment):
        is_full = transaction.refunded_amount + refund.amount == transaction.amount
        is_changed = change_status(
            session,
            transaction,
            TransactionStatus.REFUNDED if is_full else TransactionStatus.PARTIALLY_REFUNDED,
            refunded_amount=Transaction.refunded_amount + refund.amount,
            reserved_amount=Transaction.reserved_amount - refund.amount,
        )
        assert is_changed
        if is_full:
            _end_access(session, transaction, refund.requested_by_id)
        earnings.record_refund(session, transaction, refund)
    _audit(session, "refund.succeeded", refund)
    if payment.payment_method is PaymentMethod.BANK_TRANSFER:  # people return the money, so they must learn about it
        amount = str(Money(refund.amount, payment.currency))
        log.warning("transfer_to_return", transaction=transaction.transaction_id, amount=amount)
    if refund.kind is not RefundKind.DISPUTE:  # the buyer knows it from the bank
        enqueue_refund_notice(session, refund)


def _end_access(session: Session, transaction: Transaction, actor_key: int | None) -> None:
    """End the access that the buyer has paid for, unless another payment or course staff give it.

    Cancelled and expired enrollments are ended as well. Otherwise the buyer could enroll again without paying.
    """
    buyer_key, course_key = transaction.user_id, transaction.course_id
    if has_paid(session, buyer_key, course_key, except_key=transaction.id):
        return
    enrollment = lock_enrollment(session, buyer_key, course_key)
    if enrollment is None or enrollment.source is not EnrollmentSource.PURCHASE:
        return
    if enrollment.status not in (EnrollmentStatus.REFUNDED, EnrollmentStatus.SUSPENDED):
        end_enrollment(session, enrollment, EnrollmentStatus.REFUNDED, actor_key)


def _audit(session: Session, action: str, refund: Refund) -> None:
    facts: dict[str, Any] = {"refund": refund.id, "kind": refund.kind.value, "amount": refund.amount}
    audit.record(session, action, actor=refund.requested_by_id, subject=refund.transaction_id, **facts)
