"""The adapters of Stripe and PayPal, each with a double of the gateway, for tests that both must pass."""

from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Protocol

from lms_graphql.billing.gateways.interface import CheckoutRequest, Event, Gateway
from lms_graphql.billing.gateways.paypal import PayPalGateway
from lms_graphql.billing.gateways.paypal_client import PayPalAccount
from lms_graphql.billing.gateways.stripe import StripeGateway
from tests.billing.doubles import paypal_double, stripe_double
from tests.billing.doubles.http_double import HttpDouble
from tests.billing.doubles.paypal_double import PayPalDouble
from tests.billing.doubles.stripe_double import StripeDouble
from tests.billing.gateway_requests import checkout_request

SITE_NAME = "Learn with Roko"


class Adapter(Protocol):
    """An adapter. `checkout_path` and `refund_path` end the paths of the calls that change something."""

    name: str
    checkout_path: str
    refund_path: str

    @property
    def double(self) -> HttpDouble: ...
    @property
    def gateway(self) -> Gateway: ...
    def create(self, seconds: float) -> Gateway:
        """Return an adapter whose operations take at most this long."""

    def read(self, event: dict[str, Any]) -> list[Event]:
        """Return the events of a webhook."""

    def pay(self, request: CheckoutRequest | None = None) -> str:
        """Open a checkout, by default a new one, and pay it. Return the id of the payment."""

    def checkout_count(self) -> int: ...
    def refund_ids(self) -> list[str]: ...
    def make_refunds_pending(self) -> None: ...
    def refund_event(self, refund_id: str, status: str, kind: str) -> dict[str, Any]: ...
    def dispute(self, payment_id: str, number: int, *state: str | None) -> tuple[dict[str, Any], str]:
        """Return the event of a dispute in a state, and the id of the dispute."""

    def let_a_day_pass(self) -> None:
        """Let the gateway forget the idempotency keys that it forgets after a day."""


class StripeAdapter:
    """Stripe. The state of a dispute is its status, the kind of the event and the type of the case."""

    name, checkout_path, refund_path = "stripe", "/v1/checkout/sessions", "/v1/refunds"

    def __init__(self) -> None:
        self.double = StripeDouble()

    @cached_property
    def gateway(self) -> StripeGateway:
        return StripeGateway(stripe_double.SECRET_KEY, stripe_double.WEBHOOK_SECRET, self.double.url)

    def create(self, seconds: float) -> StripeGateway:
        return StripeGateway(stripe_double.SECRET_KEY, stripe_double.WEBHOOK_SECRET, self.double.url, seconds)

    def read(self, event: dict[str, Any]) -> list[Event]:
        return list(self.gateway.read_webhook(*stripe_double.signed(event), datetime.now(UTC)))

    def pay(self, request: CheckoutRequest | None = None) -> str:
        checkout = self.gateway.create_checkout(request or checkout_request())
        return str(self.double.pay(checkout.id)["data"]["object"]["payment_intent"])

    def checkout_count(self) -> int:
        return len(self.double.sessions)

    def refund_ids(self) -> list[str]:
        return list(self.double.refunds)

    def make_refunds_pending(self) -> None:
        self.double.refund_status = "pending"

    def refund_event(self, refund_id: str, status: str, kind: str) -> dict[str, Any]:
        return self.double.refund_event(refund_id, status, kind)

    def dispute(self, payment_id: str, number: int, *state: str | None) -> tuple[dict[str, Any], str]:
        status, kind, case = state
        sent = self.double.dispute(payment_id, status or "", f"charge.dispute.{kind}", number, case_type=case or "")
        dispute = sent["data"]["object"]
        dispute["amount"] = "is not read"
        return sent, dispute["id"]

    def let_a_day_pass(self) -> None:
        self.double.forget_idempotency_keys()


class PayPalAdapter:
    """PayPal. The state of a dispute is the kind of the event, its outcome and its stage."""

    name, checkout_path, refund_path = "paypal", "/v2/checkout/orders", "/refund"

    def __init__(self) -> None:
        self.double = PayPalDouble()

    @cached_property
    def gateway(self) -> PayPalGateway:
        return PayPalGateway(self.account(), paypal_double.WEBHOOK_ID, SITE_NAME)

    def create(self, seconds: float) -> PayPalGateway:
        return PayPalGateway(self.account(seconds=seconds), paypal_double.WEBHOOK_ID, SITE_NAME)

    def account(self, secret: str = paypal_double.CLIENT_SECRET, **options: Any) -> PayPalAccount:
        return PayPalAccount(paypal_double.CLIENT_ID, secret, self.double.url, **options)

    def read(self, event: dict[str, Any]) -> list[Event]:
        return list(self.gateway.read_webhook(*paypal_double.signed(event), datetime.now(UTC)))

    def pay(self, request: CheckoutRequest | None = None) -> str:
        return self.receive_payment(request).payment_id or ""

    def receive_payment(self, request: CheckoutRequest | None = None) -> Event:
        """Open a checkout, pay it, and return the event of the payment, which is captured."""
        checkout = self.gateway.create_checkout(request or checkout_request())
        self.double.approve(checkout.id)
        (event,) = self.gateway.fetch_checkout(checkout.id)
        return event

    def checkout_count(self) -> int:
        return len(self.double.orders)

    def refund_ids(self) -> list[str]:
        return list(self.double.refunds)

    def make_refunds_pending(self) -> None:
        self.double.refund_status = "PENDING"

    def refund_event(self, refund_id: str, status: str, kind: str) -> dict[str, Any]:
        return self.double.refund_event(refund_id, status, kind)

    def dispute(self, payment_id: str, number: int, *state: str | None) -> tuple[dict[str, Any], str]:
        kind, outcome, stage = state
        sent = self.double.dispute(payment_id, outcome, stage or "", number, kind or "")
        dispute = sent["resource"]
        dispute["dispute_amount"] = "is not read"
        return sent, dispute["dispute_id"]

    def let_a_day_pass(self) -> None:
        """Forget nothing: PayPal stores the keys for 45 days."""
