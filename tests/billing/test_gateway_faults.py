"""Faults of Stripe and PayPal: unclear answers, slow ones, and errors. Adapters against doubles."""

import time
from dataclasses import replace

import pytest

from lms_graphql.billing.gateways.interface import GatewayRejectedError, GatewayUnavailableError
from lms_graphql.billing.gateways.paypal import PayPalGateway
from lms_graphql.billing.gateways.stripe import StripeGateway
from lms_graphql.core.money import Money
from tests.billing.doubles.http_double import LONGER_THAN_ANY_TIMEOUT, Fault
from tests.billing.doubles.paypal_double import WEBHOOK_ID
from tests.billing.doubles.stripe_double import WEBHOOK_SECRET
from tests.billing.gateway_adapters import Adapter, PayPalAdapter, StripeAdapter
from tests.billing.gateway_requests import checkout_request, refund_request

UNCLEAR = (
    Fault(500), Fault(502, acts=True), Fault(drops=True), Fault(drops=True, acts=True), Fault(200, body=b"<html>"),
)  # fmt: skip
STRIPE_FAULTS = (
    *UNCLEAR,
    Fault(429, body=b'{"error":{"type":"invalid_request_error","code":"rate_limit"}}'),
    Fault(409, body=b'{"error":{"type":"idempotency_error","code":"idempotency_key_in_use"}}'),
)
PAYPAL_FAULTS = (*UNCLEAR, *(Fault(status, body=b"{}") for status in (403, 409, 429)))
MESSAGES = {
    "stripe": "InvalidRequestError 400 resource_missing payment_intent req_double",
    "paypal": "PayPal answered 404 INVALID_RESOURCE_ID (f0a1b2c3).",
}


@pytest.mark.parametrize(
    ("adapter", "fault"),
    [
        *(pytest.param("stripe", fault, id=f"stripe-{number}") for number, fault in enumerate(STRIPE_FAULTS)),
        *(pytest.param("paypal", fault, id=f"paypal-{number}") for number, fault in enumerate(PAYPAL_FAULTS)),
    ],
    indirect=["adapter"],
)
def test_unclear_answer_is_cleared_up_by_a_repetition(adapter: Adapter, fault: Fault) -> None:
    checkout = checkout_request()
    adapter.double.faults = [replace(fault, path=adapter.checkout_path)]
    with pytest.raises(GatewayUnavailableError):
        adapter.gateway.create_checkout(checkout)
    assert len(adapter.double.calls("POST", adapter.checkout_path)) == 1
    request = refund_request(adapter.pay(checkout))
    assert adapter.checkout_count() == 1
    adapter.double.faults = [replace(fault, path=adapter.refund_path)]
    with pytest.raises(GatewayUnavailableError):
        adapter.gateway.refund(request)
    adapter.gateway.refund(request)
    assert len(adapter.refund_ids()) == 1


def test_slow_gateway_is_given_up_in_time(adapter: Adapter) -> None:
    """The time is that of the whole operation, which has two calls."""
    adapter.double.faults = [Fault(delay_seconds=0.1), Fault(delay_seconds=LONGER_THAN_ANY_TIMEOUT)]
    started_at = time.monotonic()
    with pytest.raises(GatewayUnavailableError):
        adapter.create(seconds=1).refund(refund_request("a payment"))
    assert len(adapter.double.requests) == 2
    assert time.monotonic() - started_at < 5


def test_errors_show_no_personal_data(adapter: Adapter) -> None:
    with pytest.raises(GatewayRejectedError) as caught:
        adapter.gateway.refund(refund_request("3C0"))
    assert str(caught.value) == MESSAGES[adapter.name]


def test_configuration_errors_leave_the_payment_open_at_stripe(stripe: StripeAdapter) -> None:
    request = checkout_request()
    with pytest.raises(GatewayUnavailableError, match="AuthenticationError 401"):
        StripeGateway("sk_test_wrong", WEBHOOK_SECRET, stripe.double.url).create_checkout(request)
    stripe.gateway.create_checkout(request)
    with pytest.raises(GatewayUnavailableError, match="IdempotencyError 400"):
        stripe.gateway.create_checkout(checkout_request(Money(1, "USD")))


def test_wrong_credentials_leave_the_payment_open_at_paypal(paypal: PayPalAdapter) -> None:
    gateway = PayPalGateway(paypal.account("wrong"), WEBHOOK_ID, "")
    with pytest.raises(GatewayUnavailableError, match="401"):
        gateway.create_checkout(checkout_request())


def test_token_is_cached_until_it_expires_or_is_revoked(paypal: PayPalAdapter) -> None:
    double = paypal.double
    paypal.gateway.create_checkout(checkout_request())
    paypal.gateway.create_checkout(checkout_request(reference="T-2"))
    assert len(double.calls("POST", "/v1/oauth2/token")) == 1
    double.revoke_tokens()
    double.token_seconds = 60
    paypal.gateway.create_checkout(checkout_request(reference="T-3"))
    assert len(double.calls("POST", "/v1/oauth2/token")) == 2
    paypal.gateway.create_checkout(checkout_request(reference="T-4"))
    assert len(double.calls("POST", "/v1/oauth2/token")) == 3
    assert paypal.checkout_count() == 4
