"""Checkouts and webhooks of PayPal, by the adapter against a double."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from lms_graphql.billing.gateways.interface import (
    EventKind,
    GatewayRejectedError,
    GatewayUnavailableError,
    InvalidWebhookError,
    RefundRequest,
)
from lms_graphql.billing.gateways.paypal import PayPalGateway
from lms_graphql.core.money import Money
from tests.billing.doubles.http_double import Fault
from tests.billing.doubles.paypal_double import signed
from tests.billing.gateway_adapters import SITE_NAME, PayPalAdapter
from tests.billing.gateway_requests import PRICE, REFERENCE, REFUND_REFERENCE, checkout_request


def test_checkout_is_opened_once_for_a_reference(paypal: PayPalAdapter) -> None:
    checkout = paypal.gateway.create_checkout(checkout_request())
    assert paypal.gateway.create_checkout(checkout_request()) == checkout
    ((order_id, order),) = paypal.double.orders.items()
    assert checkout.id == order_id
    assert checkout.url == f"https://www.paypal.com/checkoutnow?token={order_id}"
    (unit,) = order["purchase_units"]
    assert unit["amount"] == {"currency_code": "USD", "value": "19.99"}
    assert len(unit["description"]) == 127
    (request, _) = paypal.double.calls("POST", "/v2/checkout/orders")
    assert request.headers["paypal-request-id"] == REFERENCE
    context = orjson.loads(request.body)["payment_source"]["paypal"]["experience_context"]
    assert context["return_url"] == context["cancel_url"] == "https://learn.example.com/purchases/1"
    assert context["brand_name"] == SITE_NAME


@pytest.mark.parametrize(
    ("units", "currency", "value"),
    [
        (1999, "USD", "19.99"), (1500, "JPY", "1500"), (150_000, "HUF", "1500"), (90_000, "TWD", "900"),
        (150_050, "HUF", None), (90_001, "TWD", None), (1234, "BHD", None), (5000, "KRW", None),
    ],
)  # fmt: skip
def test_amounts_follow_the_rules_of_paypal(
    paypal: PayPalAdapter, units: int, currency: str, value: str | None
) -> None:
    if value is None:
        with pytest.raises(GatewayRejectedError, match=currency):
            paypal.gateway.create_checkout(checkout_request(Money(units, currency)))
        assert paypal.double.requests == []
        return
    event = paypal.receive_payment(checkout_request(Money(units, currency)))
    assert event.amount == Money(units, currency)
    paypal.gateway.refund(RefundRequest(REFUND_REFERENCE, event.payment_id or "", Money(units, currency), ""))
    (refund,) = paypal.double.refunds.values()
    (capture,) = paypal.double.captures.values()
    assert refund["amount"] == capture["amount"] == {"currency_code": currency, "value": value}


def test_approved_order_is_captured_once(paypal: PayPalAdapter) -> None:
    checkout = paypal.gateway.create_checkout(checkout_request())
    assert paypal.gateway.fetch_checkout(checkout.id) == []
    (approved,) = paypal.read(paypal.double.approve(checkout.id))
    assert (approved.kind, approved.reference) == (EventKind.CHECKOUT_CHANGED, REFERENCE)
    assert approved.checkout_id == checkout.id
    (fetched,) = paypal.gateway.fetch_checkout(checkout.id)
    assert paypal.gateway.fetch_checkout(checkout.id) == [fetched]
    (capture_id,) = paypal.double.captures
    (by_webhook,) = paypal.read(paypal.double.capture_event(capture_id))
    for event in (fetched, by_webhook):
        assert event.kind is EventKind.PAYMENT_RECEIVED
        assert (event.reference, event.checkout_id) == (REFERENCE, checkout.id)
        assert (event.payment_id, event.amount) == (capture_id, PRICE)


def test_order_that_is_captured_at_the_same_time_is_read(paypal: PayPalAdapter) -> None:
    checkout = paypal.gateway.create_checkout(checkout_request())
    paypal.double.approve(checkout.id)
    paid = paypal.gateway.fetch_checkout(checkout.id)
    paypal.double.orders[checkout.id]["status"] = "APPROVED"
    paypal.double.answers.clear()
    paypal.double.faults = [None, Fault(422, body=orjson.dumps({"details": [{"issue": "ORDER_ALREADY_CAPTURED"}]}))]
    assert paypal.gateway.fetch_checkout(checkout.id) == paid


@pytest.mark.parametrize(
    ("issue", "expected"),
    [
        ("INSTRUMENT_DECLINED", EventKind.PAYMENT_FAILED),
        ("TRANSACTION_REFUSED", EventKind.PAYMENT_FAILED),
        ("DUPLICATE_INVOICE_ID", GatewayRejectedError),
        ("PREVIOUS_REQUEST_IN_PROGRESS", GatewayUnavailableError),
    ],
)
def test_declined_capture_fails(paypal: PayPalAdapter, issue: str, expected: EventKind | type[Exception]) -> None:
    checkout = paypal.gateway.create_checkout(checkout_request())
    paypal.double.approve(checkout.id)
    paypal.double.capture_issue = issue
    if isinstance(expected, EventKind):
        (event,) = paypal.gateway.fetch_checkout(checkout.id)
        assert (event.kind, event.checkout_id) == (expected, checkout.id)
        return
    with pytest.raises(expected, match=f"422 {issue}"):
        paypal.gateway.fetch_checkout(checkout.id)


def test_capture_under_review_is_reported_when_it_ends(paypal: PayPalAdapter) -> None:
    paypal.double.capture_status = "PENDING"
    checkout = paypal.gateway.create_checkout(checkout_request())
    paypal.double.approve(checkout.id)
    (event,) = paypal.gateway.fetch_checkout(checkout.id)
    assert event.kind is EventKind.PAYMENT_PROMISED
    (capture_id,) = paypal.double.captures
    (event,) = paypal.read(paypal.double.capture_event(capture_id, "PENDING"))
    assert event.kind is EventKind.PAYMENT_PROMISED
    (event,) = paypal.read(paypal.double.capture_event(capture_id, "DECLINED"))
    assert (event.kind, event.reference) == (EventKind.PAYMENT_FAILED, REFERENCE)
    (event,) = paypal.read(paypal.double.capture_event(capture_id))
    assert event.kind is EventKind.PAYMENT_RECEIVED


def test_checkout_is_closed_unless_it_is_paid(paypal: PayPalAdapter) -> None:
    checkout = paypal.gateway.create_checkout(checkout_request())
    for checkout_id in (checkout.id, checkout.id, "5O19000000000"):
        paypal.gateway.expire_checkout(checkout_id)
    paypal.double.approve(checkout.id)
    paypal.gateway.fetch_checkout(checkout.id)
    with pytest.raises(GatewayRejectedError):
        paypal.gateway.expire_checkout(checkout.id)
    with pytest.raises(GatewayRejectedError, match="404"):
        paypal.gateway.fetch_checkout("5O19000000000")
    paypal.double.orders[checkout.id] |= {"status": "VOIDED"}
    assert [event.kind for event in paypal.gateway.fetch_checkout(checkout.id)] == [EventKind.PAYMENT_FAILED]


def test_forged_webhooks_are_refused(paypal: PayPalAdapter) -> None:
    event = paypal.double.approve(paypal.gateway.create_checkout(checkout_request()).id)
    headers, body = signed(event)
    assert paypal.gateway.read_webhook(headers, body, datetime.now(UTC))
    for changes, forged_body in (
        ({"paypal-transmission-sig": ""}, body),
        ({"paypal-transmission-sig": "0" * 64}, body),
        ({"paypal-transmission-time": "yesterday"}, body),
        ({"paypal-transmission-time": "2026-01-01T00:00:00"}, body),
        ({"paypal-cert-url": "https://api.paypal.com.example.com/cert"}, body),
        ({"paypal-cert-url": "http://api.paypal.com/cert"}, body),
        ({}, orjson.dumps(orjson.loads(body))),
        ({}, body + b" "),
        ({}, b"\xef\xbb\xbf" + body),
        ({}, b'{},"webhook_event":{}'),
        ({}, b""),
        signed(event, age=timedelta(days=5)),
        signed({"id": "WH-1", "event_type": "PAYMENT.CAPTURE.COMPLETED", "resource": []}),
    ):
        with pytest.raises(InvalidWebhookError):
            paypal.gateway.read_webhook({**headers, **changes}, forged_body, datetime.now(UTC))
    other_account = PayPalGateway(paypal.account(), "OTHERWEBHOOK", "")
    with pytest.raises(InvalidWebhookError):
        other_account.read_webhook(headers, body, datetime.now(UTC))
    assert (
        paypal.gateway.read_webhook(*signed({"id": "WH-1", "event_type": "OTHER", "resource": {}}), datetime.now(UTC))
        == []
    )
    paypal.double.faults = [Fault(status=500)]
    with pytest.raises(GatewayUnavailableError):
        paypal.gateway.read_webhook(headers, body, datetime.now(UTC))
