"""Derived figures: what each must be, where it is not, and how it is made right."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, bindparam, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from lms_graphql.core.orm import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """A column that repeats what other rows say; `truth` works it out for the row."""

    column: InstrumentedAttribute[int]
    truth: ScalarSelect[Any]

    @property
    def name(self) -> str:
        return f"{self.column.class_.__tablename__}.{self.column.key}"

    def of(self, model: type[Table]) -> bool:
        return self.column.class_ is model


def wrong(session: Session, figure: Figure, *where: ColumnElement[bool]) -> Sequence[Any]:
    """(id, truth) of the rows where it is not what it must be."""
    model = figure.column.class_
    rows = select(model.id, figure.truth.label("truth")).where(figure.column != figure.truth, *where)
    return session.execute(rows).all()


def mend(session: Session, figure: Figure, rows: Iterable[Any]) -> None:
    """Makes it right in these rows, as `wrong` gives them, which does not count as a change of theirs."""
    table = figure.column.class_.__table__
    mended = update(table).where(table.c.id == bindparam("key"))
    mended = mended.values({figure.column.key: bindparam("truth"), "updated_at": table.c.updated_at})
    session.connection().execute(mended, [{"key": row.id, "truth": int(row.truth)} for row in rows])
