"""Course search in SQL. The score of a course depends only on its own terms, so that pages stay stable."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, Subquery, cast, func, literal, select, union_all

from lms_graphql.catalog.models import CourseTerm
from lms_graphql.core.search_terms import MAX_CHARACTER
from lms_graphql.core.statements import RowSelect


def search_matches(terms: Sequence[str]) -> Subquery:
    """Return a table of (course_id, score): the courses that have every term.

    The last term matches as a prefix. Without terms nothing matches.
    """
    if not terms:
        no_match = select(CourseTerm.course_id, CourseTerm.weight.label("score")).where(literal(1) == 0)
        return no_match.subquery("found")
    *whole_terms, prefix = terms
    hits = union_all(*(_exact_matches(term) for term in whole_terms), _prefix_matches(prefix)).subquery("hits")
    return (
        select(hits.c.course_id, cast(func.sum(hits.c.weight), BigInteger).label("score"))
        .group_by(hits.c.course_id)
        .having(func.count() == len(terms))
        .subquery("found")
    )


def _exact_matches(term: str) -> RowSelect:
    return select(CourseTerm.course_id, CourseTerm.weight).where(CourseTerm.term == term)


def _prefix_matches(prefix: str) -> RowSelect:
    """Return one row for each course: the highest weight of its terms with this prefix."""
    return (
        select(CourseTerm.course_id, func.max(CourseTerm.weight).label("weight"))
        .where(CourseTerm.term >= prefix, CourseTerm.term < prefix + MAX_CHARACTER)
        .group_by(CourseTerm.course_id)
    )
