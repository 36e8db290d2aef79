"""Course services: create, update and delete."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from lms_graphql.accounts import roles
from lms_graphql.accounts.models import User
from lms_graphql.catalog import course_validation, hooks, slugs
from lms_graphql.catalog.models import Course, CourseStatus, Lecture, Section
from lms_graphql.catalog.search_index import index_course
from lms_graphql.catalog.services.categories import lock_category
from lms_graphql.catalog.services.course_locks import bump_version, lock_course_to_edit, require_version
from lms_graphql.catalog.services.instructors import lock_instructor, require_may_choose, teaching_problem
from lms_graphql.catalog.services.publication import enrollment_blocker, no_new_problems, require_no_blockers
from lms_graphql.core import global_ids, named_locks
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, DomainErrors, ErrorCode, RequestError, RequestErrorCode, not_found
from lms_graphql.core.statements import execute_dml
from lms_graphql.core.validation import Validator

DEFAULT_SLUG = "course"
"""The slug of a course whose title has no letters and digits."""


def create_course(session: Session, actor: Actor, default_currency: str, values: Mapping[str, Any]) -> int:
    """Create a draft and return its key. `values` contains no nulls. Without `instructor_id` it is the actor's own.

    Raise FORBIDDEN unless the actor may choose the instructor, NOT_FOUND for the category and the instructor, or
    validation errors.
    """
    instructor_id = values.get("instructor_id")
    if instructor_id is not None:
        require_may_choose(actor, instructor_id)
    named_locks.lock(session, slugs.COURSE_SLUGS_LOCK)
    category_key, instructor = _lock_references(session, values.get("category_id"), instructor_id)
    validator = Validator()
    currency = course_validation.validated_currency(validator, values.get("currency", default_currency))
    columns = course_validation.validated_columns(validator, values, currency)
    if instructor is not None and (problem := teaching_problem(instructor)) is not None:
        validator.add_error(ErrorCode.INVALID, problem, "instructor_id")
    validator.raise_errors()
    columns |= {"category_id": category_key, "instructor_id": actor.key if instructor is None else instructor.id}
    slug = slugs.unique_slug(session, Course.slug, columns["title"], DEFAULT_SLUG)
    course = Course(currency=currency, slug=slug, **columns)
    session.add(course)
    session.flush()
    index_course(session, course)
    return course.id


def update_course(
    session: Session, actor: Actor, course_id: str, expected_version: int | None, changes: Mapping[str, Any]
) -> int:
    """Change the fields in `changes` and return the course's key. If no value differs, the version stays.

    Raise NOT_FOUND, FORBIDDEN, STALE_VERSION, validation errors, or NOT_READY for new problems of a published course.
    """
    if "is_featured" in changes:
        _require_may_feature(actor)
    if "title" in changes:
        named_locks.lock(session, slugs.COURSE_SLUGS_LOCK)
    category_id = changes.get("category_id")
    course = lock_course_to_edit(session, actor, course_id, lambda _: lock_category(session, category_id))
    validator = Validator()
    columns = course_validation.validated_columns(validator, changes, course.currency)
    if "category_id" in changes:
        columns["category_id"] = lock_category(session, category_id)
    validator.raise_errors()
    require_version(course, expected_version)
    changed = {name: value for name, value in columns.items() if getattr(course, name) != value}
    if not changed:
        return course.id
    if "title" in changed and course.published_at is None:
        changed["slug"] = _slug_of_draft(session, changed["title"], course.slug)
    with no_new_problems(session, actor, course, "course_id"):
        for name, value in changed.items():
            setattr(course, name, value)
    bump_version(course)
    session.flush()
    if changed.keys() & {"title", "short_description", "description"}:
        index_course(session, course)
    return course.id


def delete_course(session: Session, actor: Actor, course_id: str) -> str:
    """Delete a draft with its sections, its lectures and what belongs to them. Return its id.

    Raise NOT_FOUND, FORBIDDEN, INVALID_TRANSITION if the course is not a draft, or an IN_USE error for each blocker.
    """
    course = lock_course_to_edit(session, actor, course_id)
    if course.status is not CourseStatus.DRAFT:
        message = "This course is not a draft, so it cannot be deleted. Archive it instead."
        raise DomainError(ErrorCode.INVALID_TRANSITION, message, ("course_id",))
    require_no_blockers(session, course, (enrollment_blocker, *hooks.delete_blockers))
    for delete_related_rows in hooks.before_deletion:
        delete_related_rows(session, course.id)
    execute_dml(session, delete(Lecture).where(Lecture.course_id == course.id))
    execute_dml(session, delete(Section).where(Section.course_id == course.id))
    execute_dml(session, delete(Course).where(Course.id == course.id))  # its search terms are deleted by cascade
    return global_ids.encode("Course", course.id)


def _lock_references(
    session: Session, category_id: str | None, instructor_id: str | None
) -> tuple[int | None, User | None]:
    """Lock and return the category and the instructor of a new course. Raise NOT_FOUND for each that is missing.

    They are None if the input does not name them.
    """
    errors, category_key, instructor = list[DomainError](), None, None
    try:
        category_key = lock_category(session, category_id)
    except DomainError as error:
        errors.append(error)
    if instructor_id is not None and (instructor := lock_instructor(session, instructor_id)) is None:
        errors.append(not_found("instructor_id"))
    if errors:
        raise DomainErrors(errors)
    return category_key, instructor


def _require_may_feature(actor: Actor) -> None:
    if actor.role is None or not roles.allows(actor.role, "course:feature"):
        message = "Only super admins may set `isFeatured`. Leave it out."
        raise RequestError(RequestErrorCode.FORBIDDEN, message)


def _slug_of_draft(session: Session, title: str, slug: str) -> str:
    """Return a slug for the new title: the current one if it fits.

    Only courses that were never published get a new slug, so that public links keep working.
    """
    if slugs.matches_title(slug, title, DEFAULT_SLUG):
        return slug
    return slugs.unique_slug(session, Course.slug, title, DEFAULT_SLUG)
