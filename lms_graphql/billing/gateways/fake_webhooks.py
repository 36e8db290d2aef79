"""Webhooks of the fake gateway: events as JSON, signed over the raw body and the time."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from lms_graphql.billing.gateways.interface import DISPUTE_KINDS, Event, EventKind, InvalidWebhookError, RefundResult
from lms_graphql.billing.models import RefundStatus
from lms_graphql.core.money import DECIMALS, Money
from lms_graphql.core.signing import Signer

SIGNATURE_HEADER = "fake-signature"
"""Header `t=<seconds since 1970>,v1=<hex digits>`, in the manner of Stripe."""
REPLAY_WINDOW = timedelta(minutes=5)
"""How old a webhook may be, and how far ahead the sender's clock."""


def secret_of(signer: Signer) -> bytes:
    return signer.digest("webhooks of the fake gateway").encode()


def write(event: Event) -> bytes:
    """Return the body of the webhook of an event."""
    amount, refund = event.amount, event.refund
    return orjson.dumps(
        {
            "id": event.id,
            "kind": event.kind.value,
            "reference": event.reference,
            "checkoutId": event.checkout_id,
            "paymentId": event.payment_id,
            "amount": None if amount is None else {"units": amount.units, "currency": amount.currency},
            "refundReference": event.refund_reference,
            "refund": None if refund is None else {"status": refund.status.value, "id": refund.gateway_refund_id},
            "disputeId": event.dispute_id,
        }
    )


def signature(secret: bytes, body: bytes, now: datetime) -> str:
    """Return the value of the header for a body that is sent now."""
    seconds = int(now.timestamp())
    return f"t={seconds},v1={_digest(secret, str(seconds), body)}"


def read(secret: bytes, headers: Mapping[str, str], body: bytes, now: datetime) -> Event:
    """Return the event. Raise InvalidWebhookError for a wrong signature, an old webhook or a malformed event."""
    _require_signature(secret, headers.get(SIGNATURE_HEADER, ""), body, now)
    try:
        return _event(orjson.loads(body))
    except (KeyError, TypeError, ValueError):
        raise InvalidWebhookError("The event is malformed.") from None


def _require_signature(secret: bytes, header: str, body: bytes, now: datetime) -> None:
    parts = dict(part.strip().partition("=")[::2] for part in header.split(","))
    seconds, digest = parts.get("t", ""), parts.get("v1", "")
    if not hmac.compare_digest(_digest(secret, seconds, body).encode(), digest.encode()):
        raise InvalidWebhookError("The signature is missing or wrong.")
    if abs(now.timestamp() - int(seconds)) > REPLAY_WINDOW.total_seconds():
        raise InvalidWebhookError("The webhook is too old.")


def _digest(secret: bytes, seconds: str, body: bytes) -> str:
    return hmac.new(secret, seconds.encode() + b"." + body, hashlib.sha256).hexdigest()


def _event(values: Mapping[str, Any]) -> Event:
    refund, kind = values["refund"], EventKind(values["kind"])
    is_payment = kind is EventKind.PAYMENT_RECEIVED
    if is_payment and values["paymentId"] is None:
        raise ValueError("A payment needs its id.")
    if kind in DISPUTE_KINDS and not (values["disputeId"] and values["paymentId"]):
        raise ValueError("A dispute needs its id and that of its payment.")
    return Event(
        id=str(values["id"]),
        kind=kind,
        reference=values["reference"],
        checkout_id=values["checkoutId"],
        payment_id=values["paymentId"],
        amount=_money(values["amount"]) if is_payment else None,
        refund_reference=values["refundReference"],
        refund=None if refund is None else RefundResult(RefundStatus(refund["status"]), str(refund["id"])),
        dispute_id=values["disputeId"],
    )


def _money(amount: Mapping[str, Any]) -> Money:
    if amount["currency"] not in DECIMALS:
        raise ValueError("The currency is unknown.")
    return Money(int(amount["units"]), amount["currency"])
