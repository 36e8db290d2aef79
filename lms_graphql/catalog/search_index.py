"""Search index of courses: the terms of their texts, stored in the same transaction as the texts."""

from collections.abc import Mapping

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Course, CourseTerm
from lms_graphql.core.search_terms import index_terms
from lms_graphql.core.statements import execute_dml


def index_course(session: Session, course: Course) -> None:
    """Update the course's terms.

    This runs in the transaction that changes the texts, so that a search sees all of a change or nothing.
    """
    of_course = CourseTerm.course_id == course.id
    rows = session.execute(select(CourseTerm.term, CourseTerm.weight).where(of_course))
    update_terms(session, course.id, {row.term: row.weight for row in rows}, course_terms(course))


def course_terms(course: Course) -> Mapping[str, int]:
    return term_weights(course.title, course.short_description, course.description)


def update_terms(session: Session, course_key: int, stored: Mapping[str, int], expected: Mapping[str, int]) -> None:
    """Write the difference between stored and expected terms.

    Only changed terms are written, so that an edit of a long description locks no terms of other courses.
    """
    obsolete = [term for term, weight in stored.items() if expected.get(term) != weight]
    added = [
        {"term": term, "course_id": course_key, "weight": weight}
        for term, weight in expected.items()
        if stored.get(term) != weight
    ]
    if obsolete:
        is_obsolete = CourseTerm.term.in_(obsolete)
        execute_dml(session, delete(CourseTerm).where(CourseTerm.course_id == course_key, is_obsolete))
    if added:
        session.execute(insert(CourseTerm), added)


TITLE_WEIGHT, SHORT_DESCRIPTION_WEIGHT, DESCRIPTION_WEIGHT = 4, 2, 1


def term_weights(title: str, short_description: str | None, description: str) -> Mapping[str, int]:
    """Return the search terms of a course with their weights: the sum of the weights of the texts that contain it."""
    weights: dict[str, int] = {}
    for text, weight in (
        (title, TITLE_WEIGHT),
        (short_description or "", SHORT_DESCRIPTION_WEIGHT),
        (description, DESCRIPTION_WEIGHT),
    ):
        for term in set(index_terms(text)):
            weights[term] = weights.get(term, 0) + weight
    return weights
