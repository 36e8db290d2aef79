"""Reads of refunds that the gateway has not completed, for the calls to it."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.billing.models import Payment, PaymentMethod, Refund, RefundStatus
from lms_graphql.core.actor import Actor
from lms_graphql.core.money import Money
from lms_graphql.core.statements import KEYS, fetch_rows


class RefundCall(NamedTuple):
    """A refund that the gateway must make, or whose state it must report."""

    refund_key: int
    method: PaymentMethod
    reference: str
    payment_id: str
    amount: Money
    reason: str


def processing_refund(session: Session, refund_key: int) -> RefundCall | None:
    """Return what to ask the gateway for; None if the refund has ended."""
    statement = (
        select(Refund, Payment)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.id == refund_key, Refund.status == RefundStatus.PROCESSING)
    )
    row = session.execute(statement).one_or_none()
    if row is None:
        return None
    refund, payment = row
    amount = Money(refund.amount, payment.currency)
    id = payment.gateway_payment_id
    return RefundCall(refund.id, payment.payment_method, refund.reference, id, amount, refund.reason)


def due_refunds(session: Session, now: datetime, after: int, limit: int) -> Sequence[int]:
    """Return the keys above `after` of refunds about which the gateway must be asked, in order."""
    is_due = (Refund.status == RefundStatus.PROCESSING, Refund.next_check_at <= now)
    return session.scalars(select(Refund.id).where(*is_due, Refund.id > after).order_by(Refund.id).limit(limit)).all()


class RefundState(NamedTuple):
    """Status of a refund, and the key of its transaction."""

    status: RefundStatus
    transaction_key: int


def refund_states_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, RefundState]:
    """Return the state of each refund. The caller has checked that the actor sees it."""
    statement = select(Refund.id, Refund.status, Refund.transaction_id).where(Refund.id.in_(KEYS))
    return {row[0]: RefundState(*row[1:]) for row in fetch_rows(session, statement, {"keys": keys})}
