"""The built-in gateway, which moves no money. Its page pays or declines, and its state is in the database.

It behaves like a real one: signed webhooks by HTTP, idempotency keys, expiring checkouts, and refunds up to the
amount that was paid.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lms_graphql.billing.gateways import fake_webhooks
from lms_graphql.billing.gateways.interface import (
    Checkout,
    CheckoutRequest,
    Event,
    EventKind,
    GatewayRejectedError,
    RefundRequest,
    RefundResult,
)
from lms_graphql.billing.models import FakePayment, FakePaymentStatus, FakeRefund, PaymentMethod, RefundStatus
from lms_graphql.billing.urls import fake_checkout_path
from lms_graphql.core import clock
from lms_graphql.core.database import Database
from lms_graphql.core.money import Money
from lms_graphql.core.signing import Signer, new_token
from lms_graphql.core.statements import execute_dml, insert_ignore
from lms_graphql.core.urls import join_url
from lms_graphql.settings import Settings

T = TypeVar("T")

_ONE_CALL = threading.Lock()
"""One call at a time, so that the threads of gateways take only one connection from the pool of the database."""


class FakeGateway:
    """The adapter. Ids of checkouts and payments are made of the key of their row."""

    method = PaymentMethod.FAKE

    def __init__(self, database: Database, service_url: str, webhook_secret: bytes) -> None:
        self._database = database
        self._service_url = service_url
        self._webhook_secret = webhook_secret

    @classmethod
    def create(cls, settings: Settings, database: Database, signer: Signer) -> "FakeGateway":
        return cls(database, settings.service_url, fake_webhooks.secret_of(signer))

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        key, token = self._write(lambda session: _create(session, request))
        return Checkout(_checkout_id(key), join_url(self._service_url, fake_checkout_path(token)))

    def expire_checkout(self, checkout_id: str) -> None:
        self._write(lambda session: _expire(session, _key_in(checkout_id)))

    def fetch_checkout(self, checkout_id: str) -> Sequence[Event]:
        payment = self._write(lambda session: session.get(FakePayment, _key_in(checkout_id)))
        if payment is None:
            raise GatewayRejectedError("There is no such checkout.")
        event = event_of(payment)
        return () if event is None else (event,)

    def refund(self, request: RefundRequest) -> RefundResult:
        key = self._write(lambda session: _refund(session, request))
        return RefundResult(RefundStatus.SUCCEEDED, f"fake_refund_{key}")

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Event]:
        return (fake_webhooks.read(self._webhook_secret, headers, body, now),)

    def _write(self, work: Callable[[Session], T]) -> T:
        with _ONE_CALL:
            return self._database.write_sync(work)


def settle(session: Session, token: str, *, is_paid: bool) -> Event | None:
    """Pay or decline an open checkout, and return its event. A settled checkout returns the event of the first time.

    None: the checkout does not exist, or has expired.
    """
    status = FakePaymentStatus.PAID if is_paid else FakePaymentStatus.DECLINED
    is_open = (FakePayment.token == token, FakePayment.status == FakePaymentStatus.OPEN)
    now = clock.now()
    statement = update(FakePayment).where(*is_open, FakePayment.expires_at > now)
    execute_dml(session, statement.values(status=status, updated_at=now))
    payment = payment_by_token(session, token)
    return None if payment is None else event_of(payment)


def payment_by_token(session: Session, token: str) -> FakePayment | None:
    return session.scalar(select(FakePayment).where(FakePayment.token == token))


def event_of(payment: FakePayment) -> Event | None:
    """Return the event of a settled checkout; None while it is open. Its id is the same each time."""
    if payment.status is FakePaymentStatus.OPEN:
        return None
    is_paid = payment.status is FakePaymentStatus.PAID
    kind = EventKind.PAYMENT_RECEIVED if is_paid else EventKind.PAYMENT_FAILED
    return Event(
        id=f"fake_{payment.status.value}_{payment.id}",
        kind=kind,
        reference=payment.reference,
        checkout_id=_checkout_id(payment.id),
        payment_id=f"fake_payment_{payment.id}" if is_paid else None,
        amount=Money(payment.amount, payment.currency) if is_paid else None,
    )


def _create(session: Session, request: CheckoutRequest) -> tuple[int, str]:
    """Create a checkout, or find the one of this reference. Return its key and token."""
    now = clock.now()
    values = {
        "token": new_token(),
        "reference": request.reference,
        "amount": request.amount.units,
        "currency": request.amount.currency,
        "description": request.description,
        "return_url": request.return_url,
        "status": FakePaymentStatus.OPEN,
        "expires_at": request.expires_at,
        "created_at": now,
        "updated_at": now,
    }
    execute_dml(session, insert_ignore(FakePayment).values(values))
    created = select(FakePayment.id, FakePayment.token).where(FakePayment.reference == request.reference)
    key, token = session.execute(created).one()
    return key, token


def _expire(session: Session, key: int) -> None:
    is_open = (FakePayment.id == key, FakePayment.status == FakePaymentStatus.OPEN)
    values = {"status": FakePaymentStatus.EXPIRED, "updated_at": clock.now()}
    execute_dml(session, update(FakePayment).where(*is_open).values(values))
    status = session.scalar(select(FakePayment.status).where(FakePayment.id == key))
    if status in {None, FakePaymentStatus.PAID}:
        raise GatewayRejectedError("There is no such checkout, or it was paid.")


def _refund(session: Session, request: RefundRequest) -> int:
    """Refund a part of a payment, or find the refund of this reference. Return its key."""
    payment_key, now = _key_in(request.payment_id), clock.now()
    times = {"created_at": now, "updated_at": now}
    values = {"payment_id": payment_key, "reference": request.reference, "amount": request.amount.units, **times}
    if execute_dml(session, insert_ignore(FakeRefund).values(values)):
        refunded = FakePayment.refunded_amount + request.amount.units
        is_refundable = (
            FakePayment.id == payment_key,
            FakePayment.currency == request.amount.currency,
            FakePayment.status == FakePaymentStatus.PAID,
            refunded <= FakePayment.amount,
        )
        statement = update(FakePayment).where(*is_refundable).values(refunded_amount=refunded, updated_at=now)
        if execute_dml(session, statement) == 0:
            raise GatewayRejectedError("There is no such payment, or less of it is left.")
    return session.scalars(select(FakeRefund.id).where(FakeRefund.reference == request.reference)).one()


def _checkout_id(key: int) -> str:
    return f"fake_checkout_{key}"


def _key_in(id: str) -> int:
    """Return the key in the id of a checkout or a payment."""
    digits = id.rpartition("_")[2]
    if not digits.isdecimal():
        raise GatewayRejectedError("There is no such checkout or payment.")
    return int(digits)
