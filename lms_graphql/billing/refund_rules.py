"""Rules of refunds: which transactions can be refunded, how much of them, and what learners may do themselves."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from lms_graphql.billing.models import TransactionStatus
from lms_graphql.billing.transitions import SUCCESSFUL, UNPAID
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.money import AmountError, Money, to_units
from lms_graphql.core.validation import Validator

TRANSACTION, AMOUNT = "transaction_id", "amount"


class LearnerFacts(NamedTuple):
    """Facts that decide whether a learner may refund a payment. `percent` is the progress in the course."""

    completed_at: datetime
    percent: Decimal
    has_certificate: bool
    has_refunded_before: bool


def validate_amount(validator: Validator, amount: Decimal | None, currency: str) -> int | None:
    """Return the amount in smallest units; None for all that is left. Collect OUT_OF_RANGE if it is no amount."""
    if amount is None:
        return None
    try:
        units = to_units(amount, currency)
    except AmountError as error:
        validator.add_error(ErrorCode.OUT_OF_RANGE, str(error), AMOUNT, limit=error.limit)
        return 0
    if units <= 0:
        message = "Refund an amount above 0. Leave it out to refund all that is left."
        validator.add_error(ErrorCode.OUT_OF_RANGE, message, AMOUNT, limit=Money(1, currency).amount)
    return units


def require_refundable(status: TransactionStatus, amount: int, *, is_disputed: bool) -> None:
    """Raise NOT_REFUNDABLE for a transaction that was not paid, is refunded already, or is in dispute."""
    if status in UNPAID or status is TransactionStatus.PENDING:
        raise not_refundable("This transaction was not paid, so nothing can be refunded.")
    if status not in SUCCESSFUL:
        raise not_refundable("This transaction is refunded already.")
    if amount == 0:
        raise not_refundable("Nothing was paid for this course, so nothing can be refunded. Cancel the enrollment.")
    if is_disputed:
        raise not_refundable("The buyer disputes this payment. Wait until the dispute is decided.")


def amount_to_refund(units: int | None, left: Money) -> int:
    """Return the amount to refund in smallest units. `left` is what is neither refunded nor being refunded.

    Raise OUT_OF_RANGE for more than what is left, or NOT_REFUNDABLE if all that is left is asked for and it is 0.
    """
    if units is not None and units > left.units:
        message = f"At most {left} can be refunded. Choose a smaller amount."
        raise DomainError(ErrorCode.OUT_OF_RANGE, message, (AMOUNT,), limit=left.amount)
    if left.units == 0:
        raise not_refundable("The rest of this payment is being refunded already. Wait until that is done.")
    return left.units if units is None else units


def require_learner_may_refund(
    facts: LearnerFacts, units: int, left: int, now: datetime, *, days: int, max_progress: int
) -> None:
    """Raise NOT_REFUNDABLE if a learner may not refund this amount. Only super admins may refund then."""
    if now > facts.completed_at + timedelta(days=days):
        raise not_refundable(f"Refunds are possible within {days} days after the payment. Contact support.")
    if facts.has_refunded_before:
        raise not_refundable("A course is refunded only once. Contact support.")
    if facts.has_certificate:
        raise not_refundable("A course with a certificate is not refunded. Contact support.")
    if facts.percent >= max_progress:
        message = f"Refunds are possible below {max_progress} % progress, not at {facts.percent} %. Contact support."
        raise not_refundable(message)
    if units < left:
        raise not_refundable("You can only refund all of a payment. Leave out the amount.", AMOUNT)


def not_refundable(message: str, path: str = TRANSACTION) -> DomainError:
    return DomainError(ErrorCode.NOT_REFUNDABLE, message, (path,))
