"""Course search in SQL. The score of a course depends only on its own terms, so that pages stay stable."""

from sqlalchemy import BigInteger, Subquery, cast, func, literal, select, union_all

from lms_graphql.catalog.models import CourseTerm
from lms_graphql.core.search_terms import QueryTerms
from lms_graphql.core.statements import RowSelect
from lms_graphql.core.term_matches import has_prefix


def search_matches(terms: QueryTerms) -> Subquery:
    """Return a table of (course_id, score): the courses that have every term. Without terms nothing matches."""
    if terms == QueryTerms():
        no_match = select(CourseTerm.course_id, CourseTerm.weight.label("score")).where(literal(1) == 0)
        return no_match.subquery("found")
    matches = [*map(_exact_matches, terms.words), *map(_prefix_matches, terms.prefixes)]
    hits = union_all(*matches).subquery("hits")
    return (
        select(hits.c.course_id, cast(func.sum(hits.c.weight), BigInteger).label("score"))
        .group_by(hits.c.course_id)
        .having(func.count() == len(matches))
        .subquery("found")
    )


def _exact_matches(term: str) -> RowSelect:
    return select(CourseTerm.course_id, CourseTerm.weight).where(CourseTerm.term == term)


def _prefix_matches(prefix: str) -> RowSelect:
    """Return one row for each course: the highest weight of its terms with this prefix."""
    return (
        select(CourseTerm.course_id, func.max(CourseTerm.weight).label("weight"))
        .where(has_prefix(CourseTerm.term, prefix))
        .group_by(CourseTerm.course_id)
    )
