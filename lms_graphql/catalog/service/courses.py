"""Courses are begun, written and thrown away."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from lms_graphql.accounts import roles
from lms_graphql.catalog import course_forms, openings, slugs
from lms_graphql.catalog.indexing import index
from lms_graphql.catalog.models import Course, CourseStatus, Lecture, Section
from lms_graphql.catalog.service.categories import category_of
from lms_graphql.catalog.service.editing import course_to_edit, demand_version, note_change
from lms_graphql.catalog.service.states import kept_by_enrollments, refuse_while
from lms_graphql.core import ids, turns
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import ErrorCode, Refusal, RequestError, RequestFault
from lms_graphql.core.forms import Form
from lms_graphql.core.statements import changed

NAMELESS = "course"
"""The slug of a course whose title has no letter from a to z."""


def create_course(session: Session, actor: Actor, own_currency: str, said: Mapping[str, Any]) -> int:
    """A draft that the actor teaches. `said` holds what was said of it, and no nulls. Its key."""
    turns.hold(session, slugs.COURSES)
    form = Form()
    currency = course_forms.currency(form, said.get("currency", own_currency))
    columns = course_forms.columns(form, said, currency)
    columns["category_id"] = category_of(session, said.get("category_id"))
    form.done()
    slug = slugs.free_slug(session, Course.slug, columns["title"], NAMELESS)
    course = Course(instructor_id=actor.id, currency=currency, slug=slug, **columns)
    session.add(course)
    session.flush()
    index(session, course)
    return course.id


def update_course(
    session: Session, actor: Actor, course_id: str, expected_version: int | None, changes: Mapping[str, Any]
) -> int:
    """`changes`: what is not in it stays as it is. One that changes nothing makes no new version."""
    if "is_featured" in changes:
        _refuse_featuring(actor)
    if "title" in changes:
        turns.hold(session, slugs.COURSES)
    category_id = changes.get("category_id")
    course = course_to_edit(session, actor, course_id, lambda _: category_of(session, category_id))
    form = Form()
    columns = course_forms.columns(form, changes, course.currency)
    if "category_id" in changes:
        columns["category_id"] = category_of(session, category_id)
    form.done()
    demand_version(course, expected_version)
    new = {name: value for name, value in columns.items() if getattr(course, name) != value}
    if not new:
        return course.id
    if "title" in new and course.published_at is None:
        new["slug"] = _slug(session, new["title"], course.slug)
    for name, value in new.items():
        setattr(course, name, value)
    note_change(course)
    session.flush()
    if new.keys() & {"title", "short_description", "description"}:
        index(session, course)
    return course.id


def delete_course(session: Session, actor: Actor, course_id: str) -> str:
    """A draft that nobody has to do with, and everything in it. The id that was deleted."""
    course = course_to_edit(session, actor, course_id)
    if course.status is not CourseStatus.DRAFT:
        message = "Only drafts are deleted. Archive the course instead."
        raise Refusal(ErrorCode.INVALID_TRANSITION, message, ("course_id",))
    refuse_while(session, course, (kept_by_enrollments, *openings.delete_obstacles))
    for remove in openings.before_deletion:
        remove(session, course.id)
    changed(session, delete(Lecture).where(Lecture.course_id == course.id))
    changed(session, delete(Section).where(Section.course_id == course.id))
    changed(session, delete(Course).where(Course.id == course.id))  # its search terms go with it
    return ids.encode("Course", course.id)


def _refuse_featuring(actor: Actor) -> None:
    if actor.role is None or not roles.allows(actor.role, "course:feature"):
        raise RequestError(RequestFault.FORBIDDEN, "Only super admins say what the platform recommends.")


def _slug(session: Session, title: str, old: str) -> str:
    """The old one where it may stay. An address that was published once goes on leading there: this is for drafts."""
    return old if slugs.is_made_of(old, title, NAMELESS) else slugs.free_slug(session, Course.slug, title, NAMELESS)
