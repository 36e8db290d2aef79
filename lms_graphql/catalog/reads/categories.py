"""Reads of categories: by key, by slug, and along the tree. Every category is public."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from sqlalchemy import CTE, func, literal_column, select
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


class CategoryNode(NamedTuple):
    """A category's place in the tree."""

    key: int
    slug: str
    parent_key: int | None


CATEGORIES = select(Category.id, Category.slug, Category.name, Category.description, Category.parent_id)
CATEGORIES_BY_KEY = CATEGORIES.where(Category.id.in_(KEYS))
CATEGORIES_BY_SLUG = CATEGORIES.where(Category.slug.in_(KEYS))
CHILDREN = CATEGORIES.where(Category.parent_id.in_(KEYS)).order_by(Category.name_key, Category.id)
ROOTS = CATEGORIES.where(Category.parent_id.is_(None)).order_by(Category.name_key, Category.id)
ALL_CATEGORIES = CATEGORIES.order_by(Category.name_key, Category.id)
CATEGORY_NODES = select(Category.id, Category.slug, Category.parent_id).order_by(Category.name_key, Category.id)


def categories_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, CategoryRow]:
    return {row[0]: CategoryRow._make(row) for row in fetch_rows(session, CATEGORIES_BY_KEY, {"keys": keys})}


def categories_by_slug(session: Session, actor: Actor, slugs: Sequence[str]) -> dict[str, CategoryRow]:
    return {row[1]: CategoryRow._make(row) for row in fetch_rows(session, CATEGORIES_BY_SLUG, {"keys": slugs})}


def root_categories(session: Session, actor: Actor) -> list[CategoryRow]:
    return [CategoryRow._make(row) for row in fetch_rows(session, ROOTS)]


def category_tree(session: Session, actor: Actor) -> list[CategoryRow]:
    """Return all categories: each after its parent, and siblings by name."""
    children = group_rows(fetch_rows(session, ALL_CATEGORIES), CategoryRow._make, by=4)
    tree: list[CategoryRow] = []
    pending = children.get(None, [])[::-1]
    while pending:
        tree.append(pending.pop())
        pending += children.get(tree[-1].key, [])[::-1]
    return tree


def children_by_category(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, list[CategoryRow]]:
    return group_rows(fetch_rows(session, CHILDREN, {"keys": keys}), CategoryRow._make, by=4)


def ancestors_by_category(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, list[CategoryRow]]:
    """Return the ancestors of each category, from the root to the parent. One statement serves all categories."""
    ancestors: dict[int, list[CategoryRow]] = {}
    for row in fetch_rows(session, _ancestors(), {"keys": keys}):
        ancestors.setdefault(row[0], []).append(CategoryRow._make(row[1:]))
    return ancestors


def depths_by_category(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, int]:
    """Return the number of ancestors of each category that has any."""
    return {row[0]: row[1] for row in fetch_rows(session, _depths(), {"keys": keys})}


@cache
def _depths() -> RowSelect:
    path = _ancestor_path()
    return select(path.c.category, func.max(path.c.distance)).group_by(path.c.category)


@cache
def _ancestors() -> RowSelect:
    path = _ancestor_path()
    return (
        select(path.c.category, *CATEGORIES.selected_columns)
        .join(Category, Category.id == path.c.ancestor)
        .order_by(path.c.category, path.c.distance.desc())
    )


def _ancestor_path() -> CTE:
    """Return a table of (category, ancestor, distance): each of the categories with each of its ancestors."""
    category, parent = aliased(Category), aliased(Category)
    start: RowSelect = select(
        category.id.label("category"), category.parent_id.label("ancestor"), literal_column("1").label("distance")
    )
    path = start.where(category.id.in_(KEYS), category.parent_id.is_not(None)).cte("path", recursive=True)
    step = (
        select(path.c.category, parent.parent_id, path.c.distance + 1)
        .join(parent, parent.id == path.c.ancestor)
        .where(parent.parent_id.is_not(None), path.c.distance < MAX_DEPTH)
    )
    return path.union_all(step)


def category_nodes(session: Session) -> list[CategoryNode]:
    """Return the place of every category, ordered by name. There are at most 1,000."""
    return [CategoryNode._make(row) for row in fetch_rows(session, CATEGORY_NODES)]


def branch_keys(nodes: Iterable[CategoryNode], *roots: int | str | None) -> set[int]:
    """Return the keys of the categories with these keys or slugs, and of all their descendants.

    Python walks the tree, because a recursive statement is joined before the index of courses: 9.3 ms instead of
    0.3 ms for a page of a branch with 10,000 courses.
    """
    nodes = list(nodes)
    children = group_rows(nodes, lambda node: node.key, by=2)
    pending = [node.key for node in nodes if node.key in roots or node.slug in roots]
    keys: set[int] = set()
    while pending:
        keys.add(pending[-1])
        pending += children.get(pending.pop(), ())
    return keys


def branches_by_category(session: Session, keys: Sequence[int]) -> dict[int, set[int]]:
    """Return the keys in the branch of each category: its own, and those of all its descendants."""
    nodes = category_nodes(session)
    return {key: branch_keys(nodes, key) for key in keys}
