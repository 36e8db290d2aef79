"""Rules of purchases: what is checked before one starts, how long it is open, and what a payment is used for."""

from datetime import datetime, timedelta
from decimal import Decimal

from lms_graphql.billing.models import PaymentMethod, PaymentOutcome, TransactionStatus
from lms_graphql.billing.transitions import UNPAID
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.money import AmountError, Money, to_units

METHOD, PRICE = ("payment_method",), ("expected_price",)
OPEN_HOURS = 24
BANK_TRANSFER_DAYS = 14
PROMISED_DAYS = 21
"""Days in which a promised payment arrives. Bank debits take up to 14 business days."""
MAX_UNPAID, UNPAID_HOURS = 50, 24
"""Purchases without a payment that a buyer may start within these hours. Each opens a checkout or sends a mail."""


def expiry(method: PaymentMethod, started_at: datetime) -> datetime:
    """Return when a purchase that is still pending is cancelled."""
    is_transfer = method is PaymentMethod.BANK_TRANSFER
    return started_at + (timedelta(days=BANK_TRANSFER_DAYS) if is_transfer else timedelta(hours=OPEN_HOURS))


def require_method_and_price(price: Money, method: PaymentMethod, *, is_enabled: bool, expected: Decimal) -> None:
    """Raise the error of a method that does not fit the price or is not enabled, or of another expected price."""
    is_free_method = method is PaymentMethod.FREE
    if price.units == 0 and not is_free_method:
        raise DomainError(ErrorCode.INVALID, "This course is free. Use the payment method FREE.", METHOD)
    if price.units > 0 and is_free_method:
        message = "This course has a price. Choose a payment method other than FREE."
        raise DomainError(ErrorCode.PAYMENT_REQUIRED, message, METHOD)
    if not is_enabled:
        message = "This payment method is not available here. Choose another one."
        raise DomainError(ErrorCode.FEATURE_DISABLED, message, METHOD)
    if expected != price.amount:
        message = f"The price is now {price.amount} {price.currency}. Show it to the buyer, then send it again."
        raise DomainError(ErrorCode.PRICE_CHANGED, message, PRICE)


def require_below_unpaid_limit(count: int) -> None:
    """Raise LIMIT_REACHED if a buyer has started too many purchases without paying for them."""
    if count >= MAX_UNPAID:
        message = f"You have started {count} purchases within {UNPAID_HOURS} hours without paying. Pay one of them."
        raise DomainError(ErrorCode.LIMIT_REACHED, message, limit=MAX_UNPAID)


def require_possible_price(expected: Decimal, currency: str) -> None:
    """Raise OUT_OF_RANGE for an amount that cannot be a price in this currency."""
    try:
        units = to_units(expected, currency)
    except AmountError as error:
        raise DomainError(ErrorCode.OUT_OF_RANGE, str(error), PRICE, limit=error.limit) from None
    if units < 0:
        message = "A price cannot be negative. Send the price that the buyer saw."
        raise DomainError(ErrorCode.OUT_OF_RANGE, message, PRICE, limit=0)


def payment_outcome(
    payment: Money, price: Money, status: TransactionStatus, *, has_paid_before: bool, may_get_access: bool
) -> PaymentOutcome:
    """Return what a payment for a transaction of this price and status is used for.

    `has_paid_before` says whether the buyer has paid for the course with another transaction, and `may_get_access`
    whether this payment can give access.
    """
    if payment != price:
        return PaymentOutcome.MISMATCH
    if status in UNPAID or (status is TransactionStatus.PENDING and not may_get_access):
        return PaymentOutcome.LATE
    if status is not TransactionStatus.PENDING or has_paid_before:
        return PaymentOutcome.DUPLICATE
    return PaymentOutcome.BOOKED
