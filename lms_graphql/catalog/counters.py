"""Derived columns of the catalog: their expected values, drift and repair."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, func, select, update
from sqlalchemy.orm import Session, aliased

from lms_graphql.catalog.models import Course, Enrollment, Lecture, Section
from lms_graphql.catalog.search_index import TERMS, find_term_drift
from lms_graphql.core import term_index
from lms_graphql.core.derived_columns import DerivedColumn, find_drift, repair_drift
from lms_graphql.core.statements import execute_dml

BATCH_SIZE = 1_000


def _lecture_aggregate(aggregate: Any, parent: Any, key: Any) -> ScalarSelect[Any]:
    is_present = Lecture.deleted_at.is_(None)
    values = select(func.coalesce(aggregate, 0)).where(parent == key, is_present)
    return values.correlate_except(Lecture).scalar_subquery()


def _position(model: Any, parent: str) -> ScalarSelect[Any]:
    """Return the position of a row as SQL: the number of siblings before it that are not deleted."""
    other = aliased(model)
    is_before = (other.order_index < model.order_index) | (
        (other.order_index == model.order_index) & (other.id < model.id)
    )
    is_sibling = getattr(other, parent) == getattr(model, parent)
    is_present = other.deleted_at.is_(None)
    siblings_before = select(func.count()).select_from(other).where(is_sibling, is_present, is_before)
    return siblings_before.correlate(model).scalar_subquery()


TOTAL_COLUMNS = (
    DerivedColumn(Section.total_lectures, _lecture_aggregate(func.count(), Lecture.section_id, Section.id)),
    DerivedColumn(
        Section.total_duration, _lecture_aggregate(func.sum(Lecture.duration), Lecture.section_id, Section.id)
    ),
    DerivedColumn(Course.total_lectures, _lecture_aggregate(func.count(), Lecture.course_id, Course.id)),
    DerivedColumn(
        Course.total_duration, _lecture_aggregate(func.sum(Lecture.duration), Lecture.course_id, Course.id)
    ),
)
COUNTER_COLUMNS = (
    *TOTAL_COLUMNS,
    DerivedColumn(
        Course.enrollment_count,
        select(func.count()).where(Enrollment.course_id == Course.id).correlate_except(Enrollment).scalar_subquery(),
    ),
)
POSITION_COLUMNS = (
    DerivedColumn(Section.order_index, _position(Section, "course_id")),
    DerivedColumn(Lecture.order_index, _position(Lecture, "section_id")),
)


def refresh_totals(session: Session, course: Course, sections: Sequence[Section]) -> None:
    """Recompute the totals of a locked course and of those of its sections whose lectures changed.

    The totals are computed by a SELECT. An UPDATE would lock the rows that it reads and the gaps between them, into
    which other courses insert lectures.
    """
    for model, rows in ((Section, sections), (Course, [course])):
        totals = {
            derived.column.key: derived.expected.label(derived.column.key)
            for derived in TOTAL_COLUMNS
            if derived.belongs_to(model)
        }
        statement = select(model.id, *totals.values()).where(model.id.in_(row.id for row in rows))
        expected_by_key = {row.id: row for row in session.execute(statement)}
        for row in rows:
            for name in totals:
                setattr(row, name, int(getattr(expected_by_key[row.id], name)))


def find_counter_drift(session: Session) -> list[str]:
    """Return a line for each derived column that is wrong in some rows, with the number of rows."""
    lines = [f"{derived.name}: wrong in {len(rows)} rows" for derived, rows in _drifted_columns(session)]
    if course_count := sum(1 for _ in find_term_drift(session)):
        lines.append(f"course_terms: wrong for {course_count} courses")
    return lines


def repair_counters(session: Session) -> list[str]:
    """Correct all derived columns and search terms. Return a line for each that was repaired."""
    lines = []
    for derived, rows in list(_drifted_columns(session)):
        model = derived.column.class_
        if model in (Section, Lecture):
            for start in range(0, len(rows), BATCH_SIZE):
                keys = [row.id for row in rows[start : start + BATCH_SIZE]]
                raise_course_versions(session, model, model.id.in_(keys))
        repair_drift(session, derived, rows)
        lines.append(f"{derived.name}: {len(rows)} rows repaired")
    if course_count := term_index.repair_drift(session, TERMS, find_term_drift(session)):
        lines.append(f"course_terms: {course_count} courses repaired")
    return lines


def raise_course_versions(session: Session, model: type[Section | Lecture], where: ColumnElement[bool]) -> None:
    """Add 1 to the version of each course with such a section or lecture, because they will be repaired.

    Curricula are cached by that version. `updated_at` does not change.
    """
    values = {"version": Course.version + 1, "updated_at": Course.updated_at}
    courses = select(model.course_id).where(where)
    execute_dml(session, update(Course).where(Course.id.in_(courses)).values(values))


def _drifted_columns(session: Session) -> Iterator[tuple[DerivedColumn, list[Any]]]:
    for derived in (*COUNTER_COLUMNS, *POSITION_COLUMNS):
        where = (derived.column.class_.deleted_at.is_(None),) if derived in POSITION_COLUMNS else ()
        if rows := list(find_drift(session, derived, *where)):
            yield derived, rows
