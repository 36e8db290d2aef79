"""Conditions in SQL for rows that have all terms of a query."""

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, false, select

from lms_graphql.core.search_terms import MAX_CHARACTER, QueryTerms


def has_all_terms(
    key: SQLColumnExpression[int],
    term: SQLColumnExpression[str],
    owner: SQLColumnExpression[int],
    terms: QueryTerms,
    *where: ColumnElement[bool],
) -> ColumnElement[bool]:
    """Return the condition that the row with this key has every term. Without terms no row matches.

    `term` and `owner` are columns of the table of terms. `where` has further conditions on that table. With IN,
    MariaDB chooses whether it begins with the rows or with the terms.
    """
    if terms == QueryTerms():
        return false()
    matches = [*(term == word for word in terms.words), *(_has_prefix(term, prefix) for prefix in terms.prefixes)]
    return and_(*(key.in_(select(owner).where(*where, match)) for match in matches))


def _has_prefix(term: SQLColumnExpression[str], prefix: str) -> ColumnElement[bool]:
    """Return the condition that a term begins with the prefix. It is a range of an index."""
    return and_(term >= prefix, term < prefix + MAX_CHARACTER)
