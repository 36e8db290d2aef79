"""List queries: fetching pages and counts of a list, for one parent or for many at once."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import BindParameter, SQLColumnExpression, bindparam, func, select
from sqlalchemy.orm import Session

from lms_graphql.core import clock
from lms_graphql.core.actor import Actor
from lms_graphql.core.pagination import Page, PageArguments, SortOrder, build_page
from lms_graphql.core.statements import RowSelect, fetch_rows

PARENTS: BindParameter[Any] = bindparam("parents", expanding=True)
ROOT = "everything"
"""Stands for the parent of a list that has none."""

STATEMENT_CACHE_SIZE = 256
"""Number of page statements in each cache. Building a statement and finding its compiled form costs more than running
it."""


@dataclass(frozen=True, eq=False)
class ListQuery:
    """A list. `rows` selects all of it, without order. `to_row` turns a result row into the row that is returned.

    `parent` is the column with the key of the parent; None if the list has no parent. `complete` may replace the rows
    of a page by ones that need further reads. Statements are cached by the identity of the query, so build each query
    in a cached function.
    """

    rows: RowSelect
    to_row: Callable[[Any], Any]
    order: SortOrder
    parent: SQLColumnExpression[Any] | None = None
    complete: Callable[[Session, Sequence[Any]], Sequence[Any]] | None = None


def fetch_pages(
    session: Session,
    actor: Actor,
    query: ListQuery,
    parents: Sequence[Hashable],
    arguments: PageArguments,
    count: Callable[[Any], Any],
) -> Mapping[Hashable, Page[Any]]:
    """Return the page of each parent. One statement reads them all."""
    params = _bind_params(actor, parents)
    if len(parents) == 1:
        rows = fetch_rows(session, _page_of_one_parent(query, arguments), params)
        rows_by_parent = {parents[0]: [query.to_row(row) for row in rows]}
    else:
        rows_by_parent = {}
        for row in fetch_rows(session, _pages_of_many_parents(query, arguments), params):
            rows_by_parent.setdefault(row[-2], []).append(query.to_row(row[:-2]))
    if query.complete is not None:
        completed = iter(query.complete(session, [row for rows in rows_by_parent.values() for row in rows]))
        rows_by_parent = {parent: [next(completed) for _ in rows] for parent, rows in rows_by_parent.items()}
    return {
        parent: build_page(rows_by_parent.get(parent, []), arguments, query.order, partial(count, parent))
        for parent in parents
    }


@lru_cache(maxsize=STATEMENT_CACHE_SIZE)
def _page_of_one_parent(query: ListQuery, arguments: PageArguments) -> RowSelect:
    statement = query.rows.where(*query.order.cursor_predicates(arguments))
    if query.parent is not None:
        statement = statement.where(query.parent.in_(PARENTS))
    return statement.order_by(*query.order.columns(arguments.backward)).limit(arguments.size + 1)


@lru_cache(maxsize=STATEMENT_CACHE_SIZE)
def _pages_of_many_parents(query: ListQuery, arguments: PageArguments) -> RowSelect:
    """Return a statement that numbers the rows within each parent, and selects the page's size plus one of each."""
    assert query.parent is not None, "A list without a parent has one page."
    position = func.row_number().over(partition_by=query.parent, order_by=query.order.columns(arguments.backward))
    numbered = (
        query.rows.where(*query.order.cursor_predicates(arguments), query.parent.in_(PARENTS))
        .add_columns(query.parent.label("page_parent"), position.label("page_position"))
        .subquery()
    )
    return (
        select(numbered)
        .where(numbered.c.page_position <= arguments.size + 1)
        .order_by(numbered.c.page_parent, numbered.c.page_position)
    )


def fetch_counts(
    session: Session, actor: Actor, query: ListQuery, parents: Sequence[Hashable]
) -> Mapping[Hashable, int]:
    """Return the number of rows in the whole list of each parent. A parent without rows is left out."""
    if query.parent is None:
        total = session.scalar(select(func.count()).select_from(query.rows.subquery()), _bind_params(actor, ()))
        return {parents[0]: total or 0}
    counts = query.rows.with_only_columns(query.parent, func.count()).where(query.parent.in_(PARENTS))
    rows = fetch_rows(session, counts.group_by(query.parent), _bind_params(actor, parents))
    return {row[0]: row[1] for row in rows}


def _bind_params(actor: Actor, parents: Sequence[Hashable]) -> dict[str, Any]:
    """Return values for all parameters that a list may contain: VIEWER, PARENTS and NOW."""
    return {**actor.bind_params, "parents": list(parents), "now": clock.now()}
