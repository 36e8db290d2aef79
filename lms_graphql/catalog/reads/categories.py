"""The category tree."""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import CTE, literal_column, select
from sqlalchemy.orm import Session, aliased

from lms_graphql.catalog.category_tree import MAX_DEPTH
from lms_graphql.catalog.models import Category
from lms_graphql.core.actor import Actor
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows, group_rows


@with_global_id("Category")
class CategoryRow(NamedTuple):
    key: int
    slug: str
    name: str
    description: str | None
    parent_key: int | None


CATEGORIES = select(Category.id, Category.slug, Category.name, Category.description, Category.parent_id)
BY_ID = CATEGORIES.where(Category.id.in_(KEYS))
BY_SLUG = CATEGORIES.where(Category.slug.in_(KEYS))
CHILDREN = CATEGORIES.where(Category.parent_id.in_(KEYS)).order_by(Category.name_key, Category.id)
ROOTS = CATEGORIES.where(Category.parent_id.is_(None)).order_by(Category.name_key, Category.id)


def categories_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, CategoryRow]:
    return {row[0]: CategoryRow._make(row) for row in fetch_rows(session, BY_ID, {"keys": keys})}


def categories_by_slug(session: Session, actor: Actor, slugs: Sequence[str]) -> dict[str, CategoryRow]:
    return {row[1]: CategoryRow._make(row) for row in fetch_rows(session, BY_SLUG, {"keys": slugs})}


def root_categories(session: Session, actor: Actor) -> list[CategoryRow]:
    return [CategoryRow._make(row) for row in fetch_rows(session, ROOTS)]


def children_by_category(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, list[CategoryRow]]:
    return group_rows(fetch_rows(session, CHILDREN, {"keys": keys}), CategoryRow._make, by=4)


def ancestors_by_category(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, list[CategoryRow]]:
    """From the root down to the parent, for every category, in one statement."""
    found: dict[int, list[CategoryRow]] = {}
    for row in fetch_rows(session, _ancestors(), {"keys": keys}):
        found.setdefault(row[0], []).append(CategoryRow._make(row[1:]))
    return found


@cache
def _ancestors() -> RowSelect:
    origin, parent = aliased(Category), aliased(Category)
    first: RowSelect = select(
        origin.id.label("origin"), origin.parent_id.label("ancestor"), literal_column("1").label("steps")
    )
    line = first.where(origin.id.in_(KEYS), origin.parent_id.is_not(None)).cte("line", recursive=True)
    further = (
        select(line.c.origin, parent.parent_id, line.c.steps + 1)
        .join(parent, parent.id == line.c.ancestor)
        .where(parent.parent_id.is_not(None), line.c.steps < MAX_DEPTH)
    )
    line = line.union_all(further)
    return (
        select(line.c.origin, *CATEGORIES.selected_columns)
        .join(Category, Category.id == line.c.ancestor)
        .order_by(line.c.origin, line.c.steps.desc())
    )


def subtree(roots: Any) -> CTE:
    """(root, member) for each of these roots: itself and all below it."""
    root, child = aliased(Category), aliased(Category)
    start = select(root.id.label("root"), root.id.label("member")).where(root.id.in_(roots))
    branch = start.cte("branch", recursive=True)
    return branch.union(select(branch.c.root, child.id).join(child, child.parent_id == branch.c.member))
