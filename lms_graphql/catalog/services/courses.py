"""Courses are begun, written and thrown away."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from lms_graphql.accounts import roles
from lms_graphql.catalog import course_validation, hooks, slugs
from lms_graphql.catalog.models import Course, CourseStatus, Lecture, Section
from lms_graphql.catalog.search_index import index_course
from lms_graphql.catalog.services.categories import lock_category
from lms_graphql.catalog.services.course_locks import bump_version, lock_course_to_edit, require_version
from lms_graphql.catalog.services.publication import enrollment_blocker, require_no_blockers
from lms_graphql.core import global_ids, named_locks
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode, RequestError, RequestErrorCode
from lms_graphql.core.statements import execute_dml
from lms_graphql.core.validation import Validator

DEFAULT_SLUG = "course"
"""The slug of a course whose title has no letter from a to z."""


def create_course(session: Session, actor: Actor, own_currency: str, said: Mapping[str, Any]) -> int:
    """A draft that the actor teaches. `said` holds what was said of it, and no nulls. Its key."""
    named_locks.lock(session, slugs.COURSE_SLUGS_LOCK)
    form = Validator()
    currency = course_validation.validated_currency(form, said.get("currency", own_currency))
    columns = course_validation.validated_columns(form, said, currency)
    columns["category_id"] = lock_category(session, said.get("category_id"))
    form.raise_errors()
    slug = slugs.unique_slug(session, Course.slug, columns["title"], DEFAULT_SLUG)
    course = Course(instructor_id=actor.key, currency=currency, slug=slug, **columns)
    session.add(course)
    session.flush()
    index_course(session, course)
    return course.id


def update_course(
    session: Session, actor: Actor, course_id: str, expected_version: int | None, changes: Mapping[str, Any]
) -> int:
    """`changes`: what is not in it stays as it is. One that changes nothing makes no new version."""
    if "is_featured" in changes:
        _refuse_featuring(actor)
    if "title" in changes:
        named_locks.lock(session, slugs.COURSE_SLUGS_LOCK)
    category_id = changes.get("category_id")
    course = lock_course_to_edit(session, actor, course_id, lambda _: lock_category(session, category_id))
    form = Validator()
    columns = course_validation.validated_columns(form, changes, course.currency)
    if "category_id" in changes:
        columns["category_id"] = lock_category(session, category_id)
    form.raise_errors()
    require_version(course, expected_version)
    new = {name: value for name, value in columns.items() if getattr(course, name) != value}
    if not new:
        return course.id
    if "title" in new and course.published_at is None:
        new["slug"] = _slug(session, new["title"], course.slug)
    for name, value in new.items():
        setattr(course, name, value)
    bump_version(course)
    session.flush()
    if new.keys() & {"title", "short_description", "description"}:
        index_course(session, course)
    return course.id


def delete_course(session: Session, actor: Actor, course_id: str) -> str:
    """A draft that nobody has to do with, and everything in it. The id that was deleted."""
    course = lock_course_to_edit(session, actor, course_id)
    if course.status is not CourseStatus.DRAFT:
        message = "Only drafts are deleted. Archive the course instead."
        raise DomainError(ErrorCode.INVALID_TRANSITION, message, ("course_id",))
    require_no_blockers(session, course, (enrollment_blocker, *hooks.delete_blockers))
    for remove in hooks.before_deletion:
        remove(session, course.id)
    execute_dml(session, delete(Lecture).where(Lecture.course_id == course.id))
    execute_dml(session, delete(Section).where(Section.course_id == course.id))
    execute_dml(session, delete(Course).where(Course.id == course.id))  # its search terms go with it
    return global_ids.encode("Course", course.id)


def _refuse_featuring(actor: Actor) -> None:
    if actor.role is None or not roles.allows(actor.role, "course:feature"):
        raise RequestError(RequestErrorCode.FORBIDDEN, "Only super admins say what the platform recommends.")


def _slug(session: Session, title: str, old: str) -> str:
    """The old one where it may stay. An address that was published once goes on leading there: this is for drafts."""
    return (
        old
        if slugs.matches_title(old, title, DEFAULT_SLUG)
        else slugs.unique_slug(session, Course.slug, title, DEFAULT_SLUG)
    )
