"""Refunds and disputes at Stripe and PayPal, by their adapters against doubles."""

from typing import get_args

import pytest
from stripe import Dispute

from lms_graphql.billing.gateways.interface import EventKind, GatewayRejectedError, RefundResult
from lms_graphql.billing.gateways.stripe_events import DISPUTE_KINDS_BY_STATUS
from lms_graphql.billing.models import RefundStatus
from tests.billing.gateway_adapters import Adapter, PayPalAdapter, StripeAdapter
from tests.billing.gateway_requests import REFUND_REFERENCE, refund_request

PROCESSING, SUCCEEDED, FAILED = RefundStatus.PROCESSING, RefundStatus.SUCCEEDED, RefundStatus.FAILED
OPENED, WON, LOST = EventKind.DISPUTE_OPENED, EventKind.DISPUTE_WON, EventKind.DISPUTE_LOST
EXCEEDED = {"stripe": "charge_already_refunded", "paypal": "REFUND_AMOUNT_EXCEEDED"}
RESULTS = {
    "stripe": (
        ("pending", "refund.created", PROCESSING),
        ("requires_action", "refund.updated", PROCESSING),
        ("succeeded", "refund.updated", SUCCEEDED),
        ("failed", "refund.failed", FAILED),
        ("canceled", "refund.updated", FAILED),
    ),
    "paypal": (
        ("PENDING", "PAYMENT.REFUND.PENDING", PROCESSING),
        ("COMPLETED", "PAYMENT.CAPTURE.REFUNDED", SUCCEEDED),
        ("FAILED", "PAYMENT.REFUND.FAILED", FAILED),
        ("CANCELLED", "PAYMENT.REFUND.FAILED", FAILED),
    ),
}
"""Status of a refund, event, and what the adapter reports."""
STRIPE_DISPUTES = (
    (("needs_response", "created", "chargeback"), OPENED),
    (("needs_response", "funds_withdrawn", "chargeback"), OPENED),
    (("under_review", "updated", "chargeback"), OPENED),
    (("appeal_needs_response", "updated", "chargeback"), OPENED),
    (("appeal_under_review", "updated", "chargeback"), OPENED),
    (("won", "closed", "chargeback"), WON),
    (("won", "funds_reinstated", "chargeback"), WON),
    (("lost", "closed", "chargeback"), LOST),
    (("warning_needs_response", "created", "inquiry"), None),
    (("warning_under_review", "updated", "inquiry"), None),
    (("warning_closed", "closed", "inquiry"), None),
    (("needs_response", "updated", "chargeback"), OPENED),  # the inquiry has become a dispute
    (("prevented", "created", "resolution"), LOST),
    (("prevented", "closed", "block"), WON),
    (("prevented", "created", "chargeback"), None),
    (("a status of the future", "updated", "chargeback"), None),
)
"""Status, event and type of the case, and what the adapter reports."""
PAYPAL_DISPUTES = (
    (("CREATED", None, "CHARGEBACK"), OPENED),
    (("CREATED", None, "INQUIRY"), None),
    (("UPDATED", None, "INQUIRY"), None),
    (("UPDATED", None, "CHARGEBACK"), OPENED),  # the inquiry has become a claim
    (("UPDATED", None, "PRE_ARBITRATION"), OPENED),
    (("UPDATED", "RESOLVED_BUYER_FAVOUR", "CHARGEBACK"), LOST),
    (("RESOLVED", "RESOLVED_BUYER_FAVOUR", "CHARGEBACK"), LOST),
    (("RESOLVED", "ACCEPTED", "INQUIRY"), LOST),
    (("RESOLVED", "RESOLVED_SELLER_FAVOUR", "CHARGEBACK"), WON),
    (("RESOLVED", "RESOLVED_WITH_PAYOUT", "CHARGEBACK"), WON),
    (("RESOLVED", "CANCELED_BY_BUYER", "CHARGEBACK"), WON),
    (("RESOLVED", "DENIED", "CHARGEBACK"), WON),
    (("RESOLVED", "NONE", "CHARGEBACK"), WON),
    (("RESOLVED", "AN_OUTCOME_OF_THE_FUTURE", "CHARGEBACK"), None),
)
"""Event, outcome and stage, and what the adapter reports."""


def test_refund_is_made_once_for_a_reference(adapter: Adapter) -> None:
    request = refund_request(adapter.pay(), 500)
    result = adapter.gateway.refund(request)
    adapter.let_a_day_pass()
    assert adapter.gateway.refund(request) == result
    assert adapter.refund_ids() == [result.gateway_refund_id]
    adapter.gateway.refund(refund_request(request.payment_id, 1499, "R-2"))
    with pytest.raises(GatewayRejectedError, match=EXCEEDED[adapter.name]):
        adapter.gateway.refund(refund_request(request.payment_id, 1, "R-3"))


def test_refund_reports_how_it_ends(adapter: Adapter) -> None:
    adapter.make_refunds_pending()
    request = refund_request(adapter.pay())
    result = adapter.gateway.refund(request)
    assert result.status is PROCESSING
    for status, kind, expected in RESULTS[adapter.name]:
        (event,) = adapter.read(adapter.refund_event(result.gateway_refund_id, status, kind))
        assert event.kind is EventKind.REFUND_CHANGED
        assert event.refund == RefundResult(expected, result.gateway_refund_id)
        assert (event.refund_reference, event.payment_id) == (REFUND_REFERENCE, request.payment_id)


def test_repeated_refund_returns_its_state_at_stripe(stripe: StripeAdapter) -> None:
    stripe.make_refunds_pending()
    request = refund_request(stripe.pay())
    refund_id = stripe.gateway.refund(request).gateway_refund_id
    for status, kind, expected in RESULTS["stripe"]:
        stripe.refund_event(refund_id, status, kind)
        assert stripe.gateway.refund(request) == RefundResult(expected, refund_id)


def test_disputes_are_reported(adapter: Adapter) -> None:
    payment_id = adapter.pay()
    disputes = STRIPE_DISPUTES if adapter.name == "stripe" else PAYPAL_DISPUTES
    for number, (state, expected) in enumerate(disputes):
        sent, dispute_id = adapter.dispute(payment_id, number, *state)
        events = adapter.read(sent)
        assert [event.kind for event in events] == ([] if expected is None else [expected]), state
        assert all((event.payment_id, event.dispute_id) == (payment_id, dispute_id) for event in events)


def test_all_dispute_statuses_of_stripes_sdk_have_a_meaning() -> None:
    """A new version of the SDK may have more of them."""
    names = {name for literal in get_args(Dispute.__annotations__["status"]) for name in get_args(literal)}
    assert names == DISPUTE_KINDS_BY_STATUS.keys()
    assert names <= {status for (status, *_), _ in STRIPE_DISPUTES}


def test_dispute_of_several_payments_names_each(paypal: PayPalAdapter) -> None:
    event, dispute_id = paypal.dispute(paypal.pay(), 1, "RESOLVED", "RESOLVED_BUYER_FAVOUR", "CHARGEBACK")
    event["resource"]["disputed_transactions"] += [{"seller_transaction_id": "OTHER"}]
    first, second = paypal.read(event)
    assert (first.id, second.id, second.payment_id) == (event["id"], f"{event['id']}:1", "OTHER")
    assert first.dispute_id == second.dispute_id == dispute_id
