"""Stripe: checkouts on Stripe's own pages, refunds and webhooks, by its SDK. Needs the extra `stripe`."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from typing import Any

import orjson
import stripe
from stripe.params.checkout import SessionCreateParams

from lms_graphql.billing.gateways.interface import (
    Checkout,
    CheckoutRequest,
    Event,
    GatewayRejectedError,
    GatewayUnavailableError,
    InvalidWebhookError,
    RefundRequest,
    RefundResult,
)
from lms_graphql.billing.gateways.stripe_amounts import to_stripe_units
from lms_graphql.billing.gateways.stripe_events import REFUND_REFERENCE, checkout_events, events_of, refund_result
from lms_graphql.billing.gateways.time_budget import TOTAL_SECONDS, TimeBudget
from lms_graphql.billing.models import PaymentMethod
from lms_graphql.core import tracing
from lms_graphql.settings import Settings

SIGNATURE_HEADER = "stripe-signature"
WEBHOOK_TOLERANCE_SECONDS = 300
EXPIRY_MARGIN = timedelta(minutes=5)
"""Stripe rejects a checkout that is open for more than 24 hours by its own clock."""
MAX_NAME_LENGTH = 250


class StripeGateway:
    """Adapter of Stripe. Amounts below Stripe's minimum, which depends on the account, are rejected there."""

    method = PaymentMethod.STRIPE

    def __init__(self, secret_key: str, webhook_secret: str, api_url: str, seconds: float = TOTAL_SECONDS) -> None:
        self._secret_key = secret_key
        self._webhook_secret = webhook_secret
        self._api_url = api_url
        self._seconds = seconds

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        params = _checkout_params(request)
        with self._client() as client:
            session = client.v1.checkout.sessions.create(params, {"idempotency_key": request.reference})
        return Checkout(session.id, session.url)

    def expire_checkout(self, checkout_id: str) -> None:
        with self._client() as client:
            try:
                client.v1.checkout.sessions.expire(checkout_id)
            except stripe.InvalidRequestError:  # it is not open any more
                if client.v1.checkout.sessions.retrieve(checkout_id).status != "expired":
                    raise

    def fetch_checkout(self, checkout_id: str) -> Sequence[Event]:
        with self._client() as client:
            session = client.v1.checkout.sessions.retrieve(checkout_id, {"expand": ["payment_intent"]})
        return checkout_events(session.to_dict())

    def refund(self, request: RefundRequest) -> RefundResult:
        """Return money once. Stripe forgets idempotency keys after a day, so that its list of refunds decides."""
        amount = to_stripe_units(request.amount)
        metadata = {REFUND_REFERENCE: request.reference}
        with self._client() as client:
            refunds = client.v1.refunds.list({"payment_intent": request.payment_id, "limit": 100})
            for made in (refund.to_dict() for refund in refunds.data):
                if (made["metadata"] or {}).get(REFUND_REFERENCE) == request.reference:
                    return refund_result(made)
            refund = client.v1.refunds.create(
                {"payment_intent": request.payment_id, "amount": amount, "metadata": metadata},
                {"idempotency_key": request.reference},
            )
        return refund_result(refund.to_dict())

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Event]:
        """Return the events. The SDK checks the signature, and its time by the clock of the system."""
        try:
            stripe.WebhookSignature.verify_header(
                body, headers.get(SIGNATURE_HEADER), self._webhook_secret, WEBHOOK_TOLERANCE_SECONDS
            )
            return events_of(orjson.loads(body))
        except (stripe.SignatureVerificationError, KeyError, TypeError, ValueError) as error:
            raise InvalidWebhookError(f"{type(error).__name__}: the webhook is not as Stripe's are.") from None

    @contextmanager
    def _client(self) -> Iterator[stripe.StripeClient]:
        """Yield a client for one operation, and translate its errors."""
        client = stripe.StripeClient(
            self._secret_key,
            base_addresses={"api": self._api_url},
            max_network_retries=0,  # because the SDK counts attempts and not seconds
            http_client=_BudgetedHttpClient(TimeBudget(self._seconds)),
        )
        try:
            yield client
        except (stripe.CardError, stripe.InvalidRequestError) as error:
            raise GatewayRejectedError(_summary(error)) from None
        except stripe.StripeError as error:  # also a wrong key: it must not make refunds fail for ever
            raise GatewayUnavailableError(_summary(error)) from None


def create(settings: Settings) -> StripeGateway:
    assert settings.stripe_secret_key is not None, "the settings require it"
    assert settings.stripe_webhook_secret is not None
    return StripeGateway(settings.stripe_secret_key, settings.stripe_webhook_secret, settings.stripe_api_url)


class _BudgetedHttpClient(stripe.RequestsClient):
    """The SDK's own HTTP client, with the time that is left as the timeout of each call."""

    def __init__(self, budget: TimeBudget) -> None:
        super().__init__()
        self._budget = budget

    def request(  # type: ignore[override] # as the class of the SDK
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        with tracing.call_span(method.upper(), url) as span, closing(self._http_client()) as client:
            response = client.request(method, url, headers, post_data)
            span.set({"http.response.status_code": response[1]})
            return response

    def _http_client(self) -> stripe.RequestsClient:
        return stripe.RequestsClient(timeout=self._budget.timeouts())


def _checkout_params(request: CheckoutRequest) -> SessionCreateParams:
    """Return the parameters. They depend on the request only, because Stripe compares those of repeated calls."""
    params: SessionCreateParams = {
        "mode": "payment",
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": request.amount.currency.lower(),
                    "unit_amount": to_stripe_units(request.amount),
                    "product_data": {"name": request.description[:MAX_NAME_LENGTH]},
                },
            }
        ],
        "client_reference_id": request.reference,
        "metadata": {"reference": request.reference},
        "payment_intent_data": {"metadata": {"reference": request.reference}},
        "success_url": request.return_url,
        "cancel_url": request.return_url,
        "expires_at": int((request.expires_at - EXPIRY_MARGIN).timestamp()),
        "adaptive_pricing": {"enabled": False},  # or the buyer pays in another currency than that of the price
    }
    if request.customer_email.isascii():  # Stripe rejects others
        params["customer_email"] = request.customer_email
    return params


def _summary(error: stripe.StripeError) -> str:
    """Return what the log may show. Stripe's own message can hold parts of keys and e-mail addresses."""
    parts = [
        type(error).__name__,
        str(error.http_status or ""),
        error.code or "",
        getattr(error, "param", None) or "",
    ]
    parts.append(error.request_id or "")
    return " ".join(part for part in parts if part)
