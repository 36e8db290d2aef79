"""Payments that gateways report. Each is stored once, with what it was used for.

Payment, enrollment, earning and receipt are stored in one transaction. Lock order: docs/architecture.md.
"""

from typing import NamedTuple

import structlog
from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit
from lms_graphql.accounts.models import User
from lms_graphql.billing.models import Payment, PaymentOutcome, RefundKind, Transaction, TransactionStatus
from lms_graphql.billing.purchase_rules import payment_outcome
from lms_graphql.billing.reads.sale_payments import has_paid
from lms_graphql.billing.services import earnings, refunds
from lms_graphql.billing.services.mails import enqueue_receipt, set_receipt_code
from lms_graphql.billing.services.sales import change_status
from lms_graphql.catalog.models import Course, Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.core import clock
from lms_graphql.core.money import Money
from lms_graphql.core.statements import execute_dml, insert_ignore
from lms_graphql.learning.enrollment_status import ACCESS_STATUSES
from lms_graphql.learning.services.enrollment_lifecycle import grant_access, lock_enrollment

log = structlog.get_logger("lms_graphql.billing")


class ReceivedPayment(NamedTuple):
    """A payment as the gateway reports it."""

    gateway_payment_id: str
    amount: Money


def record_payment(session: Session, transaction: Transaction, received: ReceivedPayment) -> bool:
    """Store a payment for a locked transaction, with its effects. Return False if it is stored already.

    A payment that is not needed is refunded: maintenance calls the gateway.
    """
    outcome = _outcome(session, transaction, received)
    payment = _insert(session, transaction, received, outcome)
    if payment is None:
        return False
    audit.record(session, "payment.received", subject=transaction.id, payment=payment.id, outcome=outcome.value)
    names = {"transaction": transaction.transaction_id, "payment": payment.id}
    if outcome is PaymentOutcome.BOOKED:
        _complete(session, transaction)
    elif outcome is PaymentOutcome.MISMATCH:
        log.error("payment_mismatch", **names)
    elif outcome is PaymentOutcome.DUPLICATE:
        log.warning("payment_duplicate", **names)
        if _set_paid(session, transaction):
            set_receipt_code(session, transaction)  # without a mail, because the refund notice follows
        refunds.start_automatic_refund(session, transaction, payment, RefundKind.DUPLICATE_PAYMENT)
    else:
        log.warning("payment_late", **names)
        change_status(session, transaction, TransactionStatus.CANCELLED, next_check_at=None)
        refunds.start_automatic_refund(session, transaction, payment, RefundKind.LATE_PAYMENT)
    return True


def _outcome(session: Session, transaction: Transaction, received: ReceivedPayment) -> PaymentOutcome:
    return payment_outcome(
        received.amount,
        Money(transaction.amount, transaction.currency),
        transaction.status,
        has_paid_before=has_paid(session, transaction.user_id, transaction.course_id, transaction.id),
        may_get_access=_may_get_access(session, transaction),
    )


def _may_get_access(session: Session, transaction: Transaction) -> bool:
    """Return whether the buyer may still get access.

    After the purchase began, the buyer's account may have been deleted, the enrollment suspended, or the course given
    to the buyer.
    """
    buyer, course = transaction.user_id, transaction.course_id
    is_deleted = exists().where(User.id == buyer, User.deleted_at.is_not(None))
    is_suspended = exists().where(
        Enrollment.user_id == buyer,
        Enrollment.course_id == course,
        Enrollment.status == EnrollmentStatus.SUSPENDED,
    )
    is_instructor = exists().where(Course.id == course, Course.instructor_id == buyer)
    return not session.scalar(select(or_(is_deleted, is_suspended, is_instructor)))


def _insert(
    session: Session, transaction: Transaction, received: ReceivedPayment, outcome: PaymentOutcome
) -> Payment | None:
    """Insert the payment and return it. Return None if a payment with this id is stored already."""
    method, payment_id, now = transaction.payment_method, received.gateway_payment_id, clock.now()
    values = {
        "transaction_id": transaction.id,
        "payment_method": method,
        "gateway_payment_id": payment_id,
        "amount": received.amount.units,
        "currency": received.amount.currency,
        "outcome": outcome,
        "created_at": now,
        "updated_at": now,
    }
    if execute_dml(session, insert_ignore(Payment).values(values)) == 0:
        return None
    is_payment = (Payment.payment_method == method, Payment.gateway_payment_id == payment_id)
    return session.scalars(select(Payment).where(*is_payment)).one()


def _complete(session: Session, transaction: Transaction) -> None:
    """Complete a pending transaction: access, earning and receipt. An archived course gives access, too.

    Access that was granted for good in the meantime stays a grant, so that a refund does not end it.
    """
    is_completed = _set_paid(session, transaction)
    assert is_completed
    if not _has_lasting_grant(session, transaction):
        grant_access(session, transaction.user_id, transaction.course_id, EnrollmentSource.PURCHASE)
    earnings.record_sale(session, transaction)
    enqueue_receipt(session, transaction)


def _has_lasting_grant(session: Session, transaction: Transaction) -> bool:
    enrollment = lock_enrollment(session, transaction.user_id, transaction.course_id)
    if enrollment is None or enrollment.status not in ACCESS_STATUSES:
        return False
    return enrollment.source is EnrollmentSource.GRANT and enrollment.access_expires_at is None


def _set_paid(session: Session, transaction: Transaction) -> bool:
    paid = TransactionStatus.COMPLETED
    return change_status(session, transaction, paid, completed_at=clock.now(), next_check_at=None)
