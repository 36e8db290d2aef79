"""The tree of categories, changed by super admins.

They take turns, one change of the whole tree at a time: two moves that are right each for itself may make a circle,
or a branch that is too deep. What is put into a category takes no turn; see `lock_category`.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lms_graphql.catalog.category_tree import MAX_DEPTH, CategoryTree
from lms_graphql.catalog.models import Category, Course
from lms_graphql.catalog.slugs import unique_slug
from lms_graphql.core import global_ids, named_locks
from lms_graphql.core.actor import Actor
from lms_graphql.core.db_errors import is_unique_violation
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.statements import execute_dml
from lms_graphql.core.validation import Validator

CATEGORY_TREE_LOCK = "category_tree"
LONGEST_NAME = 100


def create_category(session: Session, actor: Actor, name: str, description: str | None, parent_id: str | None) -> int:
    """Its key."""
    named_locks.lock(session, CATEGORY_TREE_LOCK)
    form, tree = Validator(), _tree(session)
    name = form.single_line("name", name, most=LONGEST_NAME)
    description = form.multi_line("description", description)
    parent = _parent(tree, parent_id)
    form.raise_errors()
    _refuse_depth(tree.depth(parent) + 1)
    slug = unique_slug(session, Category.slug, name, "category")
    category = Category(name=name, description=description, parent_id=parent, slug=slug)
    session.add(category)
    _flush(session)
    return category.id


def update_category(session: Session, actor: Actor, category_id: str, changes: Mapping[str, Any]) -> int:
    """`changes`: what is not in it stays as it is. The slug stays in any case: links go on leading there."""
    named_locks.lock(session, CATEGORY_TREE_LOCK)
    form, kept, tree = Validator(), dict(changes), _tree(session)
    category = _category(session, category_id)
    if "name" in kept:
        kept["name"] = form.single_line("name", kept["name"], most=LONGEST_NAME)
    if "description" in kept:
        kept["description"] = form.multi_line("description", kept["description"])
    if "parent_id" in kept:
        kept["parent_id"] = _parent(tree, kept["parent_id"])
    form.raise_errors()
    if kept.get("parent_id") is not None:
        _refuse_circle(tree, category.id, kept["parent_id"])
        _refuse_depth(tree.depth(kept["parent_id"]) + tree.height(category.id))
    for name, value in kept.items():
        if getattr(category, name) != value:
            setattr(category, name, value)
    _flush(session)
    return category.id


def delete_category(session: Session, actor: Actor, category_id: str) -> str:
    """The id that was deleted."""
    named_locks.lock(session, CATEGORY_TREE_LOCK)
    category = _category(session, category_id)
    has_children = exists().where(Category.parent_id == category.id)
    has_courses = exists().where(Course.category_id == category.id)
    if session.scalar(select(has_children | has_courses)):
        raise _in_use()
    try:
        execute_dml(session, delete(Category).where(Category.id == category.id))
    except IntegrityError:  # a course has come into it just now
        raise _in_use() from None
    return category_id


def lock_category(session: Session, category_id: str | None) -> int | None:
    """
    The key of the category that a course is to stand in; NOT_FOUND at `category_id`. It is locked until the course is
    there, so that nobody deletes it meanwhile.
    """
    if category_id is None:
        return None
    there = select(Category.id).where(Category.id == global_ids.decode_key("Category", category_id))
    key = session.scalar(there.with_for_update(read=True))
    if key is None:
        raise _not_found("category_id")
    return key


def _tree(session: Session) -> CategoryTree:
    return CategoryTree({row.id: row.parent_id for row in session.execute(select(Category.id, Category.parent_id))})


def _category(session: Session, category_id: str) -> Category:
    key = global_ids.decode_key("Category", category_id)
    category = session.get(Category, key) if key is not None else None
    if category is None:
        raise _not_found("category_id")
    return category


def _parent(tree: CategoryTree, parent_id: str | None) -> int | None:
    if parent_id is None:
        return None
    key = global_ids.decode_key("Category", parent_id)
    if key is None or key not in tree:
        raise _not_found("parent_id")
    return key


def _refuse_circle(tree: CategoryTree, key: int, parent: int) -> None:
    if tree.is_within(parent, key):
        raise DomainError(ErrorCode.INVALID, "A category cannot be below itself.", ("parent_id",))


def _refuse_depth(level: int) -> None:
    if level > MAX_DEPTH:
        message = f"Categories go {MAX_DEPTH} levels deep, and this would be level {level}."
        raise DomainError(ErrorCode.LIMIT_REACHED, message, ("parent_id",))


def _flush(session: Session) -> None:
    """The unique key knows siblings of one name, also one that came by without a turn: by a script."""
    try:
        session.flush()
    except IntegrityError as error:
        if not is_unique_violation(error, "name_key"):
            raise
        message = "There is a category of this name here already."
        raise DomainError(ErrorCode.ALREADY_EXISTS, message, ("name",)) from None


def _not_found(path: str) -> DomainError:
    return DomainError(ErrorCode.NOT_FOUND, "There is no such category.", (path,))


def _in_use() -> DomainError:
    message = "It has courses or categories in it. Move them elsewhere first."
    return DomainError(ErrorCode.IN_USE, message, ("category_id",))
