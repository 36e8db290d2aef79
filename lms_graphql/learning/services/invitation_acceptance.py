"""Acceptance of invitations, once, by a logged-in user who has the link. Lock order: docs/architecture.md."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit
from lms_graphql.catalog.models import Course, CourseStatus, EnrollmentSource, EnrollmentStatus
from lms_graphql.catalog.services.course_locks import lock_course
from lms_graphql.core import clock
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.signing import token_hash
from lms_graphql.core.statements import execute_dml, peek_scalar
from lms_graphql.learning.granted_access import extended_access, has_access
from lms_graphql.learning.invitation_models import Invitation, InvitationStatus
from lms_graphql.learning.invitation_status import is_open
from lms_graphql.learning.services.enrollment_lifecycle import (
    create_enrollment,
    lock_enrollment,
    reactivate_enrollment,
)
from lms_graphql.learning.services.enrollments import SUSPENDED_MESSAGE
from lms_graphql.learning.services.invitations import ENDED

TOKEN = ("token",)


def accept_invitation(session: Session, actor: Actor, token: str) -> int:
    """Enroll the actor by the token of an invitation, and return the key of the enrollment.

    Raise INVALID_TOKEN, OWN_COURSE, NOT_PUBLISHED, or INVALID_TRANSITION if the enrollment is suspended. After an
    error, the invitation can still be accepted.
    """
    is_invitation = Invitation.token_hash == token_hash(token)
    course_key = peek_scalar(session, select(Invitation.course_id).where(is_invitation))
    if course_key is None:
        raise _invalid_token()
    return accept_in_course(session, actor, course_key, token)


def accept_in_course(session: Session, actor: Actor, course_key: int, token: str) -> int:
    """Accept an invitation into a course that is known, in a transaction that has read nothing yet.

    The UPDATE at the end decides which of several concurrent requests gets the enrollment. The others fail, and
    theirs are rolled back.
    """
    assert actor.key is not None
    lock_course(session, Course.id == course_key)
    is_valid = (Invitation.token_hash == token_hash(token), is_open(clock.now()))
    invitation = session.scalar(select(Invitation).where(*is_valid))
    if invitation is None:
        raise _invalid_token()
    course = session.get_one(Course, course_key)
    _require_acceptable(actor, course)
    enrollment = lock_enrollment(session, actor.key, course_key)
    if enrollment is None:
        expires_at = invitation.access_expires_at
        key = create_enrollment(session, actor.key, course_key, EnrollmentSource.GRANT, expires_at)
    else:
        key = enrollment.id
        if enrollment.status is EnrollmentStatus.SUSPENDED:
            raise DomainError(ErrorCode.INVALID_TRANSITION, SUSPENDED_MESSAGE, TOKEN)
        access = extended_access(enrollment, invitation.access_expires_at)
        if not has_access(enrollment) or access != (enrollment.source, enrollment.access_expires_at):
            reactivate_enrollment(session, enrollment, *access, actor.key)
    accepted = {**ENDED, "status": InvitationStatus.ACCEPTED, "enrollment_id": key}
    if not execute_dml(session, update(Invitation).where(*is_valid).values(accepted)):
        raise _invalid_token()
    audit.record(session, "invitation.accepted", actor=actor.key, subject=invitation.id, enrollment=key)
    return key


def _require_acceptable(actor: Actor, course: Course) -> None:
    if course.instructor_id == actor.key:
        message = "This is your own course. You have access to all of it without an invitation."
        raise DomainError(ErrorCode.OWN_COURSE, message, TOKEN)
    if course.status is CourseStatus.DRAFT:
        message = "This course is not published at the moment. Try the link again later."
        raise DomainError(ErrorCode.NOT_PUBLISHED, message, TOKEN)


def _invalid_token() -> DomainError:
    message = "This invitation was used or cancelled, has expired, or its link is incomplete. Ask for a new one."
    return DomainError(ErrorCode.INVALID_TOKEN, message, TOKEN)
