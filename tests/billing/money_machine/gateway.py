"""A gateway with its own books, which answers late, wrongly or never, as drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from lms_graphql.billing.gateways.interface import (
    Checkout,
    CheckoutRequest,
    Event,
    EventKind,
    GatewayRejectedError,
    GatewayUnavailableError,
    InvalidWebhookError,
    RefundRequest,
    RefundResult,
)
from lms_graphql.billing.models import PaymentMethod, RefundStatus
from lms_graphql.core.money import Money
from tests.error_injection import ProcessKilledError


class Behavior(StrEnum):
    """Outcome of a call of the gateway."""

    SUCCESS = "success"
    PROCESSING = "processing"
    """A refund takes longer. Everything else succeeds."""
    REJECTED = "rejected"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"
    """It acts, but its answer is lost."""
    KILLED = "killed"
    """It acts, and the process of the service is killed before it gets the answer."""


@dataclass
class ModelRefund:
    payment_id: str
    units: int
    status: RefundStatus


@dataclass
class ModelGateway:
    """The gateway. Its events can be delivered late, again and in any order."""

    method = PaymentMethod.FAKE

    behavior: Behavior = Behavior.SUCCESS
    """Behavior in all calls of this step."""
    checkouts: set[str] = field(default_factory=set)
    """References of the checkouts that were opened."""
    declined: set[str] = field(default_factory=set)
    """References of the checkouts that were declined or have expired."""
    paid: dict[str, int] = field(default_factory=dict)
    """Amount by payment id."""
    refunds: dict[str, ModelRefund] = field(default_factory=dict)
    """Refunds by their reference."""
    excessive_refunds: list[str] = field(default_factory=list)
    """References of refunds that would have returned more than what was paid. Disputed payments are left out."""
    disputed: dict[str, int] = field(default_factory=dict)
    """Amount that a lost dispute has returned, by payment id."""
    events: list[Event] = field(default_factory=list)
    _reference_by_payment: dict[str, str] = field(default_factory=dict)

    # What the service calls.

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        self._begin_call()
        if self.behavior is Behavior.REJECTED and request.reference not in self.checkouts:
            raise GatewayRejectedError
        self.checkouts.add(request.reference)
        self._end_call()
        return Checkout(_checkout_id(request.reference), None)

    def expire_checkout(self, checkout_id: str) -> None:
        self._begin_call()
        reference = self._opened(checkout_id)
        if reference in self._reference_by_payment.values():
            raise GatewayRejectedError
        self.declined.add(reference)
        self._end_call()

    def fetch_checkout(self, checkout_id: str) -> Sequence[Event]:
        """Return events with ids of their own for what webhooks report, too."""
        self._begin_call()
        reference = self._opened(checkout_id)
        payments = [payment for payment, paid_for in self._reference_by_payment.items() if paid_for == reference]
        self._end_call()
        if not payments and reference in self.declined:
            return [Event(f"fetched {reference}", EventKind.PAYMENT_FAILED, reference)]
        return [
            Event(f"fetched {id}", EventKind.PAYMENT_RECEIVED, reference, payment_id=id, amount=self._amount(id))
            for id in payments
        ]

    def refund(self, request: RefundRequest) -> RefundResult:
        """Make a refund, or return the state of the one with this reference."""
        self._begin_call()
        if request.reference not in self.refunds:
            if self.behavior is Behavior.REJECTED:
                raise GatewayRejectedError
            if request.amount.units > self.left(request.payment_id):
                if request.payment_id not in self.disputed:
                    self.excessive_refunds.append(request.reference)
                raise GatewayRejectedError
            is_processing = self.behavior is Behavior.PROCESSING
            status = RefundStatus.PROCESSING if is_processing else RefundStatus.SUCCEEDED
            self.refunds[request.reference] = ModelRefund(request.payment_id, request.amount.units, status)
            self._report_refund(request.reference)
        self._end_call()
        return self._result(request.reference)

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Event]:
        raise InvalidWebhookError("The events of this gateway are delivered without webhooks.")

    # What buyers, banks and the gateway do. It adds the event that the gateway sends for it.

    def pay(self, reference: str, units: int) -> None:
        id = f"payment {len(self.paid)}"
        self.paid[id], self._reference_by_payment[id] = units, reference
        self._add_event(EventKind.PAYMENT_RECEIVED, reference, payment_id=id, amount=self._amount(id))

    def decline(self, reference: str) -> None:
        self.declined.add(reference)
        self._add_event(EventKind.PAYMENT_FAILED, reference)

    def dispute(self, payment_id: str, number: int, kind: EventKind) -> None:
        """Report a state of one of the disputes about a payment. Its event names no transaction."""
        if kind is EventKind.DISPUTE_LOST:
            self.disputed[payment_id] = self.disputed.get(payment_id, 0) + self.left(payment_id)
        self._add_event(kind, None, payment_id=payment_id, dispute_id=f"dispute {number} of {payment_id}")

    def finish_refund(self, reference: str, *, succeeds: bool) -> None:
        """End a refund that takes longer, and report its state. One that has ended is reported again."""
        refund = self.refunds[reference]
        if refund.status is RefundStatus.PROCESSING:
            refund.status = RefundStatus.SUCCEEDED if succeeds else RefundStatus.FAILED
        self._report_refund(reference)

    def left(self, payment_id: str) -> int:
        """Return the amount that neither refunds nor disputes have returned, or are returning."""
        refunded = sum(
            refund.units
            for refund in self.refunds.values()
            if refund.payment_id == payment_id and refund.status is not RefundStatus.FAILED
        )
        return self.paid[payment_id] - refunded - self.disputed.get(payment_id, 0)

    def _begin_call(self) -> None:
        if self.behavior is Behavior.UNAVAILABLE:
            raise GatewayUnavailableError

    def _end_call(self) -> None:
        if self.behavior is Behavior.TIMEOUT:
            raise GatewayUnavailableError
        if self.behavior is Behavior.KILLED:
            raise ProcessKilledError

    def _opened(self, checkout_id: str) -> str:
        """Return the reference of a checkout. Raise GatewayRejectedError if there is none with this id."""
        for reference in self.checkouts:
            if _checkout_id(reference) == checkout_id:
                return reference
        raise GatewayRejectedError

    def _amount(self, payment_id: str) -> Money:
        return Money(self.paid[payment_id], "USD")

    def _result(self, reference: str) -> RefundResult:
        return RefundResult(self.refunds[reference].status, f"refund of {reference}")

    def _report_refund(self, reference: str) -> None:
        result = self._result(reference)
        self._add_event(EventKind.REFUND_CHANGED, None, refund_reference=reference, refund=result)

    def _add_event(self, kind: EventKind, reference: str | None, **facts: Any) -> None:
        self.events.append(Event(f"event {len(self.events)}", kind, reference=reference, **facts))


def _checkout_id(reference: str) -> str:
    return f"checkout of {reference}"
