"""Positions of a course's sections and of a section's lectures: always 0, 1, 2 … without gaps.

The order is read, changed in Python, and written with one UPDATE that selects rows by key. The course is locked, so
no other transaction changes the order in between. An UPDATE by position (`order_index > …`) would also lock the gap
up to the rows of another course. Two authors who insert into each other's gaps would then deadlock.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, case, select, update
from sqlalchemy.orm import Session

from lms_graphql.catalog import counters, hooks
from lms_graphql.catalog.models import Course, Lecture, Section
from lms_graphql.catalog.services.course_locks import bump_version
from lms_graphql.core import global_ids
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.orm import OrderedModel
from lms_graphql.core.statements import execute_dml
from lms_graphql.core.validation import Validator


class Positions:
    """The order of rows with an `order_index`: `keys`, and the positions that the database has."""

    def __init__(self, table: type[OrderedModel], stored: dict[int, int]) -> None:
        self._table = table
        self._stored = stored
        self.keys = list(stored)

    def clamp(self, position: int | None) -> int:
        """Return the position for one more row: at most the end, which is also the default for None."""
        return len(self.keys) if position is None else min(position, len(self.keys))

    def insert(self, session: Session, row: OrderedModel, position: int | None) -> None:
        """Insert a new row at the position and move the rows behind it."""
        row.order_index = self.clamp(position)
        session.add(row)
        session.flush()
        self._stored[row.id] = row.order_index
        self.keys.insert(row.order_index, row.id)
        self.write(session)

    def reorder(
        self, session: Session, ids: Sequence[str], path: str, kinds: Mapping[int, str] | None = None
    ) -> None:
        """Write the order of the ids. Raise INVALID at `path` if they are not exactly those of the rows.

        `kinds` has the kind in the global id of each row, by its key. By default it is the name of the model. The
        message does not say which id is wrong, so that it reveals nothing about rows of other courses.
        """
        kind = self._table.__name__
        kinds = kinds or dict.fromkeys(self.keys, kind)
        decoded = [global_ids.decode(id) for id in ids]
        keys = [found[1] if found is not None and kinds.get(found[1]) == found[0] else None for found in decoded]
        if len(keys) != len(self.keys) or set(keys) != set(self.keys):
            message = f"The list is incomplete or has other ids in it. Name every {kind.lower()} exactly once."
            raise DomainError(ErrorCode.INVALID, message, (path,))
        self.keys = [key for key in keys if key is not None]
        self.write(session)

    def write(self, session: Session) -> None:
        """Write the positions that differ from those in the database. `updated_at` keeps its values.

        The order belongs to the parent, so the rows that move behind others do not count as changed.
        """
        moved = {key: position for position, key in enumerate(self.keys) if self._stored.get(key) != position}
        if moved:
            table = self._table
            values = {"order_index": case(moved, value=table.id), "updated_at": table.updated_at}
            execute_dml(session, update(table).where(table.id.in_(moved)).values(values))


def section_positions(session: Session, course: Course) -> Positions:
    is_counted = (Section.course_id == course.id, Section.deleted_at.is_(None))
    return stored_positions(session, Section, *is_counted)


def lecture_positions(session: Session, section: Section) -> Positions:
    is_counted = (Lecture.section_id == section.id, Lecture.deleted_at.is_(None))
    return stored_positions(session, Lecture, *is_counted)


def stored_positions(session: Session, table: type[OrderedModel], *where: ColumnElement[bool]) -> Positions:
    """Return the order of those rows that meet the conditions."""
    rows = select(table.id, table.order_index).where(*where).order_by(table.order_index, table.id)
    return Positions(table, {row.id: row.order_index for row in session.execute(rows)})


def validate_position(validator: Validator, position: int | None) -> int | None:
    if position is not None:
        validator.integer("position", position)
    return position


def finish_curriculum_change(
    session: Session, course: Course, *sections: Section, reordered: Collection[Section] = ()
) -> None:
    """Update totals and versions, and call `hooks.curriculum_changed`. Every curriculum change ends with this.

    `sections` are those whose lectures were added, removed or changed, so that their totals may differ. `reordered`
    are those that have other lectures or another order of them, so that their versions grow.
    """
    session.flush()
    with session.no_autoflush:  # so that totals and version of a row are written by one UPDATE
        if sections:
            counters.refresh_totals(session, course, sections)
        bump_version(course, *reordered)
    session.flush()
    for on_change in hooks.curriculum_changed:
        on_change(session, course.id)
