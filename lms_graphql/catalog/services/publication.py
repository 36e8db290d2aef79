"""Publication services: the status of a course.

DRAFT → PUBLISHED ⇄ ARCHIVED, and PUBLISHED → DRAFT as long as the course has no enrollment and no pending payment.
"""

from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from lms_graphql.catalog import hooks
from lms_graphql.catalog.models import Course, CourseStatus, Enrollment
from lms_graphql.catalog.publish_checks import PublishProblemFacts
from lms_graphql.catalog.reads.publish_problems import problems_by_course
from lms_graphql.catalog.services.course_locks import bump_version, lock_course_to_edit
from lms_graphql.core import clock
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, DomainErrors, ErrorCode

Blocker = Callable[[Session, int], str | None]
COURSE_PATH = ("course_id",)


def publish_course(session: Session, actor: Actor, course_id: str) -> int:
    """Publish a draft or archived course and return its key. For a published course nothing changes.

    Raise NOT_FOUND, FORBIDDEN, or one NOT_READY error for each problem that blocks publication.
    """
    course = lock_course_to_edit(session, actor, course_id)
    if course.status is CourseStatus.PUBLISHED:
        return course.id
    if problems := problems_by_course(session, actor, [course.id])[course.id]:
        raise DomainErrors([_not_ready(course, problem, problem.message, *COURSE_PATH) for problem in problems])
    course.published_at = course.published_at or clock.now()
    return _set_status(course, CourseStatus.PUBLISHED)


def unpublish_course(session: Session, actor: Actor, course_id: str) -> int:
    """Make a published course a draft again and return its key. For a draft nothing changes.

    Raise NOT_FOUND, FORBIDDEN, INVALID_TRANSITION if it is archived, or an IN_USE error for each blocker.
    """
    course = lock_course_to_edit(session, actor, course_id)
    if course.status is CourseStatus.DRAFT:
        return course.id
    if course.status is CourseStatus.ARCHIVED:
        message = "An archived course cannot become a draft. Publish it first."
        raise DomainError(ErrorCode.INVALID_TRANSITION, message, COURSE_PATH)
    require_no_blockers(session, course, (enrollment_blocker, *hooks.unpublish_blockers))
    return _set_status(course, CourseStatus.DRAFT)


def archive_course(session: Session, actor: Actor, course_id: str) -> int:
    """Archive a published course and return its key. For an archived course nothing changes.

    Enrolled users keep their access. Raise NOT_FOUND, FORBIDDEN, or INVALID_TRANSITION if it is a draft.
    """
    course = lock_course_to_edit(session, actor, course_id)
    if course.status is CourseStatus.ARCHIVED:
        return course.id
    if course.status is CourseStatus.DRAFT:
        message = "A draft cannot be archived. Publish it first, or delete it."
        raise DomainError(ErrorCode.INVALID_TRANSITION, message, COURSE_PATH)
    return _set_status(course, CourseStatus.ARCHIVED)


@contextmanager
def no_new_problems(session: Session, actor: Actor, course: Course, path: str) -> Iterator[set[tuple[str, int]]]:
    """Raise a NOT_READY error at `path` for each publish problem that this block adds to a locked published course.

    Problems that the course had before stay allowed, so that they can be solved one by one. The block adds kind and
    key of the rows that it inserts to the set, because no error may name a row that is rolled back.
    """
    inserted = set[tuple[str, int]]()
    if course.status is not CourseStatus.PUBLISHED:
        yield inserted
        return
    previous = {problem.identity for problem in problems_by_course(session, actor, [course.id])[course.id]}
    yield inserted
    session.flush()
    problems = problems_by_course(session, actor, [course.id])[course.id]
    if new_problems := [problem for problem in problems if problem.identity not in previous]:
        cause = "The course is published, so this was not changed. It would cause a problem:"
        raise DomainErrors(
            [_not_ready(course, problem, f"{cause} {problem.message}", path, inserted) for problem in new_problems]
        )


def _not_ready(
    course: Course, problem: PublishProblemFacts, message: str, path: str, inserted: Container[tuple[str, int]] = ()
) -> DomainError:
    """Return the error of a problem. Its subject is not a row that was inserted and is rolled back."""
    subject = problem.subject_reference or ("Course", course.id)
    return DomainError(ErrorCode.NOT_READY, message, (path,), subject=None if subject in inserted else subject)


def require_no_blockers(session: Session, course: Course, blockers: Iterable[Blocker]) -> None:
    """Raise one IN_USE error for each blocker that returns a message."""
    if messages := [message for blocker in blockers if (message := blocker(session, course.id))]:
        raise DomainErrors([DomainError(ErrorCode.IN_USE, message, COURSE_PATH) for message in messages])


def enrollment_blocker(session: Session, course_key: int) -> str | None:
    """Return a message if the course has enrollments of any status, because learners keep what they did in it."""
    has_enrollments = session.scalar(select(exists().where(Enrollment.course_id == course_key)))
    return "This course has enrollments. Archive it instead." if has_enrollments else None


def _set_status(course: Course, status: CourseStatus) -> int:
    course.status = status
    bump_version(course)
    return course.id
