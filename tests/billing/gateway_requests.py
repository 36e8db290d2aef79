"""Requests to an adapter of a payment gateway: a checkout and a refund of 19.99 USD by default."""

from datetime import UTC, datetime, timedelta
from typing import Any

from lms_graphql.billing.gateways.interface import CheckoutRequest, RefundRequest
from lms_graphql.core.money import Money

PRICE = Money(1999, "USD")
REFERENCE, REFUND_REFERENCE = "T-7KXM-3CDF-9QRT", "R-7KXM-3CDF-9QRT"


def checkout_request(amount: Money = PRICE, **changes: Any) -> CheckoutRequest:
    values: dict[str, Any] = {
        "reference": REFERENCE,
        "description": "Course: " + "x" * 300,
        "customer_email": "jane@canary.example",
        "return_url": "https://learn.example.com/purchases/1",
        "expires_at": datetime.now(UTC) + timedelta(hours=24),
    }
    return CheckoutRequest(amount=amount, **values | changes)


def refund_request(payment_id: str, units: int = PRICE.units, reference: str = REFUND_REFERENCE) -> RefundRequest:
    return RefundRequest(reference, payment_id, Money(units, "USD"), "I am not satisfied.")
