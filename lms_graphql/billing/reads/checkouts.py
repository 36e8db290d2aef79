"""Reads of checkouts: those to open, to close, and to ask the gateway about."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User
from lms_graphql.billing.models import PaymentMethod, Transaction, TransactionStatus
from lms_graphql.core import clock, global_ids
from lms_graphql.core.money import Money
from lms_graphql.core.statements import fetch_rows


class CheckoutFacts(NamedTuple):
    """A transaction whose checkout must be opened."""

    transaction_id: str
    """Global id of the transaction."""
    method: PaymentMethod
    reference: str
    amount: Money
    description: str
    customer_email: str
    expires_at: datetime


class OpenCheckout(NamedTuple):
    """A checkout that the gateway has opened for a transaction, with the transaction's reference."""

    method: PaymentMethod
    id: str
    reference: str


def missing_checkout(session: Session, transaction_key: int) -> CheckoutFacts | None:
    """Return what is needed to open the transaction's checkout; None if it has one, or can no longer be paid."""
    statement = (
        select(Transaction, User.email)
        .join(User, User.id == Transaction.user_id)
        .where(
            Transaction.id == transaction_key,
            Transaction.status == TransactionStatus.PENDING,
            Transaction.gateway_transaction_id.is_(None),
            Transaction.expires_at > clock.now(),
        )
    )
    row = session.execute(statement).one_or_none()
    if row is None:
        return None
    transaction, email = row
    assert transaction.expires_at is not None
    return CheckoutFacts(
        global_ids.encode("Transaction", transaction.id),
        transaction.payment_method,
        transaction.transaction_id,
        Money(transaction.amount, transaction.currency),
        transaction.description or "",
        email or "",
        transaction.expires_at,
    )


def is_rejected(session: Session, transaction_key: int) -> bool:
    """Return whether the gateway rejected the transaction, so that it has no checkout."""
    statement = select(Transaction.id).where(
        Transaction.id == transaction_key,
        Transaction.status == TransactionStatus.FAILED,
        Transaction.gateway_transaction_id.is_(None),
    )
    return session.scalar(statement) is not None


def open_checkout_of(session: Session, transaction_key: int) -> OpenCheckout | None:
    """Return the checkout that the gateway has opened for the transaction; None if there is none."""
    columns = (Transaction.payment_method, Transaction.gateway_transaction_id, Transaction.transaction_id)
    statement = select(*columns).where(
        Transaction.id == transaction_key, Transaction.gateway_transaction_id.is_not(None)
    )
    row = session.execute(statement).one_or_none()
    return None if row is None else OpenCheckout(row[0], row[1] or "", row[2])


class ReturnedCheckout(NamedTuple):
    """A checkout from which the buyer comes back. Its id is missing until the gateway has opened it."""

    transaction_id: str
    """Global id of the transaction."""
    method: PaymentMethod
    status: TransactionStatus
    id: str | None


def checkout_by_reference(session: Session, reference: str) -> ReturnedCheckout | None:
    """Return the checkout of the transaction with this reference; None if there is no such transaction."""
    statement = select(
        Transaction.id, Transaction.payment_method, Transaction.status, Transaction.gateway_transaction_id
    ).where(Transaction.transaction_id == reference)
    row = session.execute(statement).one_or_none()
    return None if row is None else ReturnedCheckout(global_ids.encode("Transaction", row[0]), *row[1:])


def is_open(session: Session, method: PaymentMethod, checkout_id: str) -> bool:
    """Return whether a pending transaction has this checkout."""
    statement = select(Transaction.id).where(
        Transaction.payment_method == method,
        Transaction.gateway_transaction_id == checkout_id,
        Transaction.status == TransactionStatus.PENDING,
    )
    return session.scalar(statement) is not None


class DueCheckout(NamedTuple):
    """A transaction about which the gateway is asked now."""

    key: int
    reference: str
    method: PaymentMethod
    status: TransactionStatus
    checkout_id: str | None
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    next_check_at: datetime


def due_checkouts(session: Session, method: PaymentMethod, now: datetime, limit: int) -> list[DueCheckout]:
    """Return the transactions of a gateway whose next check is due, the one that has waited longest first."""
    statement = (
        select(
            Transaction.id,
            Transaction.transaction_id,
            Transaction.payment_method,
            Transaction.status,
            Transaction.gateway_transaction_id,
            Transaction.created_at,
            Transaction.updated_at,
            Transaction.expires_at,
            Transaction.next_check_at,
        )
        .where(Transaction.next_check_at <= now, Transaction.payment_method == method)
        .order_by(Transaction.next_check_at, Transaction.id)
        .limit(limit)
    )
    return [DueCheckout._make(row) for row in fetch_rows(session, statement)]
