"""Derived columns of the catalog: their expected values, drift and repair."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import Session, aliased

from lms_graphql.catalog.models import Course, CourseTerm, Enrollment, Lecture, Section
from lms_graphql.catalog.search_index import term_weights, update_terms
from lms_graphql.core.derived_columns import DerivedColumn, find_drift, repair_drift

BATCH_SIZE = 500
"""The number of courses whose search terms are compared at a time."""


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
    if course_count := len(list(_drifted_terms(session))):
        lines.append(f"course_terms: wrong for {course_count} courses")
    return lines


def repair_counters(session: Session) -> list[str]:
    """Correct all derived columns and search terms. Return a line for each that was repaired."""
    lines = []
    for derived, rows in list(_drifted_columns(session)):
        repair_drift(session, derived, rows)
        lines.append(f"{derived.name}: {len(rows)} rows repaired")
    drifts = list(_drifted_terms(session))
    for drift in drifts:
        update_terms(session, drift.course_key, drift.stored, drift.expected)
    if drifts:
        lines.append(f"course_terms: {len(drifts)} courses repaired")
    return lines


def _drifted_columns(session: Session) -> Iterator[tuple[DerivedColumn, list[Any]]]:
    for derived in (*COUNTER_COLUMNS, *POSITION_COLUMNS):
        where = (derived.column.class_.deleted_at.is_(None),) if derived in POSITION_COLUMNS else ()
        if rows := list(find_drift(session, derived, *where)):
            yield derived, rows


class TermDrift(NamedTuple):
    """A course whose stored search terms differ from those of its texts. Both map terms to weights."""

    course_key: int
    stored: dict[str, int]
    expected: dict[str, int]


def _drifted_terms(session: Session) -> Iterator[TermDrift]:
    courses = select(Course.id, Course.title, Course.short_description, Course.description).order_by(Course.id)
    last_key = 0
    while rows := list(session.execute(courses.where(Course.id > last_key).limit(BATCH_SIZE))):
        last_key = rows[-1].id
        stored_by_course: dict[int, dict[str, int]] = {}
        in_batch = CourseTerm.course_id.between(rows[0].id, last_key)
        for term, course_key, weight in session.execute(
            select(CourseTerm.term, CourseTerm.course_id, CourseTerm.weight).where(in_batch)
        ):
            stored_by_course.setdefault(course_key, {})[term] = weight
        for row in rows:
            expected = dict(term_weights(row.title, row.short_description, row.description))
            if (stored := stored_by_course.get(row.id, {})) != expected:
                yield TermDrift(row.id, stored, expected)
