"""Interface of payment gateways, with the values that go to them and come from them.

Adapters make blocking HTTP calls, so they are called in a worker thread and outside of any transaction. Each call has
a timeout and an idempotency key: repeating a call has no further effect.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from lms_graphql.billing.models import PaymentMethod, RefundStatus
from lms_graphql.core.money import Money


class GatewayRejectedError(Exception):
    """The gateway rejected the request. Nothing happened, and repeating it is useless. The message is for the log."""


class GatewayUnavailableError(Exception):
    """The gateway did not answer, or not in time. It may have acted. Repeat the call with the same key."""


class InvalidWebhookError(Exception):
    """The webhook is not from the gateway: its signature is wrong, or it is too old. The message is for the log."""


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """A checkout to open. `reference` is the transaction's, and the idempotency key of the call."""

    reference: str
    amount: Money
    description: str
    customer_email: str
    return_url: str
    """URL to which the gateway sends the buyer back, after the payment or its cancellation."""
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Checkout:
    """An open checkout: its id at the gateway, and the page on which the buyer pays. The page may be missing."""

    id: str
    url: str | None


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """A refund to make. `reference` is the idempotency key of the call."""

    reference: str
    payment_id: str
    amount: Money
    reason: str


@dataclass(frozen=True, slots=True)
class RefundResult:
    """State of a refund at the gateway. PROCESSING: the gateway reports later how it ended."""

    status: RefundStatus
    gateway_refund_id: str


class EventKind(StrEnum):
    """Kind of an event at the gateway."""

    CHECKOUT_CHANGED = "checkout_changed"
    """Something about the checkout. `fetch_checkout` says what, and completes it if that is necessary."""
    PAYMENT_PROMISED = "payment_promised"
    """The buyer has done everything, and the money takes days. Another event says whether it has arrived."""
    PAYMENT_RECEIVED = "payment_received"
    PAYMENT_FAILED = "payment_failed"
    """The checkout was declined or has expired, so that it cannot be paid any more."""
    REFUND_CHANGED = "refund_changed"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_WON = "dispute_won"
    """The dispute has ended without a loss: it was won, withdrawn, or replaced by another one."""
    DISPUTE_LOST = "dispute_lost"


@dataclass(frozen=True, slots=True)
class Event:
    """An event at the gateway. It names what it is about by at least one of its ids.

    Only payments have an amount. A refund has that of our request, and a lost dispute takes all that is left.
    """

    id: str
    kind: EventKind
    reference: str | None = None
    """Reference of the transaction."""
    checkout_id: str | None = None
    payment_id: str | None = None
    amount: Money | None = None
    refund_reference: str | None = None
    refund: RefundResult | None = None
    dispute_id: str | None = None
    """Id of the dispute at the gateway. An event of a dispute has it and `payment_id`."""


DISPUTE_KINDS = frozenset({EventKind.DISPUTE_OPENED, EventKind.DISPUTE_WON, EventKind.DISPUTE_LOST})


class Gateway(Protocol):
    """A payment gateway.

    All methods that call it raise GatewayRejectedError or GatewayUnavailableError.
    """

    method: PaymentMethod

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        """Open a checkout, or return the one that was opened with this reference."""

    def expire_checkout(self, checkout_id: str) -> None:
        """Close a checkout, so that it cannot be paid any more. Closing it twice succeeds.

        Raise GatewayRejectedError if it is paid. A closed checkout is not fetched, because that may capture it.
        """

    def fetch_checkout(self, checkout_id: str) -> Sequence[Event]:
        """Return events for what has happened to the checkout; empty if it is still open.

        An approved payment that must be captured is captured. The ids of the events are derived from the payment, so
        that asking again returns the same ones.
        """

    def refund(self, request: RefundRequest) -> RefundResult:
        """Return money, or return the state of the refund that was made with this reference."""

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Event]:
        """Return the events of a webhook. Events that do not concern us are left out.

        Header names are in lower case. Raise InvalidWebhookError if it is not from the gateway.
        """
