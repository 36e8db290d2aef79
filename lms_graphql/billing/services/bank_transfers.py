"""Bank transfers: a super admin confirms that the money has arrived."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit
from lms_graphql.billing.models import Payment, PaymentMethod, Transaction, TransactionStatus
from lms_graphql.billing.services.payments import ReceivedPayment, record_payment
from lms_graphql.billing.services.purchases import TRANSACTION, lock_visible_sale
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.money import Money
from lms_graphql.core.text import is_blank
from lms_graphql.core.validation import Validator

MAX_REFERENCE_LENGTH = 200
REFERENCE = ("external_reference",)


def confirm_bank_transfer(session: Session, actor: Actor, transaction_id: str, external_reference: str | None) -> int:
    """Record the payment of a bank transfer, and return the transaction's key. Confirming twice changes nothing.

    Without an external reference, the payment has the transaction's own one. Raise NOT_FOUND, TOO_LONG, INVALID,
    ALREADY_EXISTS or INVALID_TRANSITION.
    """
    _, transaction = lock_visible_sale(session, actor, transaction_id)
    bank_reference = _validated(external_reference)
    payment_id = bank_reference or transaction.transaction_id
    if transaction.payment_method is not PaymentMethod.BANK_TRANSFER:
        raise _invalid_transition("This transaction is not paid by bank transfer.")
    confirmed = _payments_of(session, transaction)
    if payment_id in confirmed or (confirmed and bank_reference is None):
        return transaction.id
    if transaction.status is not TransactionStatus.PENDING:
        status = transaction.status.value.replace("_", " ")
        raise _invalid_transition(f"This transaction is {status}. Return the money, or ask the buyer to buy again.")
    audit.record(session, "transaction.confirmed", actor=actor.key, subject=transaction.id)
    received = ReceivedPayment(payment_id, Money(transaction.amount, transaction.currency))
    if not record_payment(session, transaction, received):
        message = "This reference has confirmed another transaction. Check the bank statement."
        raise DomainError(ErrorCode.ALREADY_EXISTS, message, REFERENCE)
    return transaction.id


def _validated(external_reference: str | None) -> str | None:
    if external_reference is None or is_blank(external_reference):
        return None
    validator = Validator()
    text = validator.single_line("external_reference", external_reference, max_length=MAX_REFERENCE_LENGTH)
    validator.raise_errors()
    return text


def _payments_of(session: Session, transaction: Transaction) -> set[str]:
    is_payment = Payment.transaction_id == transaction.id
    return set(session.scalars(select(Payment.gateway_payment_id).where(is_payment)))


def _invalid_transition(message: str) -> DomainError:
    return DomainError(ErrorCode.INVALID_TRANSITION, message, TRANSACTION)
