"""The words by which a course is found, kept with its texts."""

from collections.abc import Mapping

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Course, CourseTerm
from lms_graphql.core.search_terms import index_terms
from lms_graphql.core.statements import execute_dml


def index_course(session: Session, course: Course) -> None:
    """In the same transaction as the texts: a search sees all of a change or nothing."""
    its_own = CourseTerm.course_id == course.id
    rows = session.execute(select(CourseTerm.term, CourseTerm.weight).where(its_own))
    update_terms(session, course.id, {row.term: row.weight for row in rows}, course_terms(course))


def course_terms(course: Course) -> Mapping[str, int]:
    return term_weights(course.title, course.short_description, course.description)


def update_terms(session: Session, course_key: int, kept: Mapping[str, int], wanted: Mapping[str, int]) -> None:
    """Only what differs: who changes a word of a long description locks no other course's words."""
    gone = [term for term, weight in kept.items() if wanted.get(term) != weight]
    new = [
        {"term": term, "course_id": course_key, "weight": weight}
        for term, weight in wanted.items()
        if kept.get(term) != weight
    ]
    if gone:
        execute_dml(session, delete(CourseTerm).where(CourseTerm.course_id == course_key, CourseTerm.term.in_(gone)))
    if new:
        session.execute(insert(CourseTerm), new)


TITLE, SHORT_DESCRIPTION, DESCRIPTION = 4, 2, 1


def term_weights(title: str, short_description: str | None, description: str) -> Mapping[str, int]:
    """The terms by which a course is found, each with what it counts: the sum over the texts that have it."""
    found: dict[str, int] = {}
    for text, weight in (
        (title, TITLE),
        (short_description or "", SHORT_DESCRIPTION),
        (description, DESCRIPTION),
    ):
        for term in set(index_terms(text)):
            found[term] = found.get(term, 0) + weight
    return found
