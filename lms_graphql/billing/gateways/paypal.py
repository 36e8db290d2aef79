"""PayPal: orders that buyers approve on its pages, captures, refunds and webhooks. Needs the extra `paypal`."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from urllib.parse import quote, urlsplit

import orjson

from lms_graphql.billing.gateways.interface import (
    Checkout,
    CheckoutRequest,
    Event,
    EventKind,
    GatewayRejectedError,
    InvalidWebhookError,
    RefundRequest,
    RefundResult,
)
from lms_graphql.billing.gateways.paypal_amounts import to_paypal_amount
from lms_graphql.billing.gateways.paypal_client import PayPalAccount, PayPalOperation, PayPalRejectedError
from lms_graphql.billing.gateways.paypal_events import captured_events, events_of, refund_result
from lms_graphql.billing.models import PaymentMethod
from lms_graphql.settings import Settings

ORDERS_PATH = "/v2/checkout/orders"
CAPTURES_PATH = "/v2/payments/captures"
VERIFICATION_PATH = "/v1/notifications/verify-webhook-signature"
APPROVAL_LINKS = {"approve", "payer-action"}
MAX_TEXT_LENGTH = 127
MAX_WEBHOOK_AGE = timedelta(days=4)
"""PayPal repeats a webhook for three days."""
DECLINES = {
    "CARD_EXPIRED",
    "INSTRUMENT_DECLINED",
    "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED",
    "PAYER_ACCOUNT_LOCKED_OR_CLOSED",
    "PAYER_ACCOUNT_RESTRICTED",
    "PAYER_CANNOT_PAY",
    "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING",
    "TRANSACTION_REFUSED",
}
"""Issues of a capture after which the buyer must start again, with another source of money."""
SIGNATURE_HEADERS = {
    "auth_algo": "paypal-auth-algo",
    "cert_url": "paypal-cert-url",
    "transmission_id": "paypal-transmission-id",
    "transmission_sig": "paypal-transmission-sig",
    "transmission_time": "paypal-transmission-time",
}


class PayPalGateway:
    """Adapter of PayPal. A payment is a capture of an approved order, which only `fetch_checkout` makes."""

    method = PaymentMethod.PAYPAL

    def __init__(self, account: PayPalAccount, webhook_id: str, site_name: str) -> None:
        self._account = account
        self._webhook_id = webhook_id
        self._site_name = site_name

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        body = self._order(request)
        with self._account.operation() as paypal:
            order = paypal.post(ORDERS_PATH, body, request.reference)
        links = [link["href"] for link in order.get("links", []) if link["rel"] in APPROVAL_LINKS]
        return Checkout(order["id"], links[0] if links else None)

    def expire_checkout(self, checkout_id: str) -> None:
        """Raise GatewayRejectedError if the order is paid. Else it remains unpaid, if it is not fetched any more."""
        try:
            with self._account.operation() as paypal:
                order = paypal.get(_order_path(checkout_id))
        except PayPalRejectedError:  # PayPal has deleted it
            return
        if order["status"] == "COMPLETED":
            raise GatewayRejectedError("PayPal has received the payment of this order.")

    def fetch_checkout(self, checkout_id: str) -> Sequence[Event]:
        with self._account.operation() as paypal:
            order = paypal.get(_order_path(checkout_id))
            if order["status"] == "APPROVED":
                return _capture(paypal, checkout_id)
        return [_failure(checkout_id)] if order["status"] == "VOIDED" else captured_events(order)

    def refund(self, request: RefundRequest) -> RefundResult:
        body = orjson.dumps({"amount": to_paypal_amount(request.amount), "custom_id": request.reference})
        path = f"{CAPTURES_PATH}/{quote(request.payment_id, safe='')}/refund"
        with self._account.operation() as paypal:
            return refund_result(paypal.post(path, body, request.reference))

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Event]:
        """Return the events. PayPal is asked whether the webhook is its own, so this can be unavailable."""
        signature = {name: headers.get(header, "") for name, header in SIGNATURE_HEADERS.items()}
        _require_plausible_signature(signature, now)
        try:
            event = orjson.loads(body)
            self._verify(signature, body)
            return events_of(event)
        except PayPalRejectedError as error:
            raise InvalidWebhookError(str(error)) from None
        except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
            raise InvalidWebhookError(f"{type(error).__name__}: the webhook is not as PayPal's are.") from None

    def _verify(self, signature: Mapping[str, str], body: bytes) -> None:
        """Raise InvalidWebhookError if PayPal does not know the webhook. The body must be JSON.

        The signature is that of these bytes. Another serialization of the same JSON would not match it.
        """
        start = orjson.dumps({**signature, "webhook_id": self._webhook_id})[:-1] + b',"webhook_event":'
        with self._account.operation() as paypal:
            result = paypal.post(VERIFICATION_PATH, start + body + b"}")
        if result.get("verification_status") != "SUCCESS":
            raise InvalidWebhookError("PayPal says that this webhook is not its own.")

    def _order(self, request: CheckoutRequest) -> bytes:
        unit = {
            "custom_id": request.reference,
            "invoice_id": request.reference,  # PayPal accepts one payment for it
            "description": request.description[:MAX_TEXT_LENGTH],
            "amount": to_paypal_amount(request.amount),
        }
        experience = {
            "brand_name": self._site_name,
            "shipping_preference": "NO_SHIPPING",
            "user_action": "PAY_NOW",
            "return_url": request.return_url,
            "cancel_url": request.return_url,
        }
        source = {"paypal": {"experience_context": experience}}
        return orjson.dumps({"intent": "CAPTURE", "purchase_units": [unit], "payment_source": source})


def create(settings: Settings) -> PayPalGateway:
    assert settings.paypal_client_id is not None, "the settings require it"
    assert settings.paypal_client_secret is not None
    assert settings.paypal_webhook_id is not None
    account = _account(settings.paypal_client_id, settings.paypal_client_secret, settings.paypal_api_url)
    return PayPalGateway(account, settings.paypal_webhook_id, settings.site_name)


@cache
def _account(client_id: str, client_secret: str, api_url: str) -> PayPalAccount:
    """Return the account. All adapters of a process share it, because it has the access token."""
    return PayPalAccount(client_id, client_secret, api_url)


def _capture(paypal: PayPalOperation, order_id: str) -> Sequence[Event]:
    """Capture an approved order. Return the payment, or that it was declined."""
    path = _order_path(order_id)
    try:
        order = paypal.post(f"{path}/capture", b"{}", f"{order_id}-capture")
    except PayPalRejectedError as error:
        if error.issues & DECLINES:
            return [_failure(order_id)]
        if "ORDER_ALREADY_CAPTURED" not in error.issues:
            raise
        order = paypal.get(path)
    return captured_events(order)


def _order_path(order_id: str) -> str:
    return f"{ORDERS_PATH}/{quote(order_id, safe='')}"


def _failure(order_id: str) -> Event:
    return Event(f"{order_id}:failed", EventKind.PAYMENT_FAILED, checkout_id=order_id)


def _require_plausible_signature(signature: Mapping[str, str], now: datetime) -> None:
    """Raise InvalidWebhookError if the headers alone show that the webhook is not PayPal's, or too old."""
    if not all(signature.values()):
        raise InvalidWebhookError("A header of the signature is missing.")
    certificate = urlsplit(signature["cert_url"])
    if certificate.scheme != "https" or not (certificate.hostname or "").endswith(".paypal.com"):
        raise InvalidWebhookError("The certificate is not PayPal's.")
    try:
        age = now - datetime.fromisoformat(signature["transmission_time"])
    except (TypeError, ValueError):
        raise InvalidWebhookError("The time of the transmission is not a time.") from None
    if abs(age) > MAX_WEBHOOK_AGE:
        raise InvalidWebhookError("The webhook is too old.")
