"""Course search in SQL. The score of a course depends only on its own terms, so that pages stay stable."""

from collections.abc import Sequence
from functools import cache, reduce
from operator import add
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, SQLColumnExpression, String, bindparam, false, literal_column, select
from sqlalchemy.orm import Session, aliased

from lms_graphql.catalog.models import Course, CourseTerm
from lms_graphql.core.search_terms import QueryTerms, prefix_term
from lms_graphql.core.statements import RowSelect, fetch_rows

MAX_RARE = 200
"""A term is rare if at most so many courses have it."""


class Matches(NamedTuple):
    """The courses that have every term, and the columns by which they are ranked. The terms are parameters."""

    rows: RowSelect
    score: SQLColumnExpression[int]
    key: SQLColumnExpression[int]


def stored_terms(terms: QueryTerms) -> tuple[str, ...]:
    """Return the terms of the index that a course must have all of."""
    return (*terms.words, *map(prefix_term, terms.prefixes))


def find_matches(courses: RowSelect, terms: QueryTerms, *, is_ranked: bool) -> Matches:
    """Join the courses with their terms. Without terms nothing matches. Execute with `term_binds`.

    Each term is a join, so that the database begins with the rarest term, or with the courses in their order.
    Ranked courses of one term are read in the order of its index. MariaDB does not see that LIMIT ends this soon, and
    would read all of them: 19 ms instead of 0.8 ms for a word that all of 10,000 courses have.
    """
    matches = [aliased(CourseTerm) for _ in stored_terms(terms)]
    if not matches:
        return Matches(courses.where(false()), Course.version, Course.id)
    first = matches[0]
    rows = courses.select_from(first).join(Course, Course.id == first.course_id)
    for match in matches[1:]:
        rows = rows.join(match, match.course_id == first.course_id)
    rows = rows.where(*(match.term == _term(number) for number, match in enumerate(matches)))
    if is_ranked and len(matches) == 1:
        for dialect in ("mysql", "mariadb"):
            rows = rows.prefix_with("STRAIGHT_JOIN", dialect=dialect)
    return Matches(rows, reduce(add, (match.weight for match in matches)), first.course_id)


def term_binds(session: Session, terms: Sequence[str]) -> dict[str, str]:
    """Return the parameters of a search: its terms, rare ones first, because SQLite joins them in this order."""
    binds = {_term(number).key: term for number, term in enumerate(terms)}
    if len(terms) < 2:
        return binds
    are_frequent = fetch_rows(session, _are_frequent(len(terms)), binds)[0]
    rare_first = sorted(zip(are_frequent, terms, strict=True), key=lambda item: item[0] is not None)
    return {_term(number).key: term for number, (_, term) in enumerate(rare_first)}


@cache
def _are_frequent(count: int) -> RowSelect:
    """Return a statement that has 1 for each of so many terms if it is frequent, else null. It reads few entries."""
    beyond: RowSelect = select(literal_column("1")).limit(1).offset(MAX_RARE)
    return select(*(beyond.where(CourseTerm.term == _term(number)).scalar_subquery() for number in range(count)))


def _term(number: int) -> BindParameter[Any]:
    return bindparam(f"term_{number}", type_=String())
