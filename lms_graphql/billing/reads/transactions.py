"""Reads of transactions: by key, the viewer's own or all, and those of a user."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, SQLColumnExpression, select
from sqlalchemy.orm import Session

from lms_graphql.billing.models import PaymentMethod, Transaction, TransactionStatus
from lms_graphql.billing.policies import transactions_visible_to
from lms_graphql.catalog.models import Course
from lms_graphql.core.actor import VIEWER, AccessLevel, Actor
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.list_queries import ListQuery
from lms_graphql.core.money import Money
from lms_graphql.core.pagination import SortKey, SortOrder
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows


@with_global_id("Transaction")
class TransactionRow(NamedTuple):
    """A transaction. Amounts are in the currency's smallest unit."""

    key: int
    reference: str
    buyer_key: int
    course_key: int
    units: int
    refunded_units: int
    currency: str
    status: TransactionStatus
    payment_method: PaymentMethod
    description: str | None
    created_at: datetime
    completed_at: datetime | None
    checkout_url: str | None
    receipt_code: str | None

    @property
    def amount(self) -> Money:
        return Money(self.units, self.currency)

    @property
    def refunded_amount(self) -> Money:
        return Money(self.refunded_units, self.currency)

    @property
    def net_amount(self) -> Money:
        return Money(self.units - self.refunded_units, self.currency)


TRANSACTIONS = select(
    Transaction.id,
    Transaction.transaction_id,
    Transaction.user_id,
    Transaction.course_id,
    Transaction.amount,
    Transaction.refunded_amount,
    Transaction.currency,
    Transaction.status,
    Transaction.payment_method,
    Transaction.description,
    Transaction.created_at,
    Transaction.completed_at,
    Transaction.checkout_url,
    Transaction.receipt_code,
)


@cache
def _by_key(access_level: AccessLevel) -> RowSelect:
    is_visible = transactions_visible_to(access_level)
    return TRANSACTIONS.join(Course, Course.id == Transaction.course_id).where(Transaction.id.in_(KEYS), is_visible)


def transactions_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, TransactionRow]:
    rows = fetch_rows(session, _by_key(actor.access_level), {**actor.bind_params, "keys": keys})
    return {row[0]: TransactionRow._make(row) for row in rows}


@dataclass(frozen=True, slots=True)
class TransactionFilter:
    """Conditions on transactions. None means no condition; a key of 0 matches nothing."""

    buyer_key: int | None = None
    course_key: int | None = None
    status: TransactionStatus | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@lru_cache(maxsize=64)
def transactions(access_level: AccessLevel, conditions: TransactionFilter) -> ListQuery:
    """Return the transactions that match, newest first: all for super admins, else the viewer's own."""
    is_own = () if access_level is AccessLevel.SUPER_ADMIN else (Transaction.user_id == VIEWER,)
    return _list_query("transactions", TRANSACTIONS.where(*is_own, *_clauses(conditions)))


@cache
def transactions_of_user() -> ListQuery:
    """Return the query for a user's transactions, newest first. The caller checks that the viewer may read them."""
    return _list_query("user.transactions", TRANSACTIONS, Transaction.user_id)


def _clauses(conditions: TransactionFilter) -> list[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = []
    if conditions.buyer_key is not None:
        clauses.append(Transaction.user_id == conditions.buyer_key)
    if conditions.course_key is not None:
        clauses.append(Transaction.course_id == conditions.course_key)
    if conditions.status is not None:
        clauses.append(Transaction.status == conditions.status)
    if conditions.created_after is not None:
        clauses.append(Transaction.created_at > conditions.created_after)
    if conditions.created_before is not None:
        clauses.append(Transaction.created_at < conditions.created_before)
    return clauses


def _list_query(name: str, rows: RowSelect, parent: SQLColumnExpression[int] | None = None) -> ListQuery:
    created_at = SortKey(Transaction.created_at, lambda row: row.created_at, datetime)
    key = SortKey(Transaction.id, lambda row: row.key, int)
    return ListQuery(rows, _to_row, SortOrder(f"{name}:newest", (created_at, key), descending=True), parent)


def _to_row(row: Any) -> TransactionRow:
    return TransactionRow._make(row)
