"""Lifecycle of an enrollment and its progress: create, reactivate and end. Enrollments are never deleted.

Lock order: docs/architecture.md. A transaction that creates, reactivates or ends an enrollment locks the course
before it reads anything, like a change of the course. There are three reasons:

- The course is not unpublished or deleted at the same time.
- Two requests that create the same enrollment run one after the other.
- The requirements of the course stay those that were counted.

A transaction that completes a course only shares its lock, so an existing enrollment is locked as well.
"""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Course, Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.catalog.services.course_locks import lock_course
from lms_graphql.certificates.services.certificates import reinstate_after_refund, revoke_for_refund
from lms_graphql.core import clock
from lms_graphql.core.statements import execute_dml
from lms_graphql.learning.services.completion import refresh_and_complete
from lms_graphql.learning.services.progress_counters import refresh_counts
from lms_graphql.settings import settings_of


def grant_access(
    session: Session,
    user_key: int,
    course_key: int,
    source: EnrollmentSource,
    access_expires_at: datetime | None = None,
    actor_key: int | None = None,
) -> int:
    """Give a user access to a course, until an instant or forever. Return the key of the enrollment.

    It checks no rule: the caller does. `actor_key` is the user who causes it, if there is one.
    """
    lock_course(session, Course.id == course_key)
    enrollment = lock_enrollment(session, user_key, course_key)
    if enrollment is None:
        return create_enrollment(session, user_key, course_key, source, access_expires_at)
    return reactivate_enrollment(session, enrollment, source, access_expires_at, actor_key)


def lock_enrollment(session: Session, user_key: int, course_key: int) -> Enrollment | None:
    """Lock and return an enrollment, if it exists.

    It is looked up without a lock first. A locking read that finds no row would lock the gap where other requests
    insert theirs.
    """
    is_enrollment_of_user = (Enrollment.user_id == user_key, Enrollment.course_id == course_key)
    key = session.scalar(select(Enrollment.id).where(*is_enrollment_of_user))
    return None if key is None else session.get_one(Enrollment, key, with_for_update=True, populate_existing=True)


def create_enrollment(
    session: Session, user_key: int, course_key: int, source: EnrollmentSource, access_expires_at: datetime | None
) -> int:
    """Create the first enrollment of a user in a locked course. Return its key."""
    enrollment = Enrollment(
        user_id=user_key,
        course_id=course_key,
        status=EnrollmentStatus.ACTIVE,
        source=source,
        enrolled_at=clock.now(),
        access_expires_at=access_expires_at,
    )
    session.add(enrollment)
    session.flush()
    refresh_counts(session, course_key, [user_key])
    values = {"enrollment_count": Course.enrollment_count + 1, "updated_at": Course.updated_at}
    execute_dml(session, update(Course).where(Course.id == course_key).values(values))
    return enrollment.id


def reactivate_enrollment(
    session: Session,
    enrollment: Enrollment,
    source: EnrollmentSource,
    access_expires_at: datetime | None,
    actor_key: int | None = None,
) -> int:
    """Give an existing enrollment access again, in a locked course. Return its key.

    The requirements of the course may have changed since, so this may complete the course.
    """
    enrollment.status = EnrollmentStatus.ACTIVE if enrollment.completed_at is None else EnrollmentStatus.COMPLETED
    enrollment.source, enrollment.access_expires_at = source, access_expires_at
    session.flush()
    refresh_and_complete(session, enrollment.course_id, enrollment.user_id, settings_of(session))
    reinstate_after_refund(session, enrollment.user_id, enrollment.course_id, actor_key)
    return enrollment.id


def end_enrollment(
    session: Session, enrollment: Enrollment, status: EnrollmentStatus, actor_key: int | None = None
) -> None:
    """Set an enrollment to CANCELLED or REFUNDED; it and its course are locked. A refund revokes the certificate."""
    enrollment.status = status
    session.flush()
    if status is EnrollmentStatus.REFUNDED:
        revoke_for_refund(session, enrollment.user_id, enrollment.course_id, actor_key)
