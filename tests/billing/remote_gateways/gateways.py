"""Stripe and PayPal as buyers and banks use them, in place of which there are doubles."""

from typing import NamedTuple, Protocol

from lms_graphql.billing.models import PaymentMethod
from tests.billing.doubles import paypal_double, stripe_double
from tests.billing.doubles.http_double import HttpDouble
from tests.billing.doubles.paypal_double import PayPalDouble
from tests.billing.doubles.stripe_double import StripeDouble

Webhook = tuple[dict[str, str], bytes]
"""Headers and body."""


class Doubles(NamedTuple):
    stripe: StripeDouble
    paypal: PayPalDouble


def accounts(doubles: Doubles) -> dict[str, str]:
    """Return the settings of the accounts at the doubles."""
    return {
        "stripe_secret_key": stripe_double.SECRET_KEY,
        "stripe_webhook_secret": stripe_double.WEBHOOK_SECRET,
        "stripe_api_url": doubles.stripe.url,
        "paypal_client_id": paypal_double.CLIENT_ID,
        "paypal_client_secret": paypal_double.CLIENT_SECRET,
        "paypal_webhook_id": paypal_double.WEBHOOK_ID,
        "paypal_api_url": doubles.paypal.url,
    }


class RemoteGateway(Protocol):
    """A gateway as buyers and banks use it. Each method returns the webhook that the gateway sends for it."""

    @property
    def method(self) -> PaymentMethod: ...
    @property
    def double(self) -> HttpDouble: ...
    def pay(self, checkout_id: str) -> Webhook: ...
    def pay_silently(self, checkout_id: str) -> None:
        """Receive a payment of which the service does not know."""

    def promise(self, checkout_id: str) -> Webhook:
        """Complete the checkout with a payment that takes days."""

    def keep_promise(self, checkout_id: str) -> Webhook: ...
    def decline(self, checkout_id: str) -> Webhook: ...
    def end_refund(self, *, succeeds: bool) -> Webhook:
        """End the latest refund, which was pending."""

    def open_dispute(self) -> Webhook:
        """Dispute the latest payment."""

    def lose_dispute(self) -> Webhook: ...
    def win_dispute(self) -> Webhook: ...
    def refunded(self) -> list[str]:
        """Return the amounts of all refunds of the latest payment, as the gateway writes them."""

    def payment_count(self, checkout_id: str) -> int:
        """Return how often the gateway has taken the buyer's money for this checkout."""

    def checkout_state(self, checkout_id: str) -> str: ...
    def return_url(self, checkout_id: str) -> str: ...
    def make_refunds_pending(self) -> None: ...


class Stripe:
    method = PaymentMethod.STRIPE

    def __init__(self, double: StripeDouble) -> None:
        self.double = double
        self._disputes = 0
        double.refund_status = "succeeded"

    def pay(self, checkout_id: str) -> Webhook:
        return stripe_double.signed(self.double.pay(checkout_id))

    def pay_silently(self, checkout_id: str) -> None:
        self.double.pay(checkout_id)

    def promise(self, checkout_id: str) -> Webhook:
        return stripe_double.signed(self.double.promise(checkout_id))

    def keep_promise(self, checkout_id: str) -> Webhook:
        return stripe_double.signed(self.double.pay(checkout_id, "checkout.session.async_payment_succeeded"))

    def decline(self, checkout_id: str) -> Webhook:
        return stripe_double.signed(self.double.expire(checkout_id))

    def end_refund(self, *, succeeds: bool) -> Webhook:
        status, kind = ("succeeded", "refund.updated") if succeeds else ("failed", "refund.failed")
        return stripe_double.signed(self.double.refund_event([*self.double.refunds][-1], status, kind))

    def open_dispute(self) -> Webhook:
        self._disputes += 1
        return self._dispute("needs_response", "charge.dispute.created")

    def lose_dispute(self) -> Webhook:
        return self._dispute("lost", "charge.dispute.closed")

    def win_dispute(self) -> Webhook:
        return self._dispute("won", "charge.dispute.closed")

    def refunded(self) -> list[str]:
        payment = [*self.double.intents][-1]
        return [str(item["amount"]) for item in self.double.refunds.values() if item["payment_intent"] == payment]

    def payment_count(self, checkout_id: str) -> int:
        return int(self.double.sessions[checkout_id]["payment_status"] == "paid")

    def checkout_state(self, checkout_id: str) -> str:
        return str(self.double.sessions[checkout_id]["status"])

    def return_url(self, checkout_id: str) -> str:
        return str(self.double.sessions[checkout_id]["success_url"])

    def make_refunds_pending(self) -> None:
        self.double.refund_status = "pending"

    def _dispute(self, status: str, kind: str) -> Webhook:
        payment = [*self.double.intents][-1]
        return stripe_double.signed(self.double.dispute(payment, status, kind, self._disputes))


class PayPal:
    method = PaymentMethod.PAYPAL

    def __init__(self, double: PayPalDouble) -> None:
        self.double = double
        self._disputes = 0
        double.refund_status, double.capture_issue = "COMPLETED", None
        double.capture_status = "COMPLETED"

    def pay(self, checkout_id: str) -> Webhook:
        return paypal_double.signed(self.double.approve(checkout_id))

    def pay_silently(self, checkout_id: str) -> None:
        self.double.approve(checkout_id)
        self.double.capture(checkout_id)

    def promise(self, checkout_id: str) -> Webhook:
        self.double.capture_status = "PENDING"
        return self.pay(checkout_id)

    def keep_promise(self, checkout_id: str) -> Webhook:
        return paypal_double.signed(self.double.capture_event([*self.double.captures][-1]))

    def decline(self, checkout_id: str) -> Webhook:
        self.double.capture_issue = "INSTRUMENT_DECLINED"
        return self.pay(checkout_id)

    def end_refund(self, *, succeeds: bool) -> Webhook:
        status, kind = ("COMPLETED", "CAPTURE.REFUNDED") if succeeds else ("FAILED", "REFUND.FAILED")
        return paypal_double.signed(self.double.refund_event([*self.double.refunds][-1], status, f"PAYMENT.{kind}"))

    def open_dispute(self) -> Webhook:
        self._disputes += 1
        return self._dispute(None)

    def lose_dispute(self) -> Webhook:
        return self._dispute("RESOLVED_BUYER_FAVOUR")

    def win_dispute(self) -> Webhook:
        return self._dispute("RESOLVED_SELLER_FAVOUR")

    def refunded(self) -> list[str]:
        capture = [*self.double.captures][-1]
        refunds = self.double.refunds.values()
        return [item["amount"]["value"] for item in refunds if item["links"][0]["href"].endswith(capture)]

    def payment_count(self, checkout_id: str) -> int:
        orders = [item["supplementary_data"]["related_ids"]["order_id"] for item in self.double.captures.values()]
        return orders.count(checkout_id)

    def checkout_state(self, checkout_id: str) -> str:
        return str(self.double.orders[checkout_id]["status"])

    def return_url(self, checkout_id: str) -> str:
        source = self.double.orders[checkout_id]["payment_source"]
        return str(source["paypal"]["experience_context"]["return_url"])

    def make_refunds_pending(self) -> None:
        self.double.refund_status = "PENDING"

    def _dispute(self, outcome: str | None) -> Webhook:
        capture = [*self.double.captures][-1]
        return paypal_double.signed(self.double.dispute(capture, outcome, number=self._disputes))
