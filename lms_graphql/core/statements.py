"""What statements share: how the keys of a batch are bound, how rows are handed back, how many were changed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import BindParameter, Delete, Insert, Select, Update, bindparam, insert
from sqlalchemy.orm import Session

from lms_graphql.core.orm import UtcDateTime

RowSelect = Select[*tuple[Any, ...]]
"""A statement that gives rows of some columns."""

KEYS: BindParameter[Any] = bindparam("keys", expanding=True)
"""The keys of a batch: `column.in_(KEYS)`, executed with {"keys": keys}."""

NOW: BindParameter[datetime] = bindparam("now", type_=UtcDateTime())
"""The instant of a read, in statements that ask what has run out: executed with {"now": clock.now()}."""

Made = TypeVar("Made")


def fetch_rows(session: Session, statement: RowSelect, binds: Mapping[str, Any] | None = None) -> Sequence[Any]:
    """All rows of a statement of columns. Past the ORM, which has no entities to make here."""
    return session.connection().execute(statement, binds).all()


def group_rows(rows: Iterable[Any], make: Callable[[Any], Made], by: int) -> dict[Any, list[Made]]:
    """The rows by the value of their column number `by`, in the order in which they come."""
    found: dict[Any, list[Made]] = {}
    for row in rows:
        found.setdefault(row[by], []).append(make(row))
    return found


def execute_dml(session: Session, statement: Update | Delete | Insert, binds: Mapping[str, Any] | None = None) -> int:
    """
    How many rows it met. `… WHERE` with the old value in it, and 1 as the answer, is how a race is won. Past the ORM,
    whose objects do not learn of it. A statement that is made once, with `binds`, costs an eighth of one that is not.
    """
    session.flush()
    return session.connection().execute(statement, binds).rowcount


def insert_returning_key(session: Session, statement: Insert, binds: Mapping[str, Any]) -> int:
    """The key of a new row. Past the ORM, as `execute_dml`."""
    session.flush()
    made = session.connection().execute(statement, binds)
    assert made.inserted_primary_key is not None
    key: int = made.inserted_primary_key[0]
    return key


def peek_scalar(session: Session, statement: Select[Any]) -> Any:
    """One value, read ahead of a unit of work: for what never changes."""
    return peek(session, lambda here: here.scalar(statement))


def peek(session: Session, read: Callable[[Session], Made]) -> Made:
    """
    What is read ahead of a unit of work: what the work reads later is not bound to what was there then. Nothing may
    have been done before.
    """
    assert not session.in_transaction()
    value = read(session)
    session.rollback()
    return value


def insert_ignore(table: type[Any]) -> Insert:
    """An INSERT that leaves a row alone that has its unique key already."""
    statement = insert(table).prefix_with("OR IGNORE", dialect="sqlite")
    return statement.prefix_with("IGNORE", dialect="mysql").prefix_with("IGNORE", dialect="mariadb")
