"""The tree of categories, changed by super admins.

They take turns, one change of the whole tree at a time: two moves that are right each for itself may make a circle,
or a branch that is too deep. What is put into a category takes no turn; see `category_of`.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Category, Course
from lms_graphql.catalog.slugs import free_slug
from lms_graphql.catalog.tree import DEEPEST, Tree
from lms_graphql.core import ids, turns
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import ErrorCode, Refusal
from lms_graphql.core.faults import is_duplicate_of
from lms_graphql.core.forms import Form
from lms_graphql.core.statements import changed

TURN = "category_tree"
LONGEST_NAME = 100


def create_category(session: Session, actor: Actor, name: str, description: str | None, parent_id: str | None) -> int:
    """Its key."""
    turns.hold(session, TURN)
    form, tree = Form(), _tree(session)
    name = form.line("name", name, most=LONGEST_NAME)
    description = form.text("description", description)
    parent = _parent(tree, parent_id)
    form.done()
    _refuse_depth(tree.depth(parent) + 1)
    slug = free_slug(session, Category.slug, name, "category")
    category = Category(name=name, description=description, parent_id=parent, slug=slug)
    session.add(category)
    _flush(session)
    return category.id


def update_category(session: Session, actor: Actor, category_id: str, changes: Mapping[str, Any]) -> int:
    """`changes`: what is not in it stays as it is. The slug stays in any case: links go on leading there."""
    turns.hold(session, TURN)
    form, kept, tree = Form(), dict(changes), _tree(session)
    category = _category(session, category_id)
    if "name" in kept:
        kept["name"] = form.line("name", kept["name"], most=LONGEST_NAME)
    if "description" in kept:
        kept["description"] = form.text("description", kept["description"])
    if "parent_id" in kept:
        kept["parent_id"] = _parent(tree, kept["parent_id"])
    form.done()
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
    turns.hold(session, TURN)
    category = _category(session, category_id)
    has_children = exists().where(Category.parent_id == category.id)
    has_courses = exists().where(Course.category_id == category.id)
    if session.scalar(select(has_children | has_courses)):
        raise _in_use()
    try:
        changed(session, delete(Category).where(Category.id == category.id))
    except IntegrityError:  # a course has come into it just now
        raise _in_use() from None
    return category_id


def category_of(session: Session, category_id: str | None) -> int | None:
    """
    The key of the category that a course is to stand in; NOT_FOUND at `category_id`. It is locked until the course is
    there, so that nobody deletes it meanwhile.
    """
    if category_id is None:
        return None
    there = select(Category.id).where(Category.id == ids.key_of("Category", category_id))
    key = session.scalar(there.with_for_update(read=True))
    if key is None:
        raise _not_found("category_id")
    return key


def _tree(session: Session) -> Tree:
    return Tree({row.id: row.parent_id for row in session.execute(select(Category.id, Category.parent_id))})


def _category(session: Session, category_id: str) -> Category:
    key = ids.key_of("Category", category_id)
    category = session.get(Category, key) if key is not None else None
    if category is None:
        raise _not_found("category_id")
    return category


def _parent(tree: Tree, parent_id: str | None) -> int | None:
    if parent_id is None:
        return None
    key = ids.key_of("Category", parent_id)
    if key is None or key not in tree:
        raise _not_found("parent_id")
    return key


def _refuse_circle(tree: Tree, key: int, parent: int) -> None:
    if tree.is_within(parent, key):
        raise Refusal(ErrorCode.INVALID, "A category cannot be below itself.", ("parent_id",))


def _refuse_depth(level: int) -> None:
    if level > DEEPEST:
        message = f"Categories go {DEEPEST} levels deep, and this would be level {level}."
        raise Refusal(ErrorCode.LIMIT_REACHED, message, ("parent_id",))


def _flush(session: Session) -> None:
    """The unique key knows siblings of one name, also one that came by without a turn: by a script."""
    try:
        session.flush()
    except IntegrityError as error:
        if not is_duplicate_of(error, "name_key"):
            raise
        message = "There is a category of this name here already."
        raise Refusal(ErrorCode.ALREADY_EXISTS, message, ("name",)) from None


def _not_found(path: str) -> Refusal:
    return Refusal(ErrorCode.NOT_FOUND, "There is no such category.", (path,))


def _in_use() -> Refusal:
    message = "It has courses or categories in it. Move them elsewhere first."
    return Refusal(ErrorCode.IN_USE, message, ("category_id",))
