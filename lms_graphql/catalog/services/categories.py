"""Category services, for super admins.

Changes of the tree run one at a time, under a named lock. Two moves that are each valid alone could together create
a cycle or a subtree that is too deep. To put a course into a category, `lock_category` is enough.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lms_graphql.catalog.category_tree import MAX_CATEGORIES, MAX_DEPTH, CategoryTree
from lms_graphql.catalog.models import Category, Course
from lms_graphql.catalog.slugs import unique_slug
from lms_graphql.core import global_ids, named_locks
from lms_graphql.core.actor import Actor
from lms_graphql.core.db_errors import is_unique_violation
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.statements import execute_dml
from lms_graphql.core.validation import Validator

CATEGORY_TREE_LOCK = "category_tree"
MAX_NAME_LENGTH = 100


def create_category(session: Session, actor: Actor, name: str, description: str | None, parent_id: str | None) -> int:
    """Create a category and return its key.

    Raise NOT_FOUND for the parent, LIMIT_REACHED below the deepest level or if there are 1,000 categories,
    ALREADY_EXISTS for a sibling's name, or validation errors.
    """
    named_locks.lock(session, CATEGORY_TREE_LOCK)
    validator, tree = Validator(), _load_tree(session)
    name = validator.single_line("name", name, max_length=MAX_NAME_LENGTH)
    description = validator.multi_line("description", description)
    parent_key = _require_parent(tree, parent_id)
    validator.raise_errors()
    _require_allowed_depth(tree.depth(parent_key) + 1)
    if len(tree) >= MAX_CATEGORIES:
        message = f"There are at most {MAX_CATEGORIES:,} categories. Delete one first."
        raise DomainError(ErrorCode.LIMIT_REACHED, message, ("parent_id",), limit=MAX_CATEGORIES)
    slug = unique_slug(session, Category.slug, name, "category")
    category = Category(name=name, description=description, parent_id=parent_key, slug=slug)
    session.add(category)
    _flush(session)
    return category.id


def update_category(session: Session, actor: Actor, category_id: str, changes: Mapping[str, Any]) -> int:
    """Change the fields in `changes` and return the category's key. The slug stays, so that links keep working.

    Raise the errors of `create_category`, and INVALID if the new parent is the category or one of its descendants.
    """
    named_locks.lock(session, CATEGORY_TREE_LOCK)
    validator, values, tree = Validator(), dict(changes), _load_tree(session)
    category = _load_category(session, category_id)
    if "name" in values:
        values["name"] = validator.single_line("name", values["name"], max_length=MAX_NAME_LENGTH)
    if "description" in values:
        values["description"] = validator.multi_line("description", values["description"])
    if "parent_id" in values:
        values["parent_id"] = _require_parent(tree, values["parent_id"])
    validator.raise_errors()
    if values.get("parent_id") is not None:
        _require_no_cycle(tree, category.id, values["parent_id"])
        _require_allowed_depth(tree.depth(values["parent_id"]) + tree.height(category.id))
    for name, value in values.items():
        if getattr(category, name) != value:
            setattr(category, name, value)
    _flush(session)
    return category.id


def delete_category(session: Session, actor: Actor, category_id: str) -> str:
    """Delete an empty category and return its id. Raise NOT_FOUND, or IN_USE if it has courses or children."""
    named_locks.lock(session, CATEGORY_TREE_LOCK)
    category = _load_category(session, category_id)
    if subject := _find_use(session, category.id):
        raise _in_use(subject)
    try:
        execute_dml(session, delete(Category).where(Category.id == category.id))
    except IntegrityError:  # another transaction has put a course into it since the check
        raise _in_use() from None
    return category_id


def lock_category(session: Session, category_id: str | None) -> int | None:
    """Lock the category that a course is put into and return its key; None for None.

    The lock is shared and lasts until the commit, so that the category cannot be deleted before the course is in it.
    Raise NOT_FOUND at `category_id`.
    """
    if category_id is None:
        return None
    category = select(Category.id).where(Category.id == global_ids.decode_key("Category", category_id))
    key = session.scalar(category.with_for_update(read=True))
    if key is None:
        raise _not_found("category_id")
    return key


def _load_tree(session: Session) -> CategoryTree:
    return CategoryTree({row.id: row.parent_id for row in session.execute(select(Category.id, Category.parent_id))})


def _load_category(session: Session, category_id: str) -> Category:
    key = global_ids.decode_key("Category", category_id)
    category = session.get(Category, key) if key is not None else None
    if category is None:
        raise _not_found("category_id")
    return category


def _require_parent(tree: CategoryTree, parent_id: str | None) -> int | None:
    if parent_id is None:
        return None
    key = global_ids.decode_key("Category", parent_id)
    if key is None or key not in tree:
        raise _not_found("parent_id")
    return key


def _require_no_cycle(tree: CategoryTree, key: int, parent_key: int) -> None:
    if tree.is_within(parent_key, key):
        message = "A category cannot be its own descendant. Choose a parent outside of it."
        raise DomainError(ErrorCode.INVALID, message, ("parent_id",))


def _require_allowed_depth(level: int) -> None:
    if level > MAX_DEPTH:
        message = f"Categories have at most {MAX_DEPTH} levels, and this needs {level}. Choose a higher parent."
        raise DomainError(ErrorCode.LIMIT_REACHED, message, ("parent_id",), limit=MAX_DEPTH)


def _flush(session: Session) -> None:
    """Flush the category, and raise ALREADY_EXISTS if a sibling has its name.

    The unique key decides, because it also sees rows that scripts insert without the named lock.
    """
    try:
        session.flush()
    except IntegrityError as error:
        if not is_unique_violation(error, "name_key"):
            raise
        message = "A category with this name exists under the same parent. Choose another name."
        raise DomainError(ErrorCode.ALREADY_EXISTS, message, ("name",)) from None


def _not_found(field: str) -> DomainError:
    return DomainError(ErrorCode.NOT_FOUND, "This category does not exist.", (field,))


def _find_use(session: Session, key: int) -> tuple[str, int] | None:
    """Return kind and key of the first subcategory, or else of the first course in the category."""
    child = select(func.min(Category.id)).where(Category.parent_id == key).scalar_subquery()
    course = select(func.min(Course.id)).where(Course.category_id == key).scalar_subquery()
    child_key, course_key = session.execute(select(child, course)).one()
    if child_key is not None:
        return "Category", child_key
    return None if course_key is None else ("Course", course_key)


def _in_use(subject: tuple[str, int] | None = None) -> DomainError:
    message = "This category has courses or subcategories. Move them to another category first."
    return DomainError(ErrorCode.IN_USE, message, ("category_id",), subject=subject)
