"""The catalog's derived figures: what each must be, where it is not, and how it is made right."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import Session, aliased

from lms_graphql.catalog.models import Course, CourseTerm, Enrollment, Lecture, Section
from lms_graphql.catalog.search_index import term_weights, update_terms
from lms_graphql.core.counters import DerivedColumn, find_drift, fix_drift

BATCH_SIZE = 500


def _of_lectures(what: Any, parent: Any, key: Any) -> ScalarSelect[Any]:
    there = Lecture.deleted_at.is_(None)
    return select(func.coalesce(what, 0)).where(parent == key, there).correlate_except(Lecture).scalar_subquery()


def _place(model: Any, parent: str) -> ScalarSelect[Any]:
    """How many stand before a row, among those that are there: 0, 1, 2 …"""
    other = aliased(model)
    before = (other.order_index < model.order_index) | (
        (other.order_index == model.order_index) & (other.id < model.id)
    )
    same = getattr(other, parent) == getattr(model, parent)
    there = other.deleted_at.is_(None)
    return select(func.count()).select_from(other).where(same, there, before).correlate(model).scalar_subquery()


TOTAL_COLUMNS = (
    DerivedColumn(Section.total_lectures, _of_lectures(func.count(), Lecture.section_id, Section.id)),
    DerivedColumn(Section.total_duration, _of_lectures(func.sum(Lecture.duration), Lecture.section_id, Section.id)),
    DerivedColumn(Course.total_lectures, _of_lectures(func.count(), Lecture.course_id, Course.id)),
    DerivedColumn(Course.total_duration, _of_lectures(func.sum(Lecture.duration), Lecture.course_id, Course.id)),
)
COUNTER_COLUMNS = (
    *TOTAL_COLUMNS,
    DerivedColumn(
        Course.enrollment_count,
        select(func.count()).where(Enrollment.course_id == Course.id).correlate_except(Enrollment).scalar_subquery(),
    ),
)
POSITION_COLUMNS = (
    DerivedColumn(Section.order_index, _place(Section, "course_id")),
    DerivedColumn(Lecture.order_index, _place(Lecture, "section_id")),
)


def refresh_totals(session: Session, course: Course, sections: Sequence[Section]) -> None:
    """
    After a change of lectures: of a course that is locked, and of these of its sections. Worked out in a SELECT: an
    UPDATE would lock what it reads for it, and the gaps in which other courses' lectures are put.
    """
    for model, rows in ((Section, sections), (Course, [course])):
        totals = {
            figure.column.key: figure.expected.label(figure.column.key)
            for figure in TOTAL_COLUMNS
            if figure.belongs_to(model)
        }
        truth = select(model.id, *totals.values()).where(model.id.in_(row.id for row in rows))
        found = {row.id: row for row in session.execute(truth)}
        for row in rows:
            for name in totals:
                setattr(row, name, int(getattr(found[row.id], name)))


def find_counter_drift(session: Session) -> list[str]:
    """A line for each figure that is wrong anywhere, with how often."""
    lines = []
    for figure, rows in _wrong(session):
        lines.append(f"{figure.name}: wrong in {len(rows)} rows")
    if courses := len(list(_wrong_terms(session))):
        lines.append(f"course_terms: wrong for {courses} courses")
    return lines


def repair_counters(session: Session) -> list[str]:
    """Makes every figure right, and tells what was changed."""
    lines = []
    for figure, rows in list(_wrong(session)):
        fix_drift(session, figure, rows)
        lines.append(f"{figure.name}: {len(rows)} rows mended")
    terms_wrong = list(_wrong_terms(session))
    for course, kept, terms in terms_wrong:
        update_terms(session, course, kept, terms)
    if terms_wrong:
        lines.append(f"course_terms: {len(terms_wrong)} courses mended")
    return lines


def _wrong(session: Session) -> Iterator[tuple[DerivedColumn, list[Any]]]:
    for figure in (*COUNTER_COLUMNS, *POSITION_COLUMNS):
        where = (figure.column.class_.deleted_at.is_(None),) if figure in POSITION_COLUMNS else ()
        if rows := list(find_drift(session, figure, *where)):
            yield figure, rows


def _wrong_terms(session: Session) -> Iterator[tuple[int, dict[str, int], dict[str, int]]]:
    """The courses whose search terms are not those of their texts: what is kept, and what should be."""
    texts = select(Course.id, Course.title, Course.short_description, Course.description).order_by(Course.id)
    last = 0
    while rows := list(session.execute(texts.where(Course.id > last).limit(BATCH_SIZE))):
        last = rows[-1].id
        kept: dict[int, dict[str, int]] = {}
        here = CourseTerm.course_id.between(rows[0].id, last)
        for term, course, weight in session.execute(
            select(CourseTerm.term, CourseTerm.course_id, CourseTerm.weight).where(here)
        ):
            kept.setdefault(course, {})[term] = weight
        for row in rows:
            terms = dict(term_weights(row.title, row.short_description, row.description))
            if (found := kept.get(row.id, {})) != terms:
                yield row.id, found, terms
