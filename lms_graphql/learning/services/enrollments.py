"""Enrollments: enroll, grant and cancel. Lock order: docs/architecture.md."""

from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit, roles
from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Course, CourseStatus, Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.catalog.services.course_locks import lock_course, lock_visible_course
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, DomainErrors, ErrorCode, RequestError, RequestErrorCode, not_found
from lms_graphql.core.statements import peek_scalar
from lms_graphql.core.validation import Validator
from lms_graphql.learning import hooks
from lms_graphql.learning.granted_access import granted_access, has_access, is_cancelled_early
from lms_graphql.learning.learner_reference import LearnerReference
from lms_graphql.learning.reads.enrollments import enrollments_by_key
from lms_graphql.learning.services.enrollment_lifecycle import (
    create_enrollment,
    end_enrollment,
    lock_enrollment,
    reactivate_enrollment,
)

COURSE, ENROLLMENT, EXPIRY = ("course_id",), ("enrollment_id",), ("access_expires_at",)
SUSPENDED_MESSAGE = "This enrollment is suspended. Contact the course's instructor."
NOT_CANCELLABLE = {
    EnrollmentStatus.COMPLETED: "A completed enrollment cannot be cancelled.",
    EnrollmentStatus.EXPIRED: "Access has already ended, so there is nothing to cancel.",
    EnrollmentStatus.REFUNDED: "This enrollment was refunded, so there is nothing to cancel.",
    EnrollmentStatus.SUSPENDED: SUSPENDED_MESSAGE,
}
"""Why an enrollment of this status cannot be cancelled."""


def enroll(session: Session, actor: Actor, course_id: str) -> int:
    """Enroll the actor in a free course, or restore a purchase or grant. Return the key of the enrollment.

    An enrollment that gives access is returned unchanged, even if the course is archived or has a price now. Raise
    NOT_FOUND, OWN_COURSE, NOT_PUBLISHED, PAYMENT_REQUIRED, or INVALID_TRANSITION if the enrollment is suspended.
    """
    course = lock_visible_course(session, actor, course_id)
    if course is None:
        raise not_found(*COURSE)
    assert actor.key is not None
    if course.instructor_id == actor.key:
        message = "This is your own course. You have access to all of it without enrolling."
        raise DomainError(ErrorCode.OWN_COURSE, message, COURSE)
    enrollment = lock_enrollment(session, actor.key, course.id)
    if enrollment is not None and has_access(enrollment):
        return enrollment.id
    if course.status is not CourseStatus.PUBLISHED:
        message = "This course is not published, so enrollment is closed."
        raise DomainError(ErrorCode.NOT_PUBLISHED, message, COURSE)
    if enrollment is None:
        _require_free(course)
        return create_enrollment(session, actor.key, course.id, EnrollmentSource.FREE, None)
    return reactivate_enrollment(session, enrollment, *_restored_access(session, course, enrollment), actor.key)


def _restored_access(
    session: Session, course: Course, enrollment: Enrollment
) -> tuple[EnrollmentSource, datetime | None]:
    """Return source and end of access for a learner who enrolls again.

    A cancelled purchase or grant is restored with its end of access. If the course is free, access never ends,
    because a returning learner must not get less than a new one. A learner who has paid returns as well after a
    grant that has ended.
    """
    if enrollment.status is EnrollmentStatus.SUSPENDED:
        raise DomainError(ErrorCode.INVALID_TRANSITION, SUSPENDED_MESSAGE, COURSE)
    is_restorable = is_cancelled_early(enrollment) and enrollment.source is not EnrollmentSource.FREE
    if is_restorable and (enrollment.access_expires_at is None or not course.is_free):
        return enrollment.source, enrollment.access_expires_at
    if any(has_paid(session, enrollment.user_id, course.id) for has_paid in hooks.payment_checks):
        return EnrollmentSource.PURCHASE, None
    _require_free(course)
    return EnrollmentSource.FREE, None


def grant_enrollment(
    session: Session, actor: Actor, course_id: str, learner: LearnerReference, access_expires_at: datetime | None
) -> int:
    """Enroll a user, whatever the price, until an instant or forever. Return the key of the enrollment.

    A grant replaces an earlier grant and takes nothing else away. Access from another source, and a cancelled
    purchase, keep their source and are not shortened. Users who are suspended can be enrolled: they find the
    enrollment when they return. Raise NOT_FOUND, FORBIDDEN, REQUIRED, INVALID, OUT_OF_RANGE, INVALID_TRANSITION,
    OWN_COURSE or NOT_PUBLISHED.
    """
    user_key = _peek_user_key(session, learner)
    course = lock_visible_course(session, actor, course_id)
    user = _lock_user(session, learner, user_key)
    if course is None or (user is None and learner.is_single):
        rows = {COURSE: course, **({learner.path: user} if learner.is_single else {})}
        raise DomainErrors([not_found(*path) for path, row in rows.items() if row is None])
    require_may_grant(actor, course)
    learner.require_single()
    assert user is not None
    _require_grantable(course, user, learner.path, access_expires_at)
    enrollment = lock_enrollment(session, user.id, course.id)
    if enrollment is None:
        key = create_enrollment(session, user.id, course.id, EnrollmentSource.GRANT, access_expires_at)
    else:
        granted = granted_access(enrollment, access_expires_at)
        if has_access(enrollment) and granted == (enrollment.source, enrollment.access_expires_at):
            return enrollment.id  # nothing changes
        key = reactivate_enrollment(session, enrollment, *granted, actor.key)
    expires_at_text = None if access_expires_at is None else access_expires_at.isoformat()
    audit.record(session, "enrollment.granted", actor=actor.key, subject=key, user=user.id, until=expires_at_text)
    return key


def _peek_user_key(session: Session, learner: LearnerReference) -> int | None:
    """Return the key of the user. A username is looked up before the transaction, because usernames may change."""
    if not learner.is_single:
        return None
    if learner.username is None:
        return global_ids.decode_key("User", learner.user_id or "")
    key: int | None = peek_scalar(session, select(User.id).where(*_has_username(learner.username)))
    return key


def _lock_user(session: Session, learner: LearnerReference, key: int | None) -> User | None:
    """Lock and return the user. The lock is shared: if the account is being deleted, one waits for the other."""
    user = None if key is None else session.get(User, key, with_for_update={"read": True})
    if user is None or learner.username is None:
        return user
    has_username = user.username_key == learner.username.casefold() and user.deleted_at is None
    return user if has_username else None


def _has_username(username: str) -> tuple[ColumnElement[bool], ...]:
    return User.username_key == username.casefold(), User.deleted_at.is_(None)


def require_may_grant(actor: Actor, course: Course) -> None:
    """Raise FORBIDDEN for everyone but course staff."""
    if not actor.is_super_admin and course.instructor_id != actor.key:
        message = "Only the course's instructor and super admins may grant enrollments."
        raise RequestError(RequestErrorCode.FORBIDDEN, message)


def validate_end_of_access(validator: Validator, access_expires_at: datetime | None) -> None:
    if access_expires_at is not None and access_expires_at <= clock.now():
        message = "The end of access is not in the future. Choose a later time."
        validator.add_error(ErrorCode.OUT_OF_RANGE, message, *EXPIRY, limit=None)


def require_not_draft(course: Course) -> None:
    if course.status is CourseStatus.DRAFT:
        message = "This course is not published. Publish it before granting enrollments."
        raise DomainError(ErrorCode.NOT_PUBLISHED, message, COURSE)


def _require_grantable(course: Course, user: User, path: tuple[str, ...], access_expires_at: datetime | None) -> None:
    validator = Validator()
    validate_end_of_access(validator, access_expires_at)
    validator.raise_errors()
    if user.deleted_at is not None:
        message = "This account was deleted. Choose another user."
        raise DomainError(ErrorCode.INVALID_TRANSITION, message, path)
    if course.instructor_id == user.id:
        message = "This user teaches the course and has access without an enrollment."
        raise DomainError(ErrorCode.OWN_COURSE, message, path)
    require_not_draft(course)


def cancel_enrollment(session: Session, actor: Actor, enrollment_id: str) -> int:
    """Cancel an enrollment and leave its progress. Return its key. Cancelling twice succeeds and changes nothing.

    Learners can return to what they cancelled themselves. If staff cancel a grant, its access ends, so that the
    learner cannot restore it by enrolling again. Raise NOT_FOUND, FORBIDDEN, or INVALID_TRANSITION if the enrollment
    is not active.
    """
    enrollment = _lock_enrollment_by_key(session, global_ids.decode_key("Enrollment", enrollment_id))
    visible = {} if enrollment is None else enrollments_by_key(session, actor, [enrollment.id])
    if enrollment is None or enrollment.id not in visible:
        raise not_found(*ENROLLMENT)
    if not _may_cancel(actor, enrollment):
        message = "Only the learner and course staff may cancel an enrollment."
        raise RequestError(RequestErrorCode.FORBIDDEN, message)
    status = visible[enrollment.id].status
    if status is EnrollmentStatus.CANCELLED:
        return enrollment.id
    if status is not EnrollmentStatus.ACTIVE:
        raise DomainError(ErrorCode.INVALID_TRANSITION, NOT_CANCELLABLE[status], ENROLLMENT)
    if enrollment.user_id != actor.key:
        if enrollment.source is EnrollmentSource.GRANT:
            enrollment.access_expires_at = clock.now()
        learner = enrollment.user_id
        audit.record(session, "enrollment.cancelled", actor=actor.key, subject=enrollment.id, user=learner)
    end_enrollment(session, enrollment, EnrollmentStatus.CANCELLED, actor.key)
    return enrollment.id


def _may_cancel(actor: Actor, enrollment: Enrollment) -> bool:
    """Return whether the actor may cancel an enrollment that they see.

    The role is checked as well, because a former instructor who is a learner now still sees the course's enrollments.
    """
    return enrollment.user_id == actor.key or (
        actor.role is not None and roles.allows(actor.role, "enrollment:grant")
    )


def _lock_enrollment_by_key(session: Session, key: int | None) -> Enrollment | None:
    """Lock an enrollment, and its course before it.

    A progress report shares the course before it looks for the enrollment. Its look-up uses index entries that are
    changed here, so without the course's lock the two transactions could deadlock.
    """
    if key is None:
        return None
    course_key = peek_scalar(session, select(Enrollment.course_id).where(Enrollment.id == key))
    if course_key is None or not lock_course(session, Course.id == course_key):
        return None
    return session.get(Enrollment, key, with_for_update=True)


def _require_free(course: Course) -> None:
    if not course.is_free:
        raise DomainError(ErrorCode.PAYMENT_REQUIRED, "This course has a price. Buy it to enroll.", COURSE)
