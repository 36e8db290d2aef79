"""Positions of a course's sections and of a section's lectures: always 0, 1, 2 … without gaps.

The order is read, changed in Python, and written with one UPDATE that selects rows by key. The course is locked, so
no other transaction changes the order in between. An UPDATE by position (`order_index > …`) would also lock the gap
up to the rows of another course. Two authors who insert into each other's gaps would then deadlock.
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
    """The order of sections or lectures that are not deleted: `keys`, and the positions that the database has."""

    def __init__(self, table: type[Section] | type[Lecture], stored: dict[int, int]) -> None:
        self._table = table
        self._stored = stored
        self.keys = list(stored)

    def clamp(self, position: int | None) -> int:
        """Return the position for one more row: at most the end, which is also the default for None."""
        return len(self.keys) if position is None else min(position, len(self.keys))

    def insert(self, session: Session, row: Section | Lecture, position: int | None) -> None:
        """Insert a new row at the position and move the rows behind it."""
        row.order_index = self.clamp(position)
        session.add(row)
        session.flush()
        self._stored[row.id] = row.order_index
        self.keys.insert(row.order_index, row.id)
        self.write(session)

    def reorder(self, session: Session, ids: Sequence[str], path: str) -> None:
        """Write the order of the ids. Raise INVALID at `path` if they are not exactly those of the rows.

        The message does not say which id is wrong, so that it reveals nothing about rows of other courses.
        """
        kind = self._table.__name__
        keys = [global_ids.decode_key(kind, id) for id in ids]
        if len(keys) != len(self.keys) or set(keys) != set(self.keys):
            message = f"The list is incomplete or has other ids in it. Name every {kind.lower()} exactly once."
            raise DomainError(ErrorCode.INVALID, message, (path,))
        self.keys = [key for key in keys if key is not None]
        self.write(session)

    def write(self, session: Session) -> None:
        """Write the positions that differ from those in the database."""
        moved = {key: position for position, key in enumerate(self.keys) if self._stored.get(key) != position}
        if moved:
            table = self._table
            positions = case(moved, value=table.id)
            execute_dml(session, update(table).where(table.id.in_(moved)).values(order_index=positions))


def section_positions(session: Session, course: Course) -> Positions:
    return Positions(Section, _stored_positions(session, Section, Section.course_id == course.id))


def lecture_positions(session: Session, section: Section) -> Positions:
    return Positions(Lecture, _stored_positions(session, Lecture, Lecture.section_id == section.id))


def _stored_positions(session: Session, table: type[Section] | type[Lecture], of_parent: Any) -> dict[int, int]:
    rows = select(table.id, table.order_index).where(of_parent, table.deleted_at.is_(None))
    return {row.id: row.order_index for row in session.execute(rows.order_by(table.order_index, table.id))}


def validate_position(validator: Validator, position: int | None) -> int | None:
    if position is not None:
        validator.integer("position", position)
    return position


def finish_curriculum_change(session: Session, course: Course, *sections: Section) -> None:
    """Update totals and version, and call `hooks.curriculum_changed`. Every curriculum change ends with this.

    `sections` are those whose lectures were added, removed or changed, so that their totals may differ.
    """
    session.flush()
    if sections:
        counters.refresh_totals(session, course, sections)
    bump_version(course)
    session.flush()
    for on_change in hooks.curriculum_changed:
        on_change(session, course.id)
