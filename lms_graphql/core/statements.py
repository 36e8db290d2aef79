"""What statements of batch reads share: how their keys are bound, and how their rows are handed back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import BindParameter, Select, bindparam
from sqlalchemy.orm import Session

Rows = Select[*tuple[Any, ...]]
"""A statement that gives rows of some columns."""

KEYS: BindParameter[Any] = bindparam("keys", expanding=True)
"""The keys of a batch: `column.in_(KEYS)`, executed with {"keys": keys}."""

Made = TypeVar("Made")


def fetch(session: Session, statement: Rows, binds: Mapping[str, Any] | None = None) -> Sequence[Any]:
    """All rows of a statement of columns. Past the ORM, which has no entities to make here."""
    return session.connection().execute(statement, binds).all()


def group(rows: Iterable[Any], make: Callable[[Any], Made], by: int) -> dict[Any, list[Made]]:
    """The rows by the value of their column number `by`, in the order in which they come."""
    found: dict[Any, list[Made]] = {}
    for row in rows:
        found.setdefault(row[by], []).append(make(row))
    return found
