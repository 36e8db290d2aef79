"""What stands in an order: the sections of a course, the lectures of a section. Positions are 0, 1, 2 … always.

An order is read, changed here and written back with one UPDATE, which names the rows by their keys. The course is
locked, so nobody else changes it meanwhile. A shift by position (`order_index > …`) would also lock the gap up to
another course's rows, in which its author may be about to put one: two of these wait for each other, in vain.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from lms_graphql.catalog import counters, hooks
from lms_graphql.catalog.models import Course, Lecture, Section
from lms_graphql.catalog.services.course_locks import bump_version
from lms_graphql.core import global_ids
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.statements import execute_dml
from lms_graphql.core.validation import Validator


class Positions:
    """The keys of those that are there, in their order. `written`: the positions that the database has."""

    def __init__(self, table: type[Section] | type[Lecture], written: dict[int, int]) -> None:
        self._table = table
        self._written = written
        self.keys = list(written)

    def clamp(self, asked: int | None) -> int:
        """Where one more would stand: at the end, unless it is asked for further ahead."""
        return len(self.keys) if asked is None else min(asked, len(self.keys))

    def insert(self, session: Session, row: Section | Lecture, asked: int | None) -> None:
        """A new row."""
        row.order_index = self.clamp(asked)
        session.add(row)
        session.flush()
        self._written[row.id] = row.order_index
        self.keys.insert(row.order_index, row.id)
        self.write(session)

    def reorder(self, session: Session, wanted: Sequence[str], path: str) -> None:
        """By ids, each of them exactly once; what stands among them instead is told nothing about."""
        kind = self._table.__name__
        keys = [global_ids.decode_key(kind, id) for id in wanted]
        if len(keys) != len(self.keys) or set(keys) != set(self.keys):
            message = f"Name every {kind.lower()} that is there exactly once, and nothing else."
            raise DomainError(ErrorCode.INVALID, message, (path,))
        self.keys = [key for key in keys if key is not None]
        self.write(session)

    def write(self, session: Session) -> None:
        moved = {key: place for place, key in enumerate(self.keys) if self._written.get(key) != place}
        if moved:
            table = self._table
            here = update(table).where(table.id.in_(moved))
            execute_dml(session, here.values(order_index=case(moved, value=table.id)))


def sections_of(session: Session, course: Course) -> Positions:
    return Positions(Section, _written(session, Section, Section.course_id == course.id))


def lectures_of(session: Session, section: Section) -> Positions:
    return Positions(Lecture, _written(session, Lecture, Lecture.section_id == section.id))


def _written(session: Session, table: type[Section] | type[Lecture], mine: Any) -> dict[int, int]:
    there = select(table.id, table.order_index).where(mine, table.deleted_at.is_(None))
    return {row.id: row.order_index for row in session.execute(there.order_by(table.order_index, table.id))}


def validate_position(form: Validator, position: int | None) -> int | None:
    if position is not None:
        form.integer("position", position)
    return position


def finish_curriculum_change(session: Session, course: Course, *sections: Section) -> None:
    """
    After every change of a course's sections or lectures: its version, and whoever above lives by the curriculum.
    `sections`: where lectures came, went or changed, so that the totals are others.
    """
    session.flush()
    if sections:
        counters.refresh_totals(session, course, sections)
    bump_version(course)
    session.flush()
    for tell in hooks.curriculum_changed:
        tell(session, course.id)
