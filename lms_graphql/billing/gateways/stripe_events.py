"""Events of Stripe, and objects in them, as events of the interface."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lms_graphql.billing.gateways.interface import Event, EventKind, RefundResult
from lms_graphql.billing.gateways.stripe_amounts import from_stripe_units
from lms_graphql.billing.models import RefundStatus

REFUND_REFERENCE = "refund_reference"
"""Key of a refund's metadata."""
_REFUND_STATUSES = {
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}
"""Meaning of a refund's status. In all others it is PROCESSING."""
_UNPAID_INTENTS = {"canceled", "requires_payment_method"}
"""States of the payment of a completed checkout in which it will not be paid any more.

While the checkout is open, the buyer may try another card.
"""
DISPUTE_KINDS_BY_STATUS: Mapping[str | None, EventKind | None] = {
    "needs_response": EventKind.DISPUTE_OPENED,
    "under_review": EventKind.DISPUTE_OPENED,
    "appeal_needs_response": EventKind.DISPUTE_OPENED,
    "appeal_under_review": EventKind.DISPUTE_OPENED,
    "won": EventKind.DISPUTE_WON,
    "lost": EventKind.DISPUTE_LOST,
    "warning_needs_response": None,
    "warning_under_review": None,
    "warning_closed": None,
    "prevented": None,
}
"""Meaning of a dispute's status, for all statuses of the SDK.

A warning is only a question of the bank: no money moves, and a refund settles it. It can become a dispute with the
same id, also after it was closed, so that even its end is left out. `prevented` depends on the case.
"""
PREVENTED_KINDS_BY_CASE: Mapping[str | None, EventKind] = {
    "resolution": EventKind.DISPUTE_LOST,
    "block": EventKind.DISPUTE_WON,
}
"""How a dispute was prevented: by returning the money, or by convincing the bank."""

Object = Mapping[str, Any]
"""An object of Stripe's API, as JSON."""


def events_of(event: Object) -> Sequence[Event]:
    """Return what a webhook's event says; nothing if it does not concern us.

    Webhooks report everything in the account, also payments of other programs.
    """
    read = _READERS.get(event["type"])
    return [] if read is None else read(event["id"], event["data"]["object"])


def checkout_events(session: Object) -> Sequence[Event]:
    """Return what has happened to a checkout, whose payment is expanded."""
    payment = session["payment_intent"] or {}
    if session["payment_status"] == "paid":
        return [_payment_received(f"{payment['id']}:paid", {**session, "payment_intent": payment["id"]})]
    is_unpaid = session["status"] == "complete" and payment.get("status") in _UNPAID_INTENTS
    if is_unpaid or session["status"] == "expired":
        return _payment_failed(f"{session['id']}:failed", session)
    is_promised = session["status"] == "complete"
    return [_checkout_event(f"{session['id']}:promised", EventKind.PAYMENT_PROMISED, session)] if is_promised else []


def refund_result(refund: Object) -> RefundResult:
    return RefundResult(_REFUND_STATUSES.get(refund["status"], RefundStatus.PROCESSING), refund["id"])


def _checkout_completed(event_id: str, session: Object) -> Sequence[Event]:
    """Return the payment. If it takes days, as a bank debit does, another event reports it."""
    if session["payment_status"] == "paid":
        return [_payment_received(event_id, session)]
    return [_checkout_event(event_id, EventKind.PAYMENT_PROMISED, session)]


def _payment_succeeded(event_id: str, session: Object) -> Sequence[Event]:
    return [_payment_received(event_id, session)]


def _payment_received(event_id: str, session: Object) -> Event:
    return Event(
        event_id,
        EventKind.PAYMENT_RECEIVED,
        reference=session["client_reference_id"],
        checkout_id=session["id"],
        payment_id=session["payment_intent"],
        amount=from_stripe_units(session["amount_total"], session["currency"]),
    )


def _payment_failed(event_id: str, session: Object) -> Sequence[Event]:
    return [_checkout_event(event_id, EventKind.PAYMENT_FAILED, session)]


def _checkout_event(event_id: str, kind: EventKind, session: Object) -> Event:
    return Event(event_id, kind, reference=session["client_reference_id"], checkout_id=session["id"])


def _refund_changed(event_id: str, refund: Object) -> Sequence[Event]:
    return [
        Event(
            event_id,
            EventKind.REFUND_CHANGED,
            payment_id=refund["payment_intent"],
            refund_reference=(refund["metadata"] or {}).get(REFUND_REFERENCE),
            refund=refund_result(refund),
        )
    ]


def _dispute_changed(event_id: str, dispute: Object) -> Sequence[Event]:
    """Return the state of the dispute, which every event of it has. So an event that is missing does no harm."""
    kind = DISPUTE_KINDS_BY_STATUS.get(dispute["status"])
    if dispute["status"] == "prevented":
        card = (dispute.get("payment_method_details") or {}).get("card") or {}
        kind = PREVENTED_KINDS_BY_CASE.get(card.get("case_type"))
    if kind is None:
        return []
    return [Event(event_id, kind, payment_id=dispute["payment_intent"], dispute_id=dispute["id"])]


def _of_checkout(read: Callable[[str, Object], Sequence[Event]]) -> Callable[[str, Object], Sequence[Event]]:
    """Read only checkouts of payments with a reference, because subscriptions and payment links have none."""

    def read_own(event_id: str, session: Object) -> Sequence[Event]:
        is_ours = session["mode"] == "payment" and session["client_reference_id"]
        return read(event_id, session) if is_ours else []

    return read_own


def _of_payment(read: Callable[[str, Object], Sequence[Event]]) -> Callable[[str, Object], Sequence[Event]]:
    """Read only what names a payment of a checkout, because charges of old programs have none."""
    return lambda event_id, item: read(event_id, item) if item["payment_intent"] else []


_READERS: Mapping[str, Callable[[str, Object], Sequence[Event]]] = {
    "checkout.session.completed": _of_checkout(_checkout_completed),
    "checkout.session.async_payment_succeeded": _of_checkout(_payment_succeeded),
    "checkout.session.async_payment_failed": _of_checkout(_payment_failed),
    "checkout.session.expired": _of_checkout(_payment_failed),
    "refund.created": _of_payment(_refund_changed),
    "refund.updated": _of_payment(_refund_changed),
    "refund.failed": _of_payment(_refund_changed),
    "charge.dispute.created": _of_payment(_dispute_changed),
    "charge.dispute.updated": _of_payment(_dispute_changed),
    "charge.dispute.funds_withdrawn": _of_payment(_dispute_changed),
    "charge.dispute.funds_reinstated": _of_payment(_dispute_changed),
    "charge.dispute.closed": _of_payment(_dispute_changed),
}
