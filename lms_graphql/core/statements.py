"""Helpers for statements: parameters of batch reads, fetching and grouping rows, DML with row counts."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import BindParameter, Delete, Insert, Row, Select, Update, bindparam, case, insert, literal, update
from sqlalchemy.orm import Session

from lms_graphql.core.driver_statements import driver_statement
from lms_graphql.core.orm import TimestampedModel, UtcDateTime

T = TypeVar("T")

RowSelect = Select[*tuple[Any, ...]]
"""A SELECT of columns, not of entities."""

KEYS: BindParameter[Any] = bindparam("keys", expanding=True)
"""The keys of a batch. Write `column.in_(KEYS)` and execute with {"keys": keys}."""

NOW: BindParameter[datetime] = bindparam("now", type_=UtcDateTime())
"""The time of a read, for statements that compare with an expiry. Execute with {"now": clock.now()}."""

PEEKED_KEY = "peeked"
"""Key in `Session.info` of the values that `peek_once` has read."""

UPDATE_CHUNK = 100
"""Rows of one statement of `update_by_key`. The database compares each row with the keys of all of them."""


def fetch_rows(
    session: Session, statement: RowSelect, binds: Mapping[str, Any] | None = None
) -> Sequence[tuple[Any, ...]]:
    """Return all rows of a SELECT of columns. It bypasses the ORM, which has no entities to build here.

    A statement that is built once is compiled once: see `driver_statements`. The rows are tuples then.
    """
    connection = session.connection()
    prepared = driver_statement(statement, connection, binds or {})
    rows = None if prepared is None else prepared.fetch(connection, binds or {})
    return connection.execute(statement, binds).all() if rows is None else rows


def fetch_named_rows(
    session: Session, statement: RowSelect, binds: Mapping[str, Any] | None = None
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return all rows of a SELECT of columns like `fetch_rows`, but with the names of their columns.

    SQLAlchemy executes it, so it is slower.
    """
    return session.connection().execute(statement, binds).all()


def group_rows(rows: Iterable[Any], make: Callable[[Any], T], by: int) -> dict[Any, list[T]]:
    """Return the rows, converted by `make`, in lists by the value of column number `by`. Their order is preserved."""
    groups: dict[Any, list[T]] = {}
    for row in rows:
        groups.setdefault(row[by], []).append(make(row))
    return groups


def execute_dml(session: Session, statement: Update | Delete | Insert, binds: Mapping[str, Any] | None = None) -> int:
    """Execute the statement, and return the number of rows that it matched.

    To win a race, put the old value into WHERE and check for 1. It bypasses the ORM, whose objects do not change. A
    statement that is built once and executed with `binds` costs an eighth of one that is built for each call.
    """
    session.flush()
    connection = session.connection()
    if binds is not None and isinstance(statement, Update):
        prepared = driver_statement(statement, connection, binds)
        if prepared is not None and (count := prepared.update(connection, binds)) is not None:
            return count
    return connection.execute(statement, binds).rowcount


def update_by_key(session: Session, model: type[TimestampedModel], rows: Mapping[int, Mapping[str, Any]]) -> None:
    """Set columns of many rows, by key: one statement for each `UPDATE_CHUNK` rows. All rows set the same columns."""
    keys = list(rows)
    for start in range(0, len(keys), UPDATE_CHUNK):
        chunk = keys[start : start + UPDATE_CHUNK]
        values = {}
        for name in rows[chunk[0]]:
            column = getattr(model, name)
            by_key = {key: literal(rows[key][name], column.type) for key in chunk}
            values[name] = case(by_key, value=model.id)
        execute_dml(session, update(model).where(model.id.in_(chunk)).values(values))


def insert_returning_key(session: Session, statement: Insert, binds: Mapping[str, Any]) -> int:
    """Insert a row, and return its key. It bypasses the ORM, like `execute_dml`."""
    session.flush()
    result = session.connection().execute(statement, binds)
    assert result.inserted_primary_key is not None
    key: int = result.inserted_primary_key[0]
    return key


def peek_scalar(session: Session, statement: Select[Any]) -> Any:
    """Return one value, read like `peek`. Use it for values that never change."""
    return peek(session, lambda session: session.scalar(statement))


def peek_once(session: Session, name: Hashable, statement: Select[Any]) -> Any:
    """Return one value that never changes: read like `peek` the first time, then stored in the session by its name.

    So a transaction whose first lock is another row can look the value up before that lock.
    """
    stored: dict[Hashable, Any] = session.info.setdefault(PEEKED_KEY, {})
    if name not in stored:
        stored[name] = peek_scalar(session, statement)
    return stored[name]


def peek(session: Session, read: Callable[[Session], T]) -> T:
    """Read something before the transaction begins. The session must not be in a transaction.

    The read's own transaction is rolled back, so that later reads are not bound to its snapshot.
    """
    assert not session.in_transaction()
    value = read(session)
    session.rollback()
    return value


def insert_ignore(table: type[Any]) -> Insert:
    """Return an INSERT that does nothing if a row with the same unique key exists."""
    statement = insert(table).prefix_with("OR IGNORE", dialect="sqlite")
    return statement.prefix_with("IGNORE", dialect="mysql").prefix_with("IGNORE", dialect="mariadb")
