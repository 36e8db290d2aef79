"""Events of PayPal, and objects in them, as events of the interface."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lms_graphql.billing.gateways.interface import Event, EventKind, RefundResult
from lms_graphql.billing.gateways.paypal_amounts import from_paypal_amount
from lms_graphql.billing.models import RefundStatus

_REFUND_STATUSES = {
    "COMPLETED": RefundStatus.SUCCEEDED,
    "FAILED": RefundStatus.FAILED,
    "CANCELLED": RefundStatus.FAILED,
}
"""Meaning of a refund's status. In all others it is PROCESSING."""
_CAPTURE_KINDS = {
    "PENDING": EventKind.PAYMENT_PROMISED,
    "COMPLETED": EventKind.PAYMENT_RECEIVED,
    "PARTIALLY_REFUNDED": EventKind.PAYMENT_RECEIVED,
    "REFUNDED": EventKind.PAYMENT_RECEIVED,
    "DECLINED": EventKind.PAYMENT_FAILED,
    "FAILED": EventKind.PAYMENT_FAILED,
}
"""Meaning of a capture's status. A pending capture, for example under review, is reported again when it ends."""
DISPUTE_KINDS_BY_OUTCOME: Mapping[str | None, EventKind] = {
    "RESOLVED_BUYER_FAVOUR": EventKind.DISPUTE_LOST,
    "ACCEPTED": EventKind.DISPUTE_LOST,
    "RESOLVED_SELLER_FAVOUR": EventKind.DISPUTE_WON,
    "RESOLVED_WITH_PAYOUT": EventKind.DISPUTE_WON,  # PayPal pays
    "CANCELED_BY_BUYER": EventKind.DISPUTE_WON,
    "DENIED": EventKind.DISPUTE_WON,
    "NONE": EventKind.DISPUTE_WON,  # another dispute about the payment goes on
}
"""Meaning of a resolved dispute's outcome. PayPal accepts or denies the claim of the buyer."""

Object = Mapping[str, Any]
"""An object of PayPal's API, as JSON."""


def events_of(event: Object) -> Sequence[Event]:
    """Return what a webhook's event says; nothing if it does not concern us."""
    read = _READERS.get(event["event_type"])
    return [] if read is None else read(event["id"], event["resource"])


def captured_events(order: Object) -> Sequence[Event]:
    """Return what has happened to the payments of an order. The ids of the events derive from the payments."""
    events: list[Event] = []
    for unit in order["purchase_units"]:
        for capture in unit.get("payments", {}).get("captures", []):
            named = {"custom_id": unit.get("custom_id"), **capture}
            events += _capture_changed(f"{capture['id']}:{capture['status']}", named, order["id"])
    return events


def refund_result(refund: Object) -> RefundResult:
    return RefundResult(_REFUND_STATUSES.get(refund["status"], RefundStatus.PROCESSING), refund["id"])


def _order_approved(event_id: str, order: Object) -> Sequence[Event]:
    reference = order["purchase_units"][0].get("custom_id")
    return [Event(event_id, EventKind.CHECKOUT_CHANGED, reference=reference, checkout_id=order["id"])]


def _capture_of_event(event_id: str, capture: Object) -> Sequence[Event]:
    related = capture.get("supplementary_data", {}).get("related_ids", {})
    return _capture_changed(event_id, capture, related.get("order_id"))


def _capture_changed(event_id: str, capture: Object, order_id: str | None) -> Sequence[Event]:
    kind = _CAPTURE_KINDS.get(capture["status"])
    if kind is None:
        return []
    reference, amount = capture.get("custom_id"), from_paypal_amount(capture["amount"])
    return [Event(event_id, kind, reference, order_id, payment_id=capture["id"], amount=amount)]


def _refund_changed(event_id: str, refund: Object) -> Sequence[Event]:
    return [
        Event(
            event_id,
            EventKind.REFUND_CHANGED,
            payment_id=_refunded_capture(refund),
            refund_reference=refund.get("custom_id"),
            refund=refund_result(refund),
        )
    ]


def _refunded_capture(refund: Object) -> str | None:
    """Return the id of the refunded capture, which only a link names."""
    for link in refund["links"]:
        if link["rel"] == "up":
            return str(link["href"]).rstrip("/").rpartition("/")[2]
    return None


def _dispute_changed(event_id: str, dispute: Object) -> Sequence[Event]:
    """Return the state of the dispute for each disputed payment.

    An inquiry is only a question of the buyer, and a refund settles it. It can become a claim with the same id, which
    only `CUSTOMER.DISPUTE.UPDATED` reports.
    """
    kind = None if dispute.get("dispute_life_cycle_stage") == "INQUIRY" else EventKind.DISPUTE_OPENED
    if dispute.get("status") == "RESOLVED":
        kind = DISPUTE_KINDS_BY_OUTCOME.get((dispute.get("dispute_outcome") or {}).get("outcome_code"))
    if kind is None:
        return []
    dispute_id = dispute["dispute_id"]
    payment_ids = [transaction["seller_transaction_id"] for transaction in dispute["disputed_transactions"]]
    return [
        Event(event_id if number == 0 else f"{event_id}:{number}", kind, payment_id=payment_id, dispute_id=dispute_id)
        for number, payment_id in enumerate(payment_ids)
    ]


_READERS: Mapping[str, Callable[[str, Object], Sequence[Event]]] = {
    "CHECKOUT.ORDER.APPROVED": _order_approved,
    "PAYMENT.CAPTURE.PENDING": _capture_of_event,
    "PAYMENT.CAPTURE.COMPLETED": _capture_of_event,
    "PAYMENT.CAPTURE.DECLINED": _capture_of_event,
    "PAYMENT.CAPTURE.DENIED": _capture_of_event,
    "PAYMENT.CAPTURE.REFUNDED": _refund_changed,
    "PAYMENT.REFUND.PENDING": _refund_changed,
    "PAYMENT.REFUND.FAILED": _refund_changed,
    "CUSTOMER.DISPUTE.CREATED": _dispute_changed,
    "CUSTOMER.DISPUTE.UPDATED": _dispute_changed,
    "CUSTOMER.DISPUTE.RESOLVED": _dispute_changed,
}
