"""Instructors of courses: the choice of another user, and the transfer of a course to them. Super admins do both."""

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit, roles
from lms_graphql.accounts.models import User
from lms_graphql.catalog.former_instructors import FormerInstructor
from lms_graphql.catalog.services.course_locks import bump_version, lock_visible_course
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import (
    DomainError,
    DomainErrors,
    ErrorCode,
    RequestError,
    RequestErrorCode,
    not_found,
)
from lms_graphql.core.statements import execute_dml

COURSE, INSTRUCTOR = ("course_id",), ("instructor_id",)


def transfer_course(session: Session, actor: Actor, course_id: str, instructor_id: str) -> int:
    """Give a course to another instructor and return its key. If it is theirs already, change nothing.

    Enrollments, earnings and certificates stay as they are. Sales that are completed later belong to the new
    instructor. Raise NOT_FOUND, or INVALID at `instructor_id` for a user who may not teach.
    """
    course = lock_visible_course(session, actor, course_id)
    instructor = lock_instructor(session, instructor_id)
    if course is None or instructor is None:
        rows = ((COURSE, course), (INSTRUCTOR, instructor))
        raise DomainErrors([not_found(*path) for path, row in rows if row is None])
    former_key = course.instructor_id
    if former_key == instructor.id:
        return course.id
    if (problem := teaching_problem(instructor)) is not None:
        raise DomainError(ErrorCode.INVALID, problem, INSTRUCTOR)
    course.instructor_id = instructor.id
    bump_version(course)
    session.flush()
    if course.published_at is not None:
        _store_former_instructor(session, former_key, course.id)
    audit.record(
        session,
        "course.transferred",
        actor=actor.key,
        subject=course.id,
        former_instructor=former_key,
        instructor=instructor.id,
    )
    return course.id


def require_may_choose(actor: Actor, instructor_id: str) -> None:
    """Raise FORBIDDEN unless the actor may create a course for this user. Only super admins may for others.

    The id need not exist, because a role is checked before the ids.
    """
    if actor.role is not None and roles.allows(actor.role, "course:transfer"):
        return
    if global_ids.decode_key("User", instructor_id) != actor.key:
        message = "Only super admins may create courses for other instructors. Leave `instructorId` out."
        raise RequestError(RequestErrorCode.FORBIDDEN, message)


def lock_instructor(session: Session, instructor_id: str) -> User | None:
    """Lock and return the user; return None if there is none.

    The lock is shared. If the account is being deleted, suspended or given another role, this waits for it, or the
    change waits for this.
    """
    key = global_ids.decode_key("User", instructor_id)
    return None if key is None else session.get(User, key, with_for_update={"read": True})


def teaching_problem(user: User) -> str | None:
    """Return why this user cannot be given a course; None if they can."""
    if user.deleted_at is not None:
        return "This account was deleted. Choose another user."
    if not user.is_active:
        return "This account is suspended. Activate it first, or choose another user."
    if not user.has_permission("course:edit-own"):
        return "Learners cannot teach. Make the user an instructor first, or choose another user."
    return None


def _store_former_instructor(session: Session, user_key: int, course_key: int) -> None:
    """Store that the user has taught the course, which is locked, so that they stay public as its instructor."""
    now, row = clock.now(), {"user_id": user_key, "course_id": course_key}
    is_row = (FormerInstructor.user_id == user_key, FormerInstructor.course_id == course_key)
    if not execute_dml(session, update(FormerInstructor).where(*is_row).values(updated_at=now)):
        execute_dml(session, insert(FormerInstructor).values(created_at=now, updated_at=now, **row))
