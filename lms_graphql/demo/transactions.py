"""Rows of a demo transaction with its payment and refunds, as the services and gateways would have stored them."""

from collections.abc import Mapping
from datetime import datetime
from random import Random
from typing import Any, NamedTuple

from lms_graphql.billing.gateways import fake
from lms_graphql.billing.gateways.interface import Event, EventKind
from lms_graphql.billing.models import (
    Dispute,
    DisputeStatus,
    FakePayment,
    FakePaymentStatus,
    FakeRefund,
    GatewayEvent,
    Payment,
    PaymentMethod,
    PaymentOutcome,
    Refund,
    RefundKind,
    RefundStatus,
    Transaction,
    TransactionStatus,
)
from lms_graphql.billing.purchase_rules import expiry
from lms_graphql.billing.references import new_refund_reference, new_transaction_reference
from lms_graphql.billing.services.refunds import AUTOMATIC_REASONS
from lms_graphql.billing.transitions import SOURCES
from lms_graphql.billing.urls import fake_checkout_path, return_url
from lms_graphql.core import codes, global_ids
from lms_graphql.core.urls import join_url
from lms_graphql.demo.courses import DemoCourse
from lms_graphql.demo.row_buffer import RowBuffer
from lms_graphql.settings import Settings

TOKEN_BYTES = 32


class DemoRefund(NamedTuple):
    """Refund of a part of a payment, or of all of it. Without a person it is a lost dispute."""

    kind: RefundKind
    units: int
    reason: str
    requested_by_key: int | None
    requested_at: datetime
    completed_at: datetime


class DemoTransaction:
    """Transaction that is changed step by step, and then added to the buffer with all that belongs to it."""

    def __init__(
        self,
        rows: RowBuffer,
        settings: Settings,
        rng: Random,
        buyer_key: int,
        course: DemoCourse,
        method: PaymentMethod,
        started_at: datetime,
    ) -> None:
        self.key = rows.next_key(Transaction)
        self.course = course
        self._rows = rows
        self._rng = rng
        self._method = method
        self._payment_key: int | None = None
        self._values: dict[str, Any] = {
            "id": self.key,
            "created_at": started_at,
            "user_id": buyer_key,
            "course_id": course.key,
            "transaction_id": new_transaction_reference(rng.choice),
            "amount": course.price.units,
            "refunded_amount": 0,
            "currency": course.price.currency,
            "status": TransactionStatus.PENDING,
            "payment_method": method,
            "description": course.title,
            "reserved_amount": 0,
            "expires_at": expiry(method, started_at),
            "next_check_at": None,
            "disputed_at": None,
        }
        self._set(started_at, completed_at=None, receipt_code=None)
        self._checkout = self._open_fake_checkout(settings) if method is PaymentMethod.FAKE else None
        checkout_id, url = self._values["transaction_id"], None
        if self._checkout is not None:
            checkout_id = self._checkout_event().checkout_id
            url = join_url(settings.service_url, fake_checkout_path(self._checkout["token"]))
        self._set(started_at, gateway_transaction_id=checkout_id, checkout_url=url)

    def pay(self, paid_at: datetime) -> None:
        """Complete the transaction. A transfer is confirmed without a reference of the bank."""
        self._change_status(TransactionStatus.COMPLETED, paid_at, completed_at=paid_at)
        self._set(paid_at, receipt_code=codes.new_code(self._rng.choice))
        self._payment_key = self._rows.next_key(Payment)
        payment_id = self._values["transaction_id"]
        if self._checkout is not None:
            payment_id = self._settle_checkout(FakePaymentStatus.PAID, paid_at).payment_id
        self._rows.add(
            Payment,
            id=self._payment_key,
            created_at=paid_at,
            updated_at=paid_at,
            transaction_id=self.key,
            payment_method=self._method,
            gateway_payment_id=payment_id,
            amount=self._values["amount"],
            currency=self._values["currency"],
            outcome=PaymentOutcome.BOOKED,
        )

    def decline(self, declined_at: datetime) -> None:
        """Let the payment fail at the fake gateway."""
        self._change_status(TransactionStatus.FAILED, declined_at)
        self._settle_checkout(FakePaymentStatus.DECLINED, declined_at)

    def cancel(self, cancelled_at: datetime) -> None:
        """Cancel the purchase, and close its checkout at the fake gateway."""
        self._change_status(TransactionStatus.CANCELLED, cancelled_at)
        assert self._checkout is not None
        self._checkout |= {"status": FakePaymentStatus.EXPIRED, "updated_at": cancelled_at}

    def remove_expiry(self) -> None:
        """Remove the expiry, so that maintenance does not cancel the purchase, whose date lies in the past."""
        self._values["expires_at"] = None

    def refund(self, refund: DemoRefund) -> int:
        """Refund a part of the payment or all of it. Return the refund's key."""
        key, refunded = self._rows.next_key(Refund), self._values["refunded_amount"] + refund.units
        is_full = refunded == self._values["amount"]
        status = TransactionStatus.REFUNDED if is_full else TransactionStatus.PARTIALLY_REFUNDED
        self._change_status(status, refund.completed_at, refunded_amount=refunded)
        reference = new_refund_reference(self._rng.choice)
        gateway_refund_id: str | None = reference
        if refund.kind is RefundKind.DISPUTE:
            gateway_refund_id = None
        elif self._checkout is not None:
            gateway_refund_id = self._refund_checkout(reference, refund)
        self._rows.add(
            Refund,
            id=key,
            created_at=refund.requested_at,
            updated_at=refund.completed_at,
            transaction_id=self.key,
            payment_id=self._payment_key,
            reference=reference,
            kind=refund.kind,
            amount=refund.units,
            reason=refund.reason,
            status=RefundStatus.SUCCEEDED,
            requested_by_id=refund.requested_by_key,
            gateway_refund_id=gateway_refund_id,
            next_check_at=None,
            completed_at=refund.completed_at,
        )
        return key

    def lose_dispute(self, opened_at: datetime, lost_at: datetime) -> int:
        """Let the buyer's bank return what is left of the payment. Return the key of the refund."""
        for event, time in ((EventKind.DISPUTE_OPENED, opened_at), (EventKind.DISPUTE_LOST, lost_at)):
            self._add_event(f"fake_{event.value}_{self.key}", event, time)
        self._rows.add(
            Dispute,
            id=self._rows.next_key(Dispute),
            created_at=opened_at,
            updated_at=lost_at,
            payment_method=self._method,
            gateway_payment_id=self._checkout_event().payment_id,
            gateway_dispute_id=f"fake_dispute_{self.key}",
            status=DisputeStatus.LOST,
        )
        left = self._values["amount"] - self._values["refunded_amount"]
        kind = RefundKind.DISPUTE
        return self.refund(DemoRefund(kind, left, AUTOMATIC_REASONS[kind], None, lost_at, lost_at))

    def add(self) -> None:
        """Add the transaction and its checkout at the fake gateway. Nothing may change afterwards."""
        self._rows.add(Transaction, **self._values)
        if self._checkout is not None:
            self._rows.add(FakePayment, **self._checkout)

    def _set(self, time: datetime, **values: Any) -> None:
        self._values |= {**values, "updated_at": time}

    def _change_status(self, status: TransactionStatus, time: datetime, **values: Any) -> None:
        assert self._values["status"] in SOURCES[status]
        self._set(time, status=status, **values)

    def _open_fake_checkout(self, settings: Settings) -> dict[str, Any]:
        values: Mapping[str, Any] = self._values
        return {
            "id": self._rows.next_key(FakePayment),
            "created_at": values["created_at"],
            "updated_at": values["created_at"],
            "token": self._rng.randbytes(TOKEN_BYTES).hex(),
            "reference": values["transaction_id"],
            "amount": values["amount"],
            "refunded_amount": 0,
            "currency": values["currency"],
            "description": values["description"],
            "return_url": return_url(settings.public_url, global_ids.encode("Transaction", self.key)),
            "status": FakePaymentStatus.OPEN,
            "expires_at": values["expires_at"],
        }

    def _checkout_event(self) -> Event:
        """Return the event of the checkout as if it were settled. It has the ids of checkout and payment."""
        assert self._checkout is not None
        status = self._checkout["status"]
        settled = FakePaymentStatus.PAID if status is FakePaymentStatus.OPEN else status
        event = fake.event_of(FakePayment(**{**self._checkout, "status": settled}))
        assert event is not None
        return event

    def _settle_checkout(self, status: FakePaymentStatus, time: datetime) -> Event:
        assert self._checkout is not None
        self._checkout |= {"status": status, "updated_at": time}
        event = self._checkout_event()
        self._add_event(event.id, event.kind, time)
        return event

    def _refund_checkout(self, reference: str, refund: DemoRefund) -> str:
        assert self._checkout is not None
        refunded = self._checkout["refunded_amount"] + refund.units
        self._checkout |= {"refunded_amount": refunded, "updated_at": refund.completed_at}
        key, time = self._rows.next_key(FakeRefund), refund.completed_at
        values = {"payment_id": self._checkout["id"], "reference": reference, "amount": refund.units}
        self._rows.add(FakeRefund, id=key, created_at=time, updated_at=time, **values)
        return f"fake_refund_{key}"

    def _add_event(self, event_id: str, kind: EventKind, time: datetime) -> None:
        self._rows.add(
            GatewayEvent,
            id=self._rows.next_key(GatewayEvent),
            created_at=time,
            updated_at=time,
            payment_method=self._method,
            event_id=event_id,
            kind=kind.value,
            transaction_id=self.key,
        )
