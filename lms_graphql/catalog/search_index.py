"""Search index of courses: the terms of their texts, stored in the same transaction as the texts."""

from collections.abc import Iterator, Mapping, Set
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Course, CourseTerm
from lms_graphql.core import term_index
from lms_graphql.core.search_terms import index_terms, prefix_terms

TERMS = term_index.TermTable(CourseTerm.term, CourseTerm.course_id, CourseTerm.weight)
COURSES = select(Course.id, Course.title, Course.short_description, Course.description)


def index_course(session: Session, course: Course) -> None:
    """Update the course's terms.

    This runs in the transaction that changes the texts, so that a search sees all of a change or nothing.
    """
    expected = set(term_weights(course.title, course.short_description, course.description).items())
    term_index.update_terms(session, TERMS, course.id, term_index.stored_terms(session, TERMS, course.id), expected)


def find_term_drift(session: Session) -> Iterator[term_index.TermDrift]:
    """Yield the courses whose stored terms are wrong."""

    def expected(row: Any) -> Set[term_index.Term]:
        return set(term_weights(row.title, row.short_description, row.description).items())

    return term_index.find_drift(session, TERMS, COURSES, expected)


TITLE_WEIGHT, SHORT_DESCRIPTION_WEIGHT, DESCRIPTION_WEIGHT = 4, 2, 1


def term_weights(title: str, short_description: str | None, description: str) -> Mapping[str, int]:
    """Return the search terms of a course with their weights: the sum of the weights of the texts that contain it.

    Each prefix of a word is a term too, with the highest weight of the words that begin with it. So every word of a
    query, complete or not, is one range of the index, in the order of relevance.
    """
    weights: dict[str, int] = {}
    for text, weight in (
        (title, TITLE_WEIGHT),
        (short_description or "", SHORT_DESCRIPTION_WEIGHT),
        (description, DESCRIPTION_WEIGHT),
    ):
        for term in set(index_terms(text)):
            weights[term] = weights.get(term, 0) + weight
    for term, weight in list(weights.items()):
        for prefix in prefix_terms(term):
            weights[prefix] = max(weights.get(prefix, 0), weight)
    return weights
