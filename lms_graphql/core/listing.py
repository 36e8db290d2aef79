"""Lists in pages: how a list is read for one parent, for many at once, and how it is counted."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import BindParameter, SQLColumnExpression, bindparam, func, select
from sqlalchemy.orm import Session

from lms_graphql.core import clock
from lms_graphql.core.actor import Actor
from lms_graphql.core.paging import Order, Page, Slice, page_of
from lms_graphql.core.statements import Rows, fetch

PARENTS: BindParameter[Any] = bindparam("parents", expanding=True)
EVERYTHING = "everything"
"""In place of a parent, for a list that hangs on nothing."""

KEPT_STATEMENTS = 256
"""Pages asked for lately: to build a statement and to find its compiled form costs more than to run it."""


@dataclass(frozen=True, eq=False)
class Listing:
    """A list: `rows` selects all of it (without order), `make` turns a row of it into what is handed out.

    `parent` is the column by which the list hangs on something; None where it hangs on nothing.
    Two listings are the same only if they are one object: build them in a cached function.
    """

    rows: Rows
    make: Callable[[Any], Any]
    order: Order
    parent: SQLColumnExpression[Any] | None = None


def pages(
    session: Session,
    actor: Actor,
    listing: Listing,
    parents: Sequence[Hashable],
    asked: Slice,
    count: Callable[[Any], Any],
) -> Mapping[Hashable, Page[Any]]:
    """The page of each parent, in one statement however many there are."""
    binds = _binds(actor, parents)
    if len(parents) == 1:
        rows = fetch(session, _of_one_parent(listing, asked), binds)
        found = {parents[0]: [listing.make(row) for row in rows]}
    else:
        found = {}
        for row in fetch(session, _of_each_parent(listing, asked), binds):
            found.setdefault(row.page_parent, []).append(listing.make(row[:-2]))
    return {
        parent: page_of(found.get(parent, []), asked, listing.order, partial(count, parent)) for parent in parents
    }


@lru_cache(maxsize=KEPT_STATEMENTS)
def _of_one_parent(listing: Listing, asked: Slice) -> Rows:
    bounded = listing.rows.where(*listing.order.clauses(asked))
    if listing.parent is not None:
        bounded = bounded.where(listing.parent.in_(PARENTS))
    return bounded.order_by(*listing.order.columns(asked.backward)).limit(asked.size + 1)


@lru_cache(maxsize=KEPT_STATEMENTS)
def _of_each_parent(listing: Listing, asked: Slice) -> Rows:
    """The first so many of each parent: numbered within their parent, cut at the page's size and one more."""
    assert listing.parent is not None, "A list that hangs on nothing has one page."
    place = func.row_number().over(partition_by=listing.parent, order_by=listing.order.columns(asked.backward))
    numbered = (
        listing.rows.where(*listing.order.clauses(asked), listing.parent.in_(PARENTS))
        .add_columns(listing.parent.label("page_parent"), place.label("page_place"))
        .subquery()
    )
    return (
        select(numbered)
        .where(numbered.c.page_place <= asked.size + 1)
        .order_by(numbered.c.page_parent, numbered.c.page_place)
    )


def counts(session: Session, actor: Actor, listing: Listing, parents: Sequence[Hashable]) -> Mapping[Hashable, int]:
    """How many there are for each parent, whatever the page."""
    if listing.parent is None:
        total = session.scalar(select(func.count()).select_from(listing.rows.subquery()), _binds(actor, ()))
        return {parents[0]: total or 0}
    listed = listing.rows.with_only_columns(listing.parent, func.count()).where(listing.parent.in_(PARENTS))
    rows = fetch(session, listed.group_by(listing.parent), _binds(actor, parents))
    return {row[0]: row[1] for row in rows}


def _binds(actor: Actor, parents: Sequence[Hashable]) -> dict[str, Any]:
    """What a list may name: VIEWER, PARENTS and NOW."""
    return {**actor.binds, "parents": list(parents), "now": clock.now()}
