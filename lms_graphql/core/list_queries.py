"""Lists in pages: how a list is read for one parent, for many at once, and how it is counted."""

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
"""In place of a parent, for a list that hangs on nothing."""

STATEMENT_CACHE_SIZE = 256
"""Pages asked for lately: to build a statement and to find its compiled form costs more than to run it."""


@dataclass(frozen=True, eq=False)
class ListQuery:
    """A list: `rows` selects all of it (without order), `to_row` turns a row of it into what is handed out.

    `parent` is the column by which the list hangs on something; None where it hangs on nothing.
    Two listings are the same only if they are one object: build them in a cached function.
    """

    rows: RowSelect
    to_row: Callable[[Any], Any]
    order: SortOrder
    parent: SQLColumnExpression[Any] | None = None


def fetch_pages(
    session: Session,
    actor: Actor,
    listing: ListQuery,
    parents: Sequence[Hashable],
    asked: PageArguments,
    count: Callable[[Any], Any],
) -> Mapping[Hashable, Page[Any]]:
    """The page of each parent, in one statement however many there are."""
    binds = _binds(actor, parents)
    if len(parents) == 1:
        rows = fetch_rows(session, _of_one_parent(listing, asked), binds)
        found = {parents[0]: [listing.to_row(row) for row in rows]}
    else:
        found = {}
        for row in fetch_rows(session, _of_each_parent(listing, asked), binds):
            found.setdefault(row.page_parent, []).append(listing.to_row(row[:-2]))
    return {
        parent: build_page(found.get(parent, []), asked, listing.order, partial(count, parent)) for parent in parents
    }


@lru_cache(maxsize=STATEMENT_CACHE_SIZE)
def _of_one_parent(listing: ListQuery, asked: PageArguments) -> RowSelect:
    bounded = listing.rows.where(*listing.order.cursor_predicates(asked))
    if listing.parent is not None:
        bounded = bounded.where(listing.parent.in_(PARENTS))
    return bounded.order_by(*listing.order.columns(asked.backward)).limit(asked.size + 1)


@lru_cache(maxsize=STATEMENT_CACHE_SIZE)
def _of_each_parent(listing: ListQuery, asked: PageArguments) -> RowSelect:
    """The first so many of each parent: numbered within their parent, cut at the page's size and one more."""
    assert listing.parent is not None, "A list that hangs on nothing has one page."
    place = func.row_number().over(partition_by=listing.parent, order_by=listing.order.columns(asked.backward))
    numbered = (
        listing.rows.where(*listing.order.cursor_predicates(asked), listing.parent.in_(PARENTS))
        .add_columns(listing.parent.label("page_parent"), place.label("page_place"))
        .subquery()
    )
    return (
        select(numbered)
        .where(numbered.c.page_place <= asked.size + 1)
        .order_by(numbered.c.page_parent, numbered.c.page_place)
    )


def fetch_counts(
    session: Session, actor: Actor, listing: ListQuery, parents: Sequence[Hashable]
) -> Mapping[Hashable, int]:
    """How many there are for each parent, whatever the page."""
    if listing.parent is None:
        total = session.scalar(select(func.count()).select_from(listing.rows.subquery()), _binds(actor, ()))
        return {parents[0]: total or 0}
    listed = listing.rows.with_only_columns(listing.parent, func.count()).where(listing.parent.in_(PARENTS))
    rows = fetch_rows(session, listed.group_by(listing.parent), _binds(actor, parents))
    return {row[0]: row[1] for row in rows}


def _binds(actor: Actor, parents: Sequence[Hashable]) -> dict[str, Any]:
    """What a list may name: VIEWER, PARENTS and NOW."""
    return {**actor.bind_params, "parents": list(parents), "now": clock.now()}
