"""The adapter of PayPal against a double of PayPal's HTTP API."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from lms_graphql.billing.gateways.interface import (
    Event,
    EventKind,
    GatewayRejectedError,
    GatewayUnavailableError,
    InvalidWebhookError,
    RefundRequest,
    RefundResult,
)
from lms_graphql.billing.gateways.paypal import PayPalGateway
from lms_graphql.billing.gateways.paypal_client import PayPalAccount
from lms_graphql.billing.models import RefundStatus
from lms_graphql.core.money import Money
from tests.billing.doubles.http_double import LONGER_THAN_ANY_TIMEOUT, Fault
from tests.billing.doubles.paypal_double import CLIENT_ID, CLIENT_SECRET, WEBHOOK_ID, PayPalDouble, signed
from tests.billing.gateway_requests import PRICE, REFERENCE, REFUND_REFERENCE, checkout_request, refund_request


@pytest.fixture
def double() -> Iterator[PayPalDouble]:
    double = PayPalDouble()
    with double.running():
        yield double


@pytest.fixture
def gateway(double: PayPalDouble) -> PayPalGateway:
    return PayPalGateway(account(double), WEBHOOK_ID, "Learn with Roko")


def account(double: PayPalDouble, **options: Any) -> PayPalAccount:
    return PayPalAccount(CLIENT_ID, CLIENT_SECRET, double.url, **options)


def read(gateway: PayPalGateway, event: dict[str, Any]) -> list[Event]:
    return list(gateway.read_webhook(*signed(event), datetime.now(UTC)))


def paid_checkout(gateway: PayPalGateway, double: PayPalDouble, amount: Money = PRICE) -> Event:
    """Return the event of a payment."""
    checkout = gateway.create_checkout(checkout_request(amount))
    double.approve(checkout.id)
    (event,) = gateway.fetch_checkout(checkout.id)
    return event


def test_checkout_is_opened_once_for_a_reference(gateway: PayPalGateway, double: PayPalDouble) -> None:
    checkout = gateway.create_checkout(checkout_request())
    assert gateway.create_checkout(checkout_request()) == checkout
    ((order_id, order),) = double.orders.items()
    assert checkout.id == order_id
    assert checkout.url == f"https://www.paypal.com/checkoutnow?token={order_id}"
    (unit,) = order["purchase_units"]
    assert unit["amount"] == {"currency_code": "USD", "value": "19.99"}
    assert len(unit["description"]) == 127
    (request, _) = double.calls("POST", "/v2/checkout/orders")
    assert request.headers["paypal-request-id"] == REFERENCE
    context = orjson.loads(request.body)["payment_source"]["paypal"]["experience_context"]
    assert context["return_url"] == context["cancel_url"] == "https://learn.example.com/purchases/1"
    assert context["brand_name"] == "Learn with Roko"


@pytest.mark.parametrize(
    ("units", "currency", "value"),
    [
        (1999, "USD", "19.99"), (1500, "JPY", "1500"), (150_000, "HUF", "1500"), (90_000, "TWD", "900"),
        (150_050, "HUF", None), (90_001, "TWD", None), (1234, "BHD", None), (5000, "KRW", None),
    ],
)  # fmt: skip
def test_amounts_follow_the_rules_of_paypal(
    gateway: PayPalGateway, double: PayPalDouble, units: int, currency: str, value: str | None
) -> None:
    if value is None:
        with pytest.raises(GatewayRejectedError, match=currency):
            gateway.create_checkout(checkout_request(Money(units, currency)))
        assert double.requests == []
        return
    event = paid_checkout(gateway, double, Money(units, currency))
    assert event.amount == Money(units, currency)
    gateway.refund(RefundRequest(REFUND_REFERENCE, event.payment_id or "", Money(units, currency), ""))
    (refund,) = double.refunds.values()
    (capture,) = double.captures.values()
    assert refund["amount"] == capture["amount"] == {"currency_code": currency, "value": value}


def test_approved_order_is_captured_once(gateway: PayPalGateway, double: PayPalDouble) -> None:
    checkout = gateway.create_checkout(checkout_request())
    assert gateway.fetch_checkout(checkout.id) == []
    (approved,) = read(gateway, double.approve(checkout.id))
    assert (approved.kind, approved.reference) == (EventKind.CHECKOUT_CHANGED, REFERENCE)
    assert approved.checkout_id == checkout.id
    (fetched,) = gateway.fetch_checkout(checkout.id)
    assert gateway.fetch_checkout(checkout.id) == [fetched]
    (capture_id,) = double.captures
    (by_webhook,) = read(gateway, double.capture_event(capture_id))
    for event in (fetched, by_webhook):
        assert event.kind is EventKind.PAYMENT_RECEIVED
        assert (event.reference, event.checkout_id) == (REFERENCE, checkout.id)
        assert (event.payment_id, event.amount) == (capture_id, PRICE)


def test_order_that_is_captured_at_the_same_time_is_read(gateway: PayPalGateway, double: PayPalDouble) -> None:
    checkout = gateway.create_checkout(checkout_request())
    double.approve(checkout.id)
    paid = gateway.fetch_checkout(checkout.id)
    double.orders[checkout.id]["status"] = "APPROVED"
    double.answers.clear()
    double.faults = [None, Fault(422, body=orjson.dumps({"details": [{"issue": "ORDER_ALREADY_CAPTURED"}]}))]
    assert gateway.fetch_checkout(checkout.id) == paid


@pytest.mark.parametrize(
    ("issue", "expected"),
    [
        ("INSTRUMENT_DECLINED", EventKind.PAYMENT_FAILED),
        ("TRANSACTION_REFUSED", EventKind.PAYMENT_FAILED),
        ("DUPLICATE_INVOICE_ID", GatewayRejectedError),
        ("PREVIOUS_REQUEST_IN_PROGRESS", GatewayUnavailableError),
    ],
)
def test_declined_capture_fails(
    gateway: PayPalGateway, double: PayPalDouble, issue: str, expected: EventKind | type[Exception]
) -> None:
    checkout = gateway.create_checkout(checkout_request())
    double.approve(checkout.id)
    double.capture_issue = issue
    if isinstance(expected, EventKind):
        (event,) = gateway.fetch_checkout(checkout.id)
        assert (event.kind, event.checkout_id) == (expected, checkout.id)
        return
    with pytest.raises(expected, match=f"422 {issue}"):
        gateway.fetch_checkout(checkout.id)


def test_capture_under_review_is_reported_when_it_ends(gateway: PayPalGateway, double: PayPalDouble) -> None:
    double.capture_status = "PENDING"
    checkout = gateway.create_checkout(checkout_request())
    double.approve(checkout.id)
    (event,) = gateway.fetch_checkout(checkout.id)
    assert event.kind is EventKind.PAYMENT_PROMISED
    (capture_id,) = double.captures
    (event,) = read(gateway, double.capture_event(capture_id, "PENDING"))
    assert event.kind is EventKind.PAYMENT_PROMISED
    (event,) = read(gateway, double.capture_event(capture_id, "DECLINED"))
    assert (event.kind, event.reference) == (EventKind.PAYMENT_FAILED, REFERENCE)
    (event,) = read(gateway, double.capture_event(capture_id))
    assert event.kind is EventKind.PAYMENT_RECEIVED


def test_checkout_is_closed_unless_it_is_paid(gateway: PayPalGateway, double: PayPalDouble) -> None:
    checkout = gateway.create_checkout(checkout_request())
    for checkout_id in (checkout.id, checkout.id, "5O19000000000"):
        gateway.expire_checkout(checkout_id)
    double.approve(checkout.id)
    gateway.fetch_checkout(checkout.id)
    with pytest.raises(GatewayRejectedError):
        gateway.expire_checkout(checkout.id)
    with pytest.raises(GatewayRejectedError, match="404"):
        gateway.fetch_checkout("5O19000000000")
    double.orders[checkout.id] |= {"status": "VOIDED"}
    assert [event.kind for event in gateway.fetch_checkout(checkout.id)] == [EventKind.PAYMENT_FAILED]


def test_refund_is_made_once_for_a_reference(gateway: PayPalGateway, double: PayPalDouble) -> None:
    payment_id = paid_checkout(gateway, double).payment_id or ""
    result = gateway.refund(refund_request(payment_id, 500))
    assert gateway.refund(refund_request(payment_id, 500)) == result
    assert list(double.refunds) == [result.gateway_refund_id]
    gateway.refund(refund_request(payment_id, 1499, "R-2"))
    with pytest.raises(GatewayRejectedError, match="REFUND_AMOUNT_EXCEEDED"):
        gateway.refund(refund_request(payment_id, 1, "R-3"))


def test_refund_reports_how_it_ends(gateway: PayPalGateway, double: PayPalDouble) -> None:
    payment_id = paid_checkout(gateway, double).payment_id or ""
    double.refund_status = "PENDING"
    result = gateway.refund(refund_request(payment_id))
    assert result.status is RefundStatus.PROCESSING
    for status, kind, expected in (
        ("PENDING", "PAYMENT.REFUND.PENDING", RefundStatus.PROCESSING),
        ("COMPLETED", "PAYMENT.CAPTURE.REFUNDED", RefundStatus.SUCCEEDED),
        ("FAILED", "PAYMENT.REFUND.FAILED", RefundStatus.FAILED),
        ("CANCELLED", "PAYMENT.REFUND.FAILED", RefundStatus.FAILED),
    ):
        (event,) = read(gateway, double.refund_event(result.gateway_refund_id, status, kind))
        assert event.kind is EventKind.REFUND_CHANGED
        assert event.refund == RefundResult(expected, result.gateway_refund_id)
        assert (event.refund_reference, event.payment_id) == (REFUND_REFERENCE, payment_id)


def test_disputes_are_reported(gateway: PayPalGateway, double: PayPalDouble) -> None:
    payment_id = paid_checkout(gateway, double).payment_id or ""
    for kind, outcome, stage, expected in (
        ("CREATED", None, "CHARGEBACK", EventKind.DISPUTE_OPENED),
        ("CREATED", None, "INQUIRY", None),
        ("UPDATED", None, "INQUIRY", None),
        ("UPDATED", None, "CHARGEBACK", EventKind.DISPUTE_OPENED),  # the inquiry has become a claim
        ("UPDATED", None, "PRE_ARBITRATION", EventKind.DISPUTE_OPENED),
        ("UPDATED", "RESOLVED_BUYER_FAVOUR", "CHARGEBACK", EventKind.DISPUTE_LOST),
        ("RESOLVED", "RESOLVED_BUYER_FAVOUR", "CHARGEBACK", EventKind.DISPUTE_LOST),
        ("RESOLVED", "ACCEPTED", "INQUIRY", EventKind.DISPUTE_LOST),
        ("RESOLVED", "RESOLVED_SELLER_FAVOUR", "CHARGEBACK", EventKind.DISPUTE_WON),
        ("RESOLVED", "RESOLVED_WITH_PAYOUT", "CHARGEBACK", EventKind.DISPUTE_WON),
        ("RESOLVED", "CANCELED_BY_BUYER", "CHARGEBACK", EventKind.DISPUTE_WON),
        ("RESOLVED", "DENIED", "CHARGEBACK", EventKind.DISPUTE_WON),
        ("RESOLVED", "NONE", "CHARGEBACK", EventKind.DISPUTE_WON),
        ("RESOLVED", "AN_OUTCOME_OF_THE_FUTURE", "CHARGEBACK", None),
    ):
        sent = double.dispute(payment_id, outcome, stage, kind=kind)
        sent["resource"]["dispute_amount"] = "is not read"
        events = read(gateway, sent)
        assert [event.kind for event in events] == ([] if expected is None else [expected]), (kind, outcome)
        ids = (payment_id, sent["resource"]["dispute_id"])
        assert all((event.payment_id, event.dispute_id) == ids for event in events)


def test_dispute_of_several_payments_names_each(gateway: PayPalGateway, double: PayPalDouble) -> None:
    event = double.dispute(paid_checkout(gateway, double).payment_id or "", "RESOLVED_BUYER_FAVOUR")
    event["resource"]["disputed_transactions"] += [{"seller_transaction_id": "OTHER"}]
    first, second = read(gateway, event)
    assert (first.id, second.id, second.payment_id) == (event["id"], f"{event['id']}:1", "OTHER")
    assert first.dispute_id == second.dispute_id == event["resource"]["dispute_id"]


def test_forged_webhooks_are_refused(gateway: PayPalGateway, double: PayPalDouble) -> None:
    event = double.approve(gateway.create_checkout(checkout_request()).id)
    headers, body = signed(event)
    assert gateway.read_webhook(headers, body, datetime.now(UTC))
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
            gateway.read_webhook({**headers, **changes}, forged_body, datetime.now(UTC))
    other_account = PayPalGateway(account(double), "OTHERWEBHOOK", "")
    with pytest.raises(InvalidWebhookError):
        other_account.read_webhook(headers, body, datetime.now(UTC))
    assert (
        gateway.read_webhook(*signed({"id": "WH-1", "event_type": "OTHER", "resource": {}}), datetime.now(UTC)) == []
    )
    double.faults = [Fault(status=500)]
    with pytest.raises(GatewayUnavailableError):
        gateway.read_webhook(headers, body, datetime.now(UTC))


def test_token_is_cached_until_it_expires_or_is_revoked(gateway: PayPalGateway, double: PayPalDouble) -> None:
    gateway.create_checkout(checkout_request())
    gateway.create_checkout(checkout_request(reference="T-2"))
    assert len(double.calls("POST", "/v1/oauth2/token")) == 1
    double.revoke_tokens()
    double.token_seconds = 60
    gateway.create_checkout(checkout_request(reference="T-3"))
    assert len(double.calls("POST", "/v1/oauth2/token")) == 2
    gateway.create_checkout(checkout_request(reference="T-4"))
    assert len(double.calls("POST", "/v1/oauth2/token")) == 3
    assert len(double.orders) == 4


@pytest.mark.parametrize(
    "fault",
    [
        Fault(500), Fault(429, body=b"{}"), Fault(403, body=b"{}"), Fault(409, body=b"{}"),
        Fault(502, acts=True), Fault(drops=True), Fault(drops=True, acts=True), Fault(200, body=b"<html>"),
    ],
    ids=lambda fault: f"{fault.status}-{fault.drops}-{fault.acts}",
)  # fmt: skip
def test_unclear_answer_is_cleared_up_by_a_repetition(
    gateway: PayPalGateway, double: PayPalDouble, fault: Fault
) -> None:
    double.faults = [None, fault]
    with pytest.raises(GatewayUnavailableError):
        gateway.create_checkout(checkout_request())
    assert len(double.requests) == 2
    payment_id = paid_checkout(gateway, double).payment_id or ""
    assert len(double.orders) == 1
    double.faults = [fault]
    with pytest.raises(GatewayUnavailableError):
        gateway.refund(refund_request(payment_id))
    gateway.refund(refund_request(payment_id))
    assert len(double.refunds) == 1


def test_slow_gateway_is_given_up_in_time(double: PayPalDouble) -> None:
    gateway = PayPalGateway(account(double, seconds=1), WEBHOOK_ID, "")
    double.faults = [Fault(delay_seconds=0.1), Fault(delay_seconds=LONGER_THAN_ANY_TIMEOUT)]
    started_at = time.monotonic()
    with pytest.raises(GatewayUnavailableError, match="ReadTimeout"):
        gateway.create_checkout(checkout_request())
    assert time.monotonic() - started_at < 5


def test_wrong_credentials_leave_the_payment_open(double: PayPalDouble) -> None:
    gateway = PayPalGateway(PayPalAccount(CLIENT_ID, "wrong", double.url), WEBHOOK_ID, "")
    with pytest.raises(GatewayUnavailableError, match="401"):
        gateway.create_checkout(checkout_request())


def test_errors_show_no_personal_data(gateway: PayPalGateway) -> None:
    with pytest.raises(GatewayRejectedError) as caught:
        gateway.refund(refund_request("3C0"))
    assert str(caught.value) == "PayPal answered 404 INVALID_RESOURCE_ID (f0a1b2c3)."
