"""Purchases: start one, store its checkout, cancel it, let it fail. Payments complete it: `payments.py`.

Lock order: docs/architecture.md. No service calls a gateway: `gateway_calls.py` does, outside of any transaction.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit
from lms_graphql.billing.gateways.interface import Checkout
from lms_graphql.billing.gateways.registry import enabled_methods
from lms_graphql.billing.models import PaymentMethod, Transaction, TransactionStatus
from lms_graphql.billing.purchase_rules import (
    PROMISED_DAYS,
    UNPAID_HOURS,
    expiry,
    require_below_unpaid_limit,
    require_method_and_price,
    require_possible_price,
)
from lms_graphql.billing.reads.sale_payments import count_unpaid, has_paid
from lms_graphql.billing.reads.transactions import transactions_by_key
from lms_graphql.billing.references import new_transaction_reference
from lms_graphql.billing.services.mails import enqueue_transfer_instructions
from lms_graphql.billing.services.sales import Sale, change_status, lock_sale, peek_sale
from lms_graphql.catalog.models import Course, CourseStatus, Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.catalog.services.course_locks import lock_visible_course
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode, RequestError, RequestErrorCode, not_found
from lms_graphql.core.idempotency import IdempotentRequest, run_once
from lms_graphql.core.money import Money
from lms_graphql.core.statements import execute_dml
from lms_graphql.learning.enrollment_status import ACCESS_STATUSES, status_as_of
from lms_graphql.learning.services.enrollment_lifecycle import grant_access
from lms_graphql.learning.services.enrollments import SUSPENDED_MESSAGE
from lms_graphql.settings import settings_of

COURSE, TRANSACTION = ("course_id",), ("transaction_id",)
FIRST_CHECK = timedelta(minutes=10)
"""Time after which reconciliation asks the gateway, in case its webhook was lost."""
WITHOUT_GATEWAY = (PaymentMethod.FREE, PaymentMethod.BANK_TRANSFER)
"""Payment methods without a service that could be asked about a payment."""


@dataclass(frozen=True, slots=True)
class PurchaseRequest:
    """A course to buy. `expected_price` is the price that the buyer saw."""

    course_id: str
    method: PaymentMethod
    expected_price: Decimal
    idempotency_key: str


def start_purchase(session: Session, actor: Actor, purchase: PurchaseRequest) -> int:
    """Start the purchase of a course, or find the one that this request has started. Return the transaction's key.

    A free course is enrolled in at once. Otherwise the transaction is PENDING until its payment.

    Raise NOT_FOUND, OWN_COURSE, ALREADY_EXISTS, INVALID_TRANSITION, NOT_PUBLISHED, OUT_OF_RANGE, INVALID,
    PAYMENT_REQUIRED, FEATURE_DISABLED, PRICE_CHANGED or LIMIT_REACHED, or an error of the idempotency key.
    """
    assert actor.key is not None
    values = {
        "courseId": purchase.course_id,
        "paymentMethod": purchase.method.value,
        "expectedPrice": str(purchase.expected_price),
    }
    request = IdempotentRequest(actor.key, "purchaseCourse", purchase.idempotency_key, values)
    return run_once(session, request, lambda: _start(session, actor, purchase))


def _start(session: Session, actor: Actor, purchase: PurchaseRequest) -> int:
    course = lock_visible_course(session, actor, purchase.course_id)
    if course is None:
        raise not_found(*COURSE)
    assert actor.key is not None
    require_possible_price(purchase.expected_price, course.currency)
    _require_may_buy(session, actor.key, course)
    price, method = Money(course.price, course.currency), purchase.method
    is_enabled = method in enabled_methods(settings_of(session))
    require_method_and_price(price, method, is_enabled=is_enabled, expected=purchase.expected_price)
    if method is not PaymentMethod.FREE:
        since = clock.now() - timedelta(hours=UNPAID_HOURS)
        require_below_unpaid_limit(count_unpaid(session, actor.key, since))
    transaction = _new_transaction(actor.key, course, method)
    session.add(transaction)
    session.flush()
    audit.record(session, "transaction.started", actor=actor.key, subject=transaction.id, course=course.id)
    if method is PaymentMethod.FREE:
        change_status(session, transaction, TransactionStatus.COMPLETED, completed_at=clock.now())
        grant_access(session, actor.key, course.id, EnrollmentSource.FREE, None, actor.key)
    elif method is PaymentMethod.BANK_TRANSFER:
        enqueue_transfer_instructions(session, transaction)
    return transaction.id


def _require_may_buy(session: Session, user_key: int, course: Course) -> None:
    """Raise an error if the user cannot buy this locked course.

    The enrollment is only read, because locks of enrollments come after those of transactions. All changes of access
    lock the course, too. The expiration does not, but `status_as_of` computes it.
    """
    if course.instructor_id == user_key:
        message = "This is your own course. You have access to all of it without buying it."
        raise DomainError(ErrorCode.OWN_COURSE, message, COURSE)
    is_of_user = (Enrollment.user_id == user_key, Enrollment.course_id == course.id)
    enrollment = session.scalar(select(Enrollment).where(*is_of_user))
    if enrollment is not None:
        if status_as_of(clock.now(), enrollment.status, enrollment.access_expires_at) in ACCESS_STATUSES:
            message = "You have access to this course already. Open it."
            raise DomainError(ErrorCode.ALREADY_EXISTS, message, COURSE)
        if enrollment.status is EnrollmentStatus.SUSPENDED:
            raise DomainError(ErrorCode.INVALID_TRANSITION, SUSPENDED_MESSAGE, COURSE)
    if has_paid(session, user_key, course.id):
        message = "You have bought this course already. Enroll again to return to it without paying."
        raise DomainError(ErrorCode.ALREADY_EXISTS, message, COURSE)
    if course.status is not CourseStatus.PUBLISHED:
        message = "This course is not published, so it cannot be bought."
        raise DomainError(ErrorCode.NOT_PUBLISHED, message, COURSE)


def _new_transaction(buyer_key: int, course: Course, method: PaymentMethod) -> Transaction:
    now = clock.now()
    return Transaction(
        user_id=buyer_key,
        course_id=course.id,
        transaction_id=new_transaction_reference(),
        amount=course.price,
        currency=course.currency,
        payment_method=method,
        description=course.title,
        expires_at=None if method is PaymentMethod.FREE else expiry(method, now),
        next_check_at=None if method in WITHOUT_GATEWAY else now + FIRST_CHECK,
    )


def store_checkout(session: Session, transaction_key: int, checkout: Checkout) -> TransactionStatus:
    """Store the checkout that the gateway has opened, if none is stored. Return the transaction's status.

    If the purchase was cancelled in the meantime, the caller closes the checkout.
    """
    has_none = (Transaction.id == transaction_key, Transaction.gateway_transaction_id.is_(None))
    values = {"gateway_transaction_id": checkout.id, "checkout_url": checkout.url, "updated_at": clock.now()}
    execute_dml(session, update(Transaction).where(*has_none).values(values))
    return session.scalars(select(Transaction.status).where(Transaction.id == transaction_key)).one()


def fail_purchase(session: Session, transaction: Transaction) -> None:
    """Let a locked transaction fail if it is pending: the gateway rejected it, or reports that it cannot be paid.

    In another status nothing changes, because events may arrive late or again.
    """
    if change_status(session, transaction, TransactionStatus.FAILED, next_check_at=None):
        audit.record(session, "transaction.failed", subject=transaction.id)


def wait_for_money(session: Session, transaction: Transaction) -> None:
    """Keep a locked transaction open if it is pending, because the money that the buyer has sent takes days."""
    is_pending = (Transaction.id == transaction.id, Transaction.status == TransactionStatus.PENDING)
    now = clock.now()
    values = {"expires_at": now + timedelta(days=PROMISED_DAYS), "updated_at": now}
    if execute_dml(session, update(Transaction).where(*is_pending).values(values)):
        audit.record(session, "payment.promised", subject=transaction.id)


def cancel_transaction(session: Session, actor: Actor, transaction_id: str) -> int:
    """Cancel a pending purchase and return its key. Cancelling twice succeeds and changes nothing.

    Raise NOT_FOUND, FORBIDDEN, or INVALID_TRANSITION if it is not pending.
    """
    sale, transaction = lock_visible_sale(session, actor, transaction_id)
    if sale.buyer_key != actor.key and not actor.is_super_admin:
        message = "Only the buyer and super admins may cancel a transaction."
        raise RequestError(RequestErrorCode.FORBIDDEN, message)
    if transaction.status is TransactionStatus.CANCELLED:
        return transaction.id
    # Maintenance closes the checkout, or finds a payment that came before, even if the caller dies.
    if not cancel_pending(session, transaction, actor.key):
        message = "Only a pending transaction can be cancelled. Ask for a refund instead if it was paid."
        raise DomainError(ErrorCode.INVALID_TRANSITION, message, TRANSACTION)
    return transaction.id


def cancel_pending(session: Session, transaction: Transaction, actor_key: int | None = None) -> bool:
    """Cancel a locked transaction if it is pending. Return whether it was."""
    next_check_at = None if transaction.payment_method in WITHOUT_GATEWAY else clock.now()
    if not change_status(session, transaction, TransactionStatus.CANCELLED, next_check_at=next_check_at):
        return False
    audit.record(session, "transaction.cancelled", actor=actor_key, subject=transaction.id)
    return True


def lock_visible_sale(session: Session, actor: Actor, transaction_id: str) -> tuple[Sale, Transaction]:
    """Lock the course and the transaction of a global id, and return the sale. Raise NOT_FOUND."""
    key = global_ids.decode_key("Transaction", transaction_id)
    sale = None if key is None else peek_sale(session, Transaction.id == key)
    if sale is None:
        raise not_found(*TRANSACTION)
    transaction = lock_sale(session, sale)
    if transaction.id not in transactions_by_key(session, actor, [transaction.id]):
        raise not_found(*TRANSACTION)
    return sale, transaction
