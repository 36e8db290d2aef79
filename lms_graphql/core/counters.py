"""Derived figures: what each must be, where it is not, and how it is made right."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, bindparam, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from lms_graphql.core.orm import TimestampedModel


@dataclass(frozen=True, slots=True)
class DerivedColumn:
    """A column that repeats what other rows say; `expected` works it out for the row."""

    column: InstrumentedAttribute[int]
    expected: ScalarSelect[Any]

    @property
    def name(self) -> str:
        return f"{self.column.class_.__tablename__}.{self.column.key}"

    def belongs_to(self, model: type[TimestampedModel]) -> bool:
        return self.column.class_ is model


def find_drift(session: Session, figure: DerivedColumn, *where: ColumnElement[bool]) -> Sequence[Any]:
    """(id, truth) of the rows where it is not what it must be."""
    model = figure.column.class_
    rows = select(model.id, figure.expected.label("truth")).where(figure.column != figure.expected, *where)
    return session.execute(rows).all()


def fix_drift(session: Session, figure: DerivedColumn, rows: Iterable[Any]) -> None:
    """Makes it right in these rows, as `find_drift` gives them, which does not count as a change of theirs."""
    table = figure.column.class_.__table__
    mended = update(table).where(table.c.id == bindparam("key"))
    mended = mended.values({figure.column.key: bindparam("truth"), "updated_at": table.c.updated_at})
    session.connection().execute(mended, [{"key": row.id, "truth": int(row.truth)} for row in rows])
