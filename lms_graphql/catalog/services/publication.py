"""Where a course stands: DRAFT → PUBLISHED ⇄ ARCHIVED, and back to DRAFT while nobody has come."""

from collections.abc import Callable, Iterable

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from lms_graphql.catalog import hooks
from lms_graphql.catalog.models import Course, CourseStatus, Enrollment
from lms_graphql.catalog.reads.publish_problems import problems_by_course
from lms_graphql.catalog.services.course_locks import bump_version, lock_course_to_edit
from lms_graphql.core import clock
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, DomainErrors, ErrorCode

Blocker = Callable[[Session, int], str | None]
COURSE_PATH = ("course_id",)


def publish_course(session: Session, actor: Actor, course_id: str) -> int:
    """
    Open a draft, or an archived course again, to everyone. NOT_READY once for each problem. Publishing twice is no
    error: the wish is already true.
    """
    course = lock_course_to_edit(session, actor, course_id)
    if course.status is CourseStatus.PUBLISHED:
        return course.id
    if problems := problems_by_course(session, actor, [course.id])[course.id]:
        raise DomainErrors([DomainError(ErrorCode.NOT_READY, problem.message, COURSE_PATH) for problem in problems])
    course.published_at = course.published_at or clock.now()
    return _turned(course, CourseStatus.PUBLISHED)


def unpublish_course(session: Session, actor: Actor, course_id: str) -> int:
    """A draft again, as long as nobody has enrolled or is about to."""
    course = lock_course_to_edit(session, actor, course_id)
    if course.status is CourseStatus.DRAFT:
        return course.id
    if course.status is CourseStatus.ARCHIVED:
        raise DomainError(
            ErrorCode.INVALID_TRANSITION, "An archived course is published again, or stays.", COURSE_PATH
        )
    require_no_blockers(session, course, (enrollment_blocker, *hooks.unpublish_blockers))
    return _turned(course, CourseStatus.DRAFT)


def archive_course(session: Session, actor: Actor, course_id: str) -> int:
    """Put a published course away; who is enrolled keeps it."""
    course = lock_course_to_edit(session, actor, course_id)
    if course.status is CourseStatus.ARCHIVED:
        return course.id
    if course.status is CourseStatus.DRAFT:
        raise DomainError(ErrorCode.INVALID_TRANSITION, "A draft is published, or deleted.", COURSE_PATH)
    return _turned(course, CourseStatus.ARCHIVED)


def require_no_blockers(session: Session, course: Course, obstacles: Iterable[Blocker]) -> None:
    """IN_USE once for each thing that is in the way."""
    if reasons := [reason for obstacle in obstacles if (reason := obstacle(session, course.id))]:
        raise DomainErrors([DomainError(ErrorCode.IN_USE, reason, COURSE_PATH) for reason in reasons])


def enrollment_blocker(session: Session, course_key: int) -> str | None:
    """Whatever their status: who once had the course keeps what they did in it."""
    enrolled = session.scalar(select(exists().where(Enrollment.course_id == course_key)))
    return "People have enrolled in this course. Archive it instead." if enrolled else None


def _turned(course: Course, status: CourseStatus) -> int:
    course.status = status
    bump_version(course)
    return course.id
