"""Derived columns: their expected values, rows that have drifted from them, and the repair of those rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, bindparam, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from lms_graphql.core.orm import TimestampedModel


@dataclass(frozen=True, slots=True)
class DerivedColumn:
    """A column whose value follows from other rows. `expected` computes the value for a row."""

    column: InstrumentedAttribute[int]
    expected: ScalarSelect[Any]

    @property
    def name(self) -> str:
        return f"{self.column.class_.__tablename__}.{self.column.key}"

    def belongs_to(self, model: type[TimestampedModel]) -> bool:
        return self.column.class_ is model


def find_drift(session: Session, derived: DerivedColumn, *where: ColumnElement[bool]) -> Sequence[Any]:
    """Return (id, expected) of each row whose stored value differs from the expected one."""
    model = derived.column.class_
    rows = select(model.id, derived.expected.label("expected")).where(derived.column != derived.expected, *where)
    return session.execute(rows).all()


def repair_drift(session: Session, derived: DerivedColumn, rows: Iterable[Any]) -> None:
    """Store the expected values in the rows that `find_drift` returned. `updated_at` does not change."""
    table = derived.column.class_.__table__
    statement = update(table).where(table.c.id == bindparam("key"))
    statement = statement.values({derived.column.key: bindparam("expected"), "updated_at": table.c.updated_at})
    session.connection().execute(statement, [{"key": row.id, "expected": int(row.expected)} for row in rows])
