"""Search in SQL: the courses that have all the words, with a score that only the courses themselves change."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, Subquery, cast, func, literal, select, union_all

from lms_graphql.catalog.models import CourseTerm
from lms_graphql.core.search_terms import MAX_CHARACTER
from lms_graphql.core.statements import RowSelect


def search_matches(words: Sequence[str]) -> Subquery:
    """(course_id, score) of the courses that have every word, the last one as a prefix. No words find nothing."""
    if not words:
        nothing = select(CourseTerm.course_id, CourseTerm.weight.label("score")).where(literal(1) == 0)
        return nothing.subquery("found")
    *whole, prefix = words
    hits = union_all(*(_exactly(word) for word in whole), _beginning_with(prefix)).subquery("hits")
    return (
        select(hits.c.course_id, cast(func.sum(hits.c.weight), BigInteger).label("score"))
        .group_by(hits.c.course_id)
        .having(func.count() == len(words))
        .subquery("found")
    )


def _exactly(word: str) -> RowSelect:
    return select(CourseTerm.course_id, CourseTerm.weight).where(CourseTerm.term == word)


def _beginning_with(prefix: str) -> RowSelect:
    """A course counts once, by the best of its words that begin so."""
    return (
        select(CourseTerm.course_id, func.max(CourseTerm.weight).label("weight"))
        .where(CourseTerm.term >= prefix, CourseTerm.term < prefix + MAX_CHARACTER)
        .group_by(CourseTerm.course_id)
    )
