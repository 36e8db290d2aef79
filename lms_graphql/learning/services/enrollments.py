"""Who comes into a course and who leaves it: by themselves, or because course staff say so."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit, roles
from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Course, CourseStatus, Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.catalog.policies import visible_to
from lms_graphql.catalog.services.course_locks import lock_course
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, DomainErrors, ErrorCode, RequestError, RequestErrorCode, not_found
from lms_graphql.core.statements import peek_scalar
from lms_graphql.learning.enrollment_status import ACCESS_STATUSES, status_as_of
from lms_graphql.learning.reads.enrollments import enrollments_by_key
from lms_graphql.learning.services.enrollment_lifecycle import (
    create_enrollment,
    end_enrollment,
    lock_enrollment_of,
    reactivate_enrollment,
)

COURSE, USER, ENROLLMENT, UNTIL = ("course_id",), ("user_id",), ("enrollment_id",), ("access_expires_at",)
NOT_CANCELLABLE = {
    EnrollmentStatus.COMPLETED: "You cannot cancel what is completed.",
    EnrollmentStatus.EXPIRED: "Access has ended already.",
    EnrollmentStatus.REFUNDED: "This was paid back already.",
    EnrollmentStatus.SUSPENDED: "This is suspended. Ask who teaches the course.",
}
"""Why an enrollment that reads so is not cancelled."""


def enroll(session: Session, actor: Actor, course_id: str) -> int:
    """
    Come into a course that costs nothing, or back into one that was paid for or granted. Who is in already, is: also
    where the course was archived, or has a price by now. The enrollment's key.
    """
    course = _locked_course(session, actor, course_id)
    if course is None:
        raise not_found(*COURSE)
    assert actor.key is not None
    if course.instructor_id == actor.key:
        raise DomainError(ErrorCode.OWN_COURSE, "This is your own course: nothing in it is closed to you.", COURSE)
    place = lock_enrollment_of(session, actor.key, course.id)
    if place is not None and _is_open(place):
        return place.id
    if course.status is not CourseStatus.PUBLISHED:
        raise DomainError(ErrorCode.NOT_PUBLISHED, "Nobody new comes into this course: it is not published.", COURSE)
    if place is None:
        _refuse_price(course)
        return create_enrollment(session, actor.key, course.id, EnrollmentSource.FREE, None)
    return reactivate_enrollment(session, place, *_way_back(course, place), actor.key)


def _way_back(course: Course, place: Enrollment) -> tuple[EnrollmentSource, datetime | None]:
    """
    How, and until when. What was given up is there to be taken up again, for as long as it would have lasted. Where
    the course costs nothing, nobody gets less than a stranger would: for ever.
    """
    if place.status is EnrollmentStatus.SUSPENDED:
        raise DomainError(ErrorCode.INVALID_TRANSITION, NOT_CANCELLABLE[EnrollmentStatus.SUSPENDED], COURSE)
    is_theirs = _was_given_up(place) and place.source is not EnrollmentSource.FREE
    if is_theirs and (place.access_expires_at is None or not course.is_free):
        return place.source, place.access_expires_at
    _refuse_price(course)
    return EnrollmentSource.FREE, None


def grant_enrollment(
    session: Session, actor: Actor, course_id: str, user_id: str, access_expires_at: datetime | None
) -> int:
    """
    Let somebody in, whatever the course costs, until then or for ever. It never takes away: who has a place by
    another way, or paid for one and gave it up, keeps it so, for no shorter time. A grant is replaced by a newer one.
    Somebody who is suspended finds it when they are back. The enrollment's key.
    """
    course = _locked_course(session, actor, course_id)
    user_key = global_ids.decode_key("User", user_id)
    # Shared, so that an account that is being deleted is gone, or waits.
    user = None if user_key is None else session.get(User, user_key, with_for_update={"read": True})
    if course is None or user is None:
        missing = ((COURSE, course), (USER, user))
        raise DomainErrors([not_found(*path) for path, found in missing if found is None])
    if not actor.is_admin and course.instructor_id != actor.key:
        raise RequestError(RequestErrorCode.FORBIDDEN, "Only the course's instructor and super admins let people in.")
    _refuse_grant(course, user, access_expires_at)
    place = lock_enrollment_of(session, user.id, course.id)
    if place is None:
        key = create_enrollment(session, user.id, course.id, EnrollmentSource.GRANT, access_expires_at)
    else:
        granted = _granted(place, access_expires_at)
        if _is_open(place) and granted == (place.source, place.access_expires_at):
            return place.id  # they have it already
        key = reactivate_enrollment(session, place, *granted, actor.key)
    said = None if access_expires_at is None else access_expires_at.isoformat()
    audit.record(session, "enrollment.granted", actor=actor.key, subject=user.id, enrollment=key, until=said)
    return key


def _refuse_grant(course: Course, user: User, access_expires_at: datetime | None) -> None:
    if access_expires_at is not None and access_expires_at <= clock.now():
        raise DomainError(ErrorCode.OUT_OF_RANGE, "Give an instant that is still to come.", UNTIL)
    if user.deleted_at is not None:
        raise DomainError(ErrorCode.INVALID_TRANSITION, "This account was deleted, for good.", USER)
    if course.instructor_id == user.id:
        raise DomainError(ErrorCode.OWN_COURSE, "They teach this course: nothing in it is closed to them.", USER)
    if course.status is CourseStatus.DRAFT:
        raise DomainError(ErrorCode.NOT_PUBLISHED, "Publish the course before you let people in.", COURSE)


def _granted(place: Enrollment, until: datetime | None) -> tuple[EnrollmentSource, datetime | None]:
    """The source and the end of a place after a grant until then."""
    is_paid_back_in = _was_given_up(place) and place.source is EnrollmentSource.PURCHASE
    if place.source is EnrollmentSource.GRANT or not (_is_open(place) or is_paid_back_in):
        return EnrollmentSource.GRANT, until
    kept = place.access_expires_at
    return place.source, None if kept is None or until is None else max(kept, until)


def cancel_enrollment(session: Session, actor: Actor, enrollment_id: str) -> int:
    """
    Give a course up; what was done in it stays. Cancelling twice is no error: the wish is already true. Its key.

    The person may come back to what they gave up themselves. A grant that staff take back is over, so that nobody
    gives it back to themselves.
    """
    place = _locked_place(session, global_ids.decode_key("Enrollment", enrollment_id))
    seen = {} if place is None else enrollments_by_key(session, actor, [place.id])
    if place is None or place.id not in seen:
        raise not_found(*ENROLLMENT)
    if not _may_end(actor, place):
        raise RequestError(RequestErrorCode.FORBIDDEN, "Only the person and the course's staff cancel an enrollment.")
    status = seen[place.id].status
    if status is EnrollmentStatus.CANCELLED:
        return place.id
    if status is not EnrollmentStatus.ACTIVE:
        raise DomainError(ErrorCode.INVALID_TRANSITION, NOT_CANCELLABLE[status], ENROLLMENT)
    if place.user_id != actor.key:
        if place.source is EnrollmentSource.GRANT:
            place.access_expires_at = clock.now()
        audit.record(session, "enrollment.cancelled", actor=actor.key, subject=place.user_id, enrollment=place.id)
    end_enrollment(session, place, EnrollmentStatus.CANCELLED, actor.key)
    return place.id


def _may_end(actor: Actor, place: Enrollment) -> bool:
    """Of what they see. Whoever taught the course and is a learner by now still sees who learns in it."""
    return place.user_id == actor.key or (actor.role is not None and roles.allows(actor.role, "enrollment:grant"))


def _is_open(place: Enrollment) -> bool:
    return status_as_of(clock.now(), place.status, place.access_expires_at) in ACCESS_STATUSES


def _was_given_up(place: Enrollment) -> bool:
    """And would still last."""
    until = place.access_expires_at
    return place.status is EnrollmentStatus.CANCELLED and (until is None or until > clock.now())


def _locked_course(session: Session, actor: Actor, course_id: str) -> Course | None:
    """None where it is not there for the viewer."""
    key = global_ids.decode_key("Course", course_id)
    if key is None or not lock_course(session, Course.id == key):
        return None
    return session.scalar(select(Course).where(Course.id == key, visible_to(actor.access_level)), actor.bind_params)


def _locked_place(session: Session, key: int | None) -> Enrollment | None:
    """With its course, ahead of it: who reports progress meanwhile looks for the place by what is changed here."""
    course_key = (
        None if key is None else peek_scalar(session, select(Enrollment.course_id).where(Enrollment.id == key))
    )
    if course_key is None or not lock_course(session, Course.id == course_key):
        return None
    return session.get(Enrollment, key, with_for_update=True)


def _refuse_price(course: Course) -> None:
    if not course.is_free:
        raise DomainError(ErrorCode.PAYMENT_REQUIRED, "This course has a price. Buy it to enroll.", COURSE)
