"""Checkouts and webhooks of Stripe, by the adapter against a double."""

from datetime import UTC, datetime

import pytest

from lms_graphql.billing.gateways.interface import (
    EventKind,
    GatewayRejectedError,
    InvalidWebhookError,
    RefundRequest,
)
from lms_graphql.billing.models import RefundStatus
from lms_graphql.core.money import Money
from tests.billing.doubles.stripe_double import signed
from tests.billing.gateway_adapters import StripeAdapter
from tests.billing.gateway_requests import PRICE, REFERENCE, REFUND_REFERENCE, checkout_request


def test_checkout_is_opened_once_for_a_reference(stripe: StripeAdapter) -> None:
    request = checkout_request()
    checkout = stripe.gateway.create_checkout(request)
    assert stripe.gateway.create_checkout(request) == checkout
    (session,) = stripe.double.sessions.values()
    assert (checkout.id, checkout.url) == (session["id"], session["url"])
    assert (session["amount_total"], session["currency"]) == (1999, "usd")
    assert session["success_url"] == request.return_url
    sent = stripe.double.requests[0].form
    assert sent["payment_intent_data[metadata][reference]"] == REFERENCE
    assert sent["adaptive_pricing[enabled]"] == "false"
    assert stripe.double.requests[0].headers["idempotency-key"] == REFERENCE


def test_email_that_stripe_refuses_is_left_out(stripe: StripeAdapter) -> None:
    stripe.gateway.create_checkout(checkout_request())
    stripe.gateway.create_checkout(checkout_request(reference="T-2", customer_email="jäne@canary.example"))
    assert [session["customer_email"] for session in stripe.double.sessions.values()] == ["jane@canary.example", None]


@pytest.mark.parametrize(
    ("units", "currency", "stripe_units"),
    [
        (1999, "USD", 1999), (1500, "JPY", 1500), (5000, "KRW", 5000), (1230, "BHD", 1230), (1234, "BHD", None),
        (900, "ISK", 90_000), (5000, "UGX", 500_000), (120_000, "MGA", 1200), (120_050, "MGA", None),
        (49, "USD", None), (49, "JPY", None),
    ],
)  # fmt: skip
def test_amounts_follow_the_rules_of_stripe(
    stripe: StripeAdapter, units: int, currency: str, stripe_units: int | None
) -> None:
    request = checkout_request(Money(units, currency))
    if stripe_units is None:
        with pytest.raises(GatewayRejectedError):
            stripe.gateway.create_checkout(request)
        return
    checkout = stripe.gateway.create_checkout(request)
    assert stripe.double.sessions[checkout.id]["amount_total"] == stripe_units
    (event,) = stripe.read(stripe.double.pay(checkout.id))
    assert event.amount == request.amount
    refund = RefundRequest(REFUND_REFERENCE, event.payment_id or "", request.amount, "")
    assert stripe.gateway.refund(refund).status is RefundStatus.SUCCEEDED
    assert [made["amount"] for made in stripe.double.refunds.values()] == [stripe_units]


def test_checkout_reports_the_payment_by_webhook_and_on_request(stripe: StripeAdapter) -> None:
    checkout = stripe.gateway.create_checkout(checkout_request())
    assert stripe.gateway.fetch_checkout(checkout.id) == []
    stripe.double.decline(checkout.id)
    assert stripe.gateway.fetch_checkout(checkout.id) == []
    (by_webhook,) = stripe.read(stripe.double.pay(checkout.id))
    (fetched,) = stripe.gateway.fetch_checkout(checkout.id)
    assert stripe.gateway.fetch_checkout(checkout.id) == [fetched]
    for event in (by_webhook, fetched):
        assert event.kind is EventKind.PAYMENT_RECEIVED
        assert (event.reference, event.checkout_id, event.amount) == (REFERENCE, checkout.id, PRICE)
        assert event.payment_id in stripe.double.intents


def test_payment_that_takes_days_is_received_when_it_arrives(stripe: StripeAdapter) -> None:
    paid, failed = (stripe.gateway.create_checkout(checkout_request(reference=name)).id for name in ("T-1", "T-2"))
    promised = [EventKind.PAYMENT_PROMISED]
    for checkout in (paid, failed):
        assert [event.kind for event in stripe.read(stripe.double.promise(checkout))] == promised
    assert [event.kind for event in stripe.gateway.fetch_checkout(paid)] == promised
    (event,) = stripe.read(stripe.double.pay(paid, "checkout.session.async_payment_succeeded"))
    assert (event.kind, event.reference) == (EventKind.PAYMENT_RECEIVED, "T-1")
    (event,) = stripe.read(stripe.double.break_promise(failed))
    assert (event.kind, event.reference) == (EventKind.PAYMENT_FAILED, "T-2")
    assert [event.kind for event in stripe.gateway.fetch_checkout(failed)] == [EventKind.PAYMENT_FAILED]


def test_checkout_is_closed_unless_it_is_paid(stripe: StripeAdapter) -> None:
    closed, paid = (stripe.gateway.create_checkout(checkout_request(reference=name)).id for name in ("T-1", "T-2"))
    for _ in range(2):
        stripe.gateway.expire_checkout(closed)
    assert [event.kind for event in stripe.gateway.fetch_checkout(closed)] == [EventKind.PAYMENT_FAILED]
    stripe.double.pay(paid)
    for checkout_id in (paid, "cs_unknown"):
        with pytest.raises(GatewayRejectedError):
            stripe.gateway.expire_checkout(checkout_id)


def test_expired_checkout_fails(stripe: StripeAdapter) -> None:
    checkout = stripe.gateway.create_checkout(checkout_request())
    (event,) = stripe.read(stripe.double.expire(checkout.id))
    assert (event.kind, event.reference, event.payment_id) == (EventKind.PAYMENT_FAILED, REFERENCE, None)


def test_events_of_other_programs_are_left_out(stripe: StripeAdapter) -> None:
    checkout = stripe.gateway.create_checkout(checkout_request())
    foreign = stripe.double.pay(checkout.id)
    foreign["data"]["object"] |= {"client_reference_id": None}
    subscription = stripe.double.pay(checkout.id)
    subscription["data"]["object"] |= {"mode": "subscription", "payment_intent": None}
    for event in (foreign, subscription, {"id": "evt_1", "type": "customer.created", "data": {"object": {}}}):
        assert stripe.read(event) == []


def test_forged_webhooks_are_refused(stripe: StripeAdapter) -> None:
    event = stripe.double.pay(stripe.gateway.create_checkout(checkout_request()).id)
    headers, body = signed(event)
    for forged_headers, forged_body in (
        ({}, body),
        ({"stripe-signature": "t=1"}, body),
        ({"stripe-signature": f"{headers['stripe-signature'][:-10]}é"}, body),
        (headers, body + b" "),
        (headers, b"\xef\xbb\xbf" + body),
        (headers, b"\xff"),
        signed(event, age_seconds=301),
        signed(event, secret="whsec_other"),
        signed({"id": "evt_1", "type": "refund.updated", "data": {}}),
        signed(["no object"]),  # type: ignore[arg-type]
    ):
        with pytest.raises(InvalidWebhookError):
            stripe.gateway.read_webhook(forged_headers, forged_body, datetime.now(UTC))
