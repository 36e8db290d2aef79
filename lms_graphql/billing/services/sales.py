"""Locks of a sale: the course, then the transaction. Lock order: docs/architecture.md.

The course comes first because access to it changes together with the transaction. All payments for a course run one
after the other, so that of two payments of one buyer the second sees the first.
"""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from lms_graphql.billing.models import Transaction, TransactionStatus
from lms_graphql.billing.transitions import SOURCES
from lms_graphql.catalog.models import Course
from lms_graphql.catalog.services.course_locks import lock_course
from lms_graphql.core import clock
from lms_graphql.core.statements import execute_dml, peek


class Sale(NamedTuple):
    """Keys of a transaction, its course and its buyer. They never change."""

    transaction_key: int
    course_key: int
    buyer_key: int


def peek_sale(session: Session, *conditions: ColumnElement[bool]) -> Sale | None:
    """Return the sale whose transaction meets the conditions, read before the transaction begins."""
    return peek(session, lambda session: read_sale(session, *conditions))


def read_sale(session: Session, *conditions: ColumnElement[bool]) -> Sale | None:
    """Return the sale whose transaction meets the conditions."""
    statement = select(Transaction.id, Transaction.course_id, Transaction.user_id).where(*conditions)
    row = session.execute(statement).one_or_none()
    return None if row is None else Sale(*row)


def lock_sale(session: Session, sale: Sale) -> Transaction:
    """Lock the course and the transaction, and return the transaction. Call it before anything is read."""
    lock_course(session, Course.id == sale.course_key)
    unchanged = {"status": Transaction.status, "updated_at": Transaction.updated_at}
    execute_dml(session, update(Transaction).where(Transaction.id == sale.transaction_key).values(unchanged))
    return session.get_one(Transaction, sale.transaction_key, populate_existing=True)


def change_status(session: Session, transaction: Transaction, status: TransactionStatus, **values: Any) -> bool:
    """Set the status and other columns if the transition is allowed. Return whether it was.

    The condition is in the UPDATE, because a lock alone does not protect on a cluster.
    """
    is_source = (Transaction.id == transaction.id, Transaction.status.in_(SOURCES[status]))
    values = {**values, "status": status, "updated_at": clock.now()}
    if execute_dml(session, update(Transaction).where(*is_source).values(values)) == 0:
        return False
    session.refresh(transaction)
    return True
