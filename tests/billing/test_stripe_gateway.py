"""The adapter of Stripe against a double of Stripe's HTTP API."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from stripe import Dispute

from lms_graphql.billing.gateways.interface import (
    Event,
    EventKind,
    GatewayRejectedError,
    GatewayUnavailableError,
    InvalidWebhookError,
    RefundRequest,
    RefundResult,
)
from lms_graphql.billing.gateways.stripe import StripeGateway
from lms_graphql.billing.gateways.stripe_events import DISPUTE_KINDS_BY_STATUS
from lms_graphql.billing.models import RefundStatus
from lms_graphql.core.money import Money
from tests.billing.doubles.http_double import LONGER_THAN_ANY_TIMEOUT, Fault
from tests.billing.doubles.stripe_double import SECRET_KEY, WEBHOOK_SECRET, StripeDouble, signed
from tests.billing.gateway_requests import PRICE, REFERENCE, REFUND_REFERENCE, checkout_request, refund_request

OPENED, WON, LOST = EventKind.DISPUTE_OPENED, EventKind.DISPUTE_WON, EventKind.DISPUTE_LOST
DISPUTES = (
    ("needs_response", "created", "chargeback", OPENED),
    ("needs_response", "funds_withdrawn", "chargeback", OPENED),
    ("under_review", "updated", "chargeback", OPENED),
    ("appeal_needs_response", "updated", "chargeback", OPENED),
    ("appeal_under_review", "updated", "chargeback", OPENED),
    ("won", "closed", "chargeback", WON),
    ("won", "funds_reinstated", "chargeback", WON),
    ("lost", "closed", "chargeback", LOST),
    ("warning_needs_response", "created", "inquiry", None),
    ("warning_under_review", "updated", "inquiry", None),
    ("warning_closed", "closed", "inquiry", None),
    ("needs_response", "updated", "chargeback", OPENED),  # the inquiry has become a dispute
    ("prevented", "created", "resolution", LOST),
    ("prevented", "closed", "block", WON),
    ("prevented", "created", "chargeback", None),
    ("a status of the future", "updated", "chargeback", None),
)
"""Status, event, type of the case, and what the adapter reports."""


@pytest.fixture
def double() -> Iterator[StripeDouble]:
    double = StripeDouble()
    with double.running():
        yield double


@pytest.fixture
def gateway(double: StripeDouble) -> StripeGateway:
    return StripeGateway(SECRET_KEY, WEBHOOK_SECRET, double.url)


def read(gateway: StripeGateway, event: dict[str, Any]) -> list[Event]:
    return list(gateway.read_webhook(*signed(event), datetime.now(UTC)))


def test_checkout_is_opened_once_for_a_reference(gateway: StripeGateway, double: StripeDouble) -> None:
    request = checkout_request()
    checkout = gateway.create_checkout(request)
    assert gateway.create_checkout(request) == checkout
    (session,) = double.sessions.values()
    assert (checkout.id, checkout.url) == (session["id"], session["url"])
    assert (session["amount_total"], session["currency"]) == (1999, "usd")
    assert session["success_url"] == request.return_url
    sent = double.requests[0].form
    assert sent["payment_intent_data[metadata][reference]"] == REFERENCE
    assert sent["adaptive_pricing[enabled]"] == "false"
    assert double.requests[0].headers["idempotency-key"] == REFERENCE


def test_email_that_stripe_refuses_is_left_out(gateway: StripeGateway, double: StripeDouble) -> None:
    gateway.create_checkout(checkout_request())
    gateway.create_checkout(checkout_request(reference="T-2", customer_email="jäne@canary.example"))
    assert [session["customer_email"] for session in double.sessions.values()] == ["jane@canary.example", None]


@pytest.mark.parametrize(
    ("units", "currency", "stripe_units"),
    [
        (1999, "USD", 1999), (1500, "JPY", 1500), (5000, "KRW", 5000), (1230, "BHD", 1230), (1234, "BHD", None),
        (900, "ISK", 90_000), (5000, "UGX", 500_000), (120_000, "MGA", 1200), (120_050, "MGA", None),
        (49, "USD", None), (49, "JPY", None),
    ],
)  # fmt: skip
def test_amounts_follow_the_rules_of_stripe(
    gateway: StripeGateway, double: StripeDouble, units: int, currency: str, stripe_units: int | None
) -> None:
    request = checkout_request(Money(units, currency))
    if stripe_units is None:
        with pytest.raises(GatewayRejectedError):
            gateway.create_checkout(request)
        return
    checkout = gateway.create_checkout(request)
    assert double.sessions[checkout.id]["amount_total"] == stripe_units
    (event,) = read(gateway, double.pay(checkout.id))
    assert event.amount == request.amount
    refund = RefundRequest(REFUND_REFERENCE, event.payment_id or "", request.amount, "")
    assert gateway.refund(refund).status is RefundStatus.SUCCEEDED
    assert [made["amount"] for made in double.refunds.values()] == [stripe_units]


def test_checkout_reports_the_payment_by_webhook_and_on_request(gateway: StripeGateway, double: StripeDouble) -> None:
    checkout = gateway.create_checkout(checkout_request())
    assert gateway.fetch_checkout(checkout.id) == []
    double.decline(checkout.id)
    assert gateway.fetch_checkout(checkout.id) == []
    (by_webhook,) = read(gateway, double.pay(checkout.id))
    (fetched,) = gateway.fetch_checkout(checkout.id)
    assert gateway.fetch_checkout(checkout.id) == [fetched]
    for event in (by_webhook, fetched):
        assert event.kind is EventKind.PAYMENT_RECEIVED
        assert (event.reference, event.checkout_id, event.amount) == (REFERENCE, checkout.id, PRICE)
        assert event.payment_id in double.intents


def test_payment_that_takes_days_is_received_when_it_arrives(gateway: StripeGateway, double: StripeDouble) -> None:
    paid, failed = (gateway.create_checkout(checkout_request(reference=name)).id for name in ("T-1", "T-2"))
    promised = [EventKind.PAYMENT_PROMISED]
    for checkout in (paid, failed):
        assert [event.kind for event in read(gateway, double.promise(checkout))] == promised
    assert [event.kind for event in gateway.fetch_checkout(paid)] == promised
    (event,) = read(gateway, double.pay(paid, "checkout.session.async_payment_succeeded"))
    assert (event.kind, event.reference) == (EventKind.PAYMENT_RECEIVED, "T-1")
    (event,) = read(gateway, double.break_promise(failed))
    assert (event.kind, event.reference) == (EventKind.PAYMENT_FAILED, "T-2")
    assert [event.kind for event in gateway.fetch_checkout(failed)] == [EventKind.PAYMENT_FAILED]


def test_checkout_is_closed_unless_it_is_paid(gateway: StripeGateway, double: StripeDouble) -> None:
    closed, paid = (gateway.create_checkout(checkout_request(reference=name)).id for name in ("T-1", "T-2"))
    for _ in range(2):
        gateway.expire_checkout(closed)
    assert [event.kind for event in gateway.fetch_checkout(closed)] == [EventKind.PAYMENT_FAILED]
    double.pay(paid)
    for checkout_id in (paid, "cs_unknown"):
        with pytest.raises(GatewayRejectedError):
            gateway.expire_checkout(checkout_id)


def test_expired_checkout_fails(gateway: StripeGateway, double: StripeDouble) -> None:
    checkout = gateway.create_checkout(checkout_request())
    (event,) = read(gateway, double.expire(checkout.id))
    assert (event.kind, event.reference, event.payment_id) == (EventKind.PAYMENT_FAILED, REFERENCE, None)


def paid_checkout(gateway: StripeGateway, double: StripeDouble) -> str:
    """Return the id of a payment."""
    checkout = gateway.create_checkout(checkout_request())
    return str(double.pay(checkout.id)["data"]["object"]["payment_intent"])


def test_refund_is_made_once_for_a_reference(gateway: StripeGateway, double: StripeDouble) -> None:
    request = refund_request(paid_checkout(gateway, double), 500)
    result = gateway.refund(request)
    double.forget_idempotency_keys()
    assert gateway.refund(request) == result
    assert list(double.refunds) == [result.gateway_refund_id]
    gateway.refund(refund_request(request.payment_id, 1499, "R-2"))
    with pytest.raises(GatewayRejectedError, match="charge_already_refunded"):
        gateway.refund(refund_request(request.payment_id, 1, "R-3"))


def test_refund_reports_how_it_ends(gateway: StripeGateway, double: StripeDouble) -> None:
    double.refund_status = "pending"
    request = refund_request(paid_checkout(gateway, double))
    result = gateway.refund(request)
    assert result.status is RefundStatus.PROCESSING
    for status, kind, expected in (
        ("pending", "refund.created", RefundStatus.PROCESSING),
        ("requires_action", "refund.updated", RefundStatus.PROCESSING),
        ("succeeded", "refund.updated", RefundStatus.SUCCEEDED),
        ("failed", "refund.failed", RefundStatus.FAILED),
        ("canceled", "refund.updated", RefundStatus.FAILED),
    ):
        (event,) = read(gateway, double.refund_event(result.gateway_refund_id, status, kind))
        assert event.refund == RefundResult(expected, result.gateway_refund_id)
        assert (event.refund_reference, event.payment_id) == (REFUND_REFERENCE, request.payment_id)
        assert gateway.refund(request) == event.refund


def test_disputes_are_reported(gateway: StripeGateway, double: StripeDouble) -> None:
    payment_id = paid_checkout(gateway, double)
    for number, (status, kind, case, expected) in enumerate(DISPUTES):
        sent = double.dispute(payment_id, status, f"charge.dispute.{kind}", number, case_type=case)
        sent["data"]["object"]["amount"] = "is not read"
        events = read(gateway, sent)
        assert [event.kind for event in events] == ([] if expected is None else [expected]), (status, case)
        dispute_id = sent["data"]["object"]["id"]
        assert all((event.payment_id, event.dispute_id) == (payment_id, dispute_id) for event in events)


def test_all_dispute_statuses_of_the_sdk_have_a_meaning() -> None:
    """A new version of the SDK may have more of them."""
    names = {name for literal in get_args(Dispute.__annotations__["status"]) for name in get_args(literal)}
    assert names == DISPUTE_KINDS_BY_STATUS.keys()
    assert names <= {status for status, *_ in DISPUTES}


def test_events_of_other_programs_are_left_out(gateway: StripeGateway, double: StripeDouble) -> None:
    checkout = gateway.create_checkout(checkout_request())
    foreign = double.pay(checkout.id)
    foreign["data"]["object"] |= {"client_reference_id": None}
    subscription = double.pay(checkout.id)
    subscription["data"]["object"] |= {"mode": "subscription", "payment_intent": None}
    for event in (foreign, subscription, {"id": "evt_1", "type": "customer.created", "data": {"object": {}}}):
        assert read(gateway, event) == []


def test_forged_webhooks_are_refused(gateway: StripeGateway, double: StripeDouble) -> None:
    event = double.pay(gateway.create_checkout(checkout_request()).id)
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
            gateway.read_webhook(forged_headers, forged_body, datetime.now(UTC))


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=500), Fault(status=429, body=b'{"error":{"type":"invalid_request_error","code":"rate_limit"}}'),
        Fault(status=409, body=b'{"error":{"type":"idempotency_error","code":"idempotency_key_in_use"}}'),
        Fault(status=502, acts=True), Fault(drops=True), Fault(drops=True, acts=True), Fault(200, body=b"<html>"),
    ],
    ids=lambda fault: f"{fault.status}-{fault.drops}-{fault.acts}",
)  # fmt: skip
def test_unclear_answer_is_cleared_up_by_a_repetition(
    gateway: StripeGateway, double: StripeDouble, fault: Fault
) -> None:
    request = checkout_request()
    double.faults = [fault]
    with pytest.raises(GatewayUnavailableError):
        gateway.create_checkout(request)
    assert len(double.requests) == 1
    gateway.create_checkout(request)
    assert len(double.sessions) == 1
    refund = refund_request(str(double.pay("cs_test_1")["data"]["object"]["payment_intent"]))
    double.faults = [None, fault]
    with pytest.raises(GatewayUnavailableError):
        gateway.refund(refund)
    gateway.refund(refund)
    assert len(double.refunds) == 1


def test_slow_gateway_is_given_up_in_time(double: StripeDouble) -> None:
    gateway = StripeGateway(SECRET_KEY, WEBHOOK_SECRET, double.url, seconds=1)
    double.faults = [Fault(delay_seconds=0.1), Fault(delay_seconds=LONGER_THAN_ANY_TIMEOUT)]
    gateway.create_checkout(checkout_request())
    started_at = time.monotonic()
    with pytest.raises(GatewayUnavailableError):
        gateway.refund(refund_request("pi_1"))
    assert time.monotonic() - started_at < 5


def test_configuration_errors_leave_the_payment_open(gateway: StripeGateway, double: StripeDouble) -> None:
    request = checkout_request()
    with pytest.raises(GatewayUnavailableError, match="AuthenticationError 401"):
        StripeGateway("sk_test_wrong", WEBHOOK_SECRET, double.url).create_checkout(request)
    gateway.create_checkout(request)
    with pytest.raises(GatewayUnavailableError, match="IdempotencyError 400"):
        gateway.create_checkout(checkout_request(Money(1, "USD")))


def test_errors_show_no_personal_data(gateway: StripeGateway) -> None:
    with pytest.raises(GatewayRejectedError) as caught:
        gateway.create_checkout(checkout_request(Money(1, "USD")))
    assert str(caught.value) == "InvalidRequestError 400 amount_too_small line_items req_double"
