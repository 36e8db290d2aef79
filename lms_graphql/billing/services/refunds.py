"""Refunds: a request reserves the amount, the gateway returns the money, and its result is stored.

The gateway is called between two transactions: `refund_calls.py`. Its result arrives as the answer to the call, by a
webhook or by reconciliation. The first one has the effect. Lock order: docs/architecture.md.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit, roles
from lms_graphql.billing import refund_rules
from lms_graphql.billing.gateways.registry import enabled_methods
from lms_graphql.billing.models import Payment, Refund, RefundKind, RefundStatus, Transaction
from lms_graphql.billing.reads.sale_payments import payment_of_sale
from lms_graphql.billing.reads.transactions import transactions_by_key
from lms_graphql.billing.references import new_refund_reference
from lms_graphql.billing.transitions import SUCCESSFUL
from lms_graphql.certificates.models import Certificate
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import RequestError, RequestErrorCode, not_found
from lms_graphql.core.idempotency import IdempotentRequest, run_once
from lms_graphql.core.money import Money
from lms_graphql.core.statements import execute_dml
from lms_graphql.core.validation import MAX_REASON_LENGTH, Validator
from lms_graphql.learning.completion_percent import percent
from lms_graphql.learning.models import CourseProgress
from lms_graphql.settings import settings_of

FIRST_CHECK = timedelta(minutes=1)
"""Time after which maintenance asks the gateway about a refund, if the request's own call was lost."""
AUTOMATIC_REASONS = {
    RefundKind.DUPLICATE_PAYMENT: "The course was paid already.",
    RefundKind.LATE_PAYMENT: "The purchase had ended before the payment arrived.",
    RefundKind.DISPUTE: "The buyer's bank has returned the payment after a dispute.",
}


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """A refund that an actor asks for. Without an amount, all that is left is refunded."""

    transaction_id: str
    amount: Decimal | None
    reason: str
    idempotency_key: str


def start_refund(session: Session, actor: Actor, order: RefundOrder) -> int:
    """Start a refund, or find the one that this request has started. Return its key. The caller calls the gateway.

    Buyers refund under the rules for learners, super admins at any time. Raise NOT_FOUND, FORBIDDEN, REQUIRED,
    TOO_LONG, INVALID, OUT_OF_RANGE or NOT_REFUNDABLE, or an error of the idempotency key.
    """
    assert actor.key is not None
    values = {
        "transaction_id": order.transaction_id,
        "amount": None if order.amount is None else str(order.amount),
        "reason": order.reason,
    }
    request = IdempotentRequest(actor.key, "refundTransaction", order.idempotency_key, values)
    return run_once(session, request, lambda: _start(session, actor, order))


def start_automatic_refund(session: Session, transaction: Transaction, payment: Payment, kind: RefundKind) -> int:
    """Start the refund of a whole payment that is not needed. Return the refund's key. Maintenance makes it.

    The transaction is locked. If the payment completed it, the amount is reserved.
    """
    reason, now = AUTOMATIC_REASONS[kind], clock.now()
    return add_refund(session, transaction, payment, kind, payment.amount, reason, next_check_at=now)


def add_refund(
    session: Session,
    transaction: Transaction,
    payment: Payment,
    kind: RefundKind,
    units: int,
    reason: str,
    *,
    next_check_at: datetime,
    actor_key: int | None = None,
) -> int:
    """Reserve the amount and add a refund of a locked transaction. Return its key.

    Maintenance calls the gateway at `next_check_at`, if the caller has not done so.
    """
    if is_of_sale(session, payment):
        _reserve(session, transaction, units)
    refund = Refund(
        transaction_id=transaction.id,
        payment_id=payment.id,
        reference=new_refund_reference(),
        kind=kind,
        amount=units,
        reason=reason,
        status=RefundStatus.PROCESSING,
        requested_by_id=actor_key,
        next_check_at=next_check_at,
    )
    session.add(refund)
    session.flush()
    facts: dict[str, Any] = {"refund": refund.id, "kind": kind.value, "amount": units}
    audit.record(session, "refund.started", actor=actor_key, subject=transaction.id, **facts)
    return refund.id


def is_of_sale(session: Session, payment: Payment) -> bool:
    """Return whether refunds of this payment count as refunds of its transaction."""
    payment_of_transaction = payment_of_sale(session, payment.transaction_id)
    return payment_of_transaction is not None and payment_of_transaction.id == payment.id


def _reserve(session: Session, transaction: Transaction, units: int) -> None:
    """Reserve an amount. The condition is in the UPDATE, because a lock alone does not protect on a cluster."""
    fits = Transaction.refunded_amount + Transaction.reserved_amount + units <= Transaction.amount
    is_possible = (Transaction.id == transaction.id, Transaction.status.in_(SUCCESSFUL), fits)
    values = {"reserved_amount": Transaction.reserved_amount + units, "updated_at": clock.now()}
    reserved = execute_dml(session, update(Transaction).where(*is_possible).values(values))
    assert reserved == 1, "The caller has checked the locked row."
    session.refresh(transaction)


def _start(session: Session, actor: Actor, order: RefundOrder) -> int:
    transaction = _lock_visible_transaction(session, actor, order.transaction_id)
    is_learner = actor.role is None or not roles.allows(actor.role, "transaction:refund")
    if is_learner and transaction.user_id != actor.key:
        message = "Only the buyer and super admins may refund a transaction."
        raise RequestError(RequestErrorCode.FORBIDDEN, message)
    validator = Validator()
    units = refund_rules.validate_amount(validator, order.amount, transaction.currency)
    reason = validator.multi_line("reason", order.reason, max_length=MAX_REASON_LENGTH, required=True)
    validator.raise_errors()
    is_disputed = transaction.disputed_at is not None
    refund_rules.require_refundable(transaction.status, transaction.amount, is_disputed=is_disputed)
    left = transaction.amount - transaction.refunded_amount - transaction.reserved_amount
    units = refund_rules.amount_to_refund(units, Money(left, transaction.currency))
    if is_learner:
        _require_learner_may_refund(session, transaction, units, left)
    payment = payment_of_sale(session, transaction.id)
    if payment is None or payment.payment_method not in enabled_methods(settings_of(session)):
        message = "This payment cannot be refunded here, because its gateway is not set up. Contact support."
        raise refund_rules.not_refundable(message)
    kind = RefundKind.LEARNER if is_learner else RefundKind.ADMIN
    next_check_at = clock.now() + FIRST_CHECK
    return add_refund(
        session, transaction, payment, kind, units, reason or "", next_check_at=next_check_at, actor_key=actor.key
    )


def _lock_visible_transaction(session: Session, actor: Actor, transaction_id: str) -> Transaction:
    """Lock the transaction. Raise NOT_FOUND at `transaction_id`."""
    key = global_ids.decode_key("Transaction", transaction_id)
    unchanged = {"status": Transaction.status, "updated_at": Transaction.updated_at}
    if key is None or not execute_dml(session, update(Transaction).where(Transaction.id == key).values(unchanged)):
        raise not_found(refund_rules.TRANSACTION)
    if key not in transactions_by_key(session, actor, [key]):
        raise not_found(refund_rules.TRANSACTION)
    return session.get_one(Transaction, key, populate_existing=True)


def _require_learner_may_refund(session: Session, transaction: Transaction, units: int, left: int) -> None:
    settings = settings_of(session)
    refund_rules.require_learner_may_refund(
        _learner_facts(session, transaction),
        units,
        left,
        clock.now(),
        days=settings.refund_days,
        max_progress=settings.refund_max_progress,
    )


def _learner_facts(session: Session, transaction: Transaction) -> refund_rules.LearnerFacts:
    buyer, course = transaction.user_id, transaction.course_id
    is_progress = (CourseProgress.user_id == buyer, CourseProgress.course_id == course)
    progress = session.scalar(select(CourseProgress).where(*is_progress))
    done = required = 0
    if progress is not None:
        done = progress.completed_lectures + progress.passed_quizzes
        required = progress.total_lectures + progress.total_quizzes
    certificate = select(Certificate.id).where(Certificate.user_id == buyer, Certificate.course_id == course)
    refund = (
        select(Refund.id)
        .join(Transaction, Transaction.id == Refund.transaction_id)
        .where(Transaction.user_id == buyer, Transaction.course_id == course)
        .where(Refund.kind == RefundKind.LEARNER, Refund.status != RefundStatus.FAILED)
    )
    assert transaction.completed_at is not None
    return refund_rules.LearnerFacts(
        completed_at=transaction.completed_at,
        percent=percent(done, required),
        has_certificate=bool(session.scalar(select(exists(certificate)))),
        has_refunded_before=bool(session.scalar(select(exists(refund)))),
    )
