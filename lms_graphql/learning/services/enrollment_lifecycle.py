"""
Someone's place in a course: an enrollment and the progress that belongs to it, made once and kept for ever.

Who lets somebody in, or out, locks the course's row before anything is read, as who edits a course does: so nobody
unpublishes or deletes it meanwhile, two who make the same place take turns, and what the course asks for stays what
was counted. Who completes a course only shares it, so a place that is there is locked as well.
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
    until: datetime | None = None,
    actor_key: int | None = None,
) -> int:
    """
    The key of the place in which this person has access from now on, until then or for ever. The rules are the
    caller's: this lets in. `actor_key`: who does it, where that is a person.
    """
    lock_course(session, Course.id == course_key)
    place = lock_enrollment_of(session, user_key, course_key)
    if place is None:
        return create_enrollment(session, user_key, course_key, source, until)
    return reactivate_enrollment(session, place, source, until, actor_key)


def lock_enrollment_of(session: Session, user_key: int, course_key: int) -> Enrollment | None:
    """
    Locked, where there is one. Looked for without a lock first: to lock what is not there locks the gap in which
    others put theirs.
    """
    own = (Enrollment.user_id == user_key, Enrollment.course_id == course_key)
    key = session.scalar(select(Enrollment.id).where(*own))
    return None if key is None else session.get_one(Enrollment, key, with_for_update=True, populate_existing=True)


def create_enrollment(
    session: Session, user_key: int, course_key: int, source: EnrollmentSource, until: datetime | None
) -> int:
    """Of somebody who has none, in a course that is locked. Its key."""
    place = Enrollment(
        user_id=user_key,
        course_id=course_key,
        status=EnrollmentStatus.ACTIVE,
        source=source,
        enrolled_at=clock.now(),
        access_expires_at=until,
    )
    session.add(place)
    session.flush()
    refresh_counts(session, course_key, [user_key])
    one_more = {"enrollment_count": Course.enrollment_count + 1, "updated_at": Course.updated_at}
    execute_dml(session, update(Course).where(Course.id == course_key).values(one_more))
    return place.id


def reactivate_enrollment(
    session: Session,
    place: Enrollment,
    source: EnrollmentSource,
    until: datetime | None,
    actor_key: int | None = None,
) -> int:
    """
    Back to what was done so far, in a course that is locked. Its key. What the course asks for may have changed
    meanwhile: it may be that nothing is left to do.
    """
    place.status = EnrollmentStatus.ACTIVE if place.completed_at is None else EnrollmentStatus.COMPLETED
    place.source, place.access_expires_at = source, until
    session.flush()
    refresh_and_complete(session, place.course_id, place.user_id, settings_of(session))
    reinstate_after_refund(session, place.user_id, place.course_id, actor_key)
    return place.id


def end_enrollment(
    session: Session, place: Enrollment, status: EnrollmentStatus, actor_key: int | None = None
) -> None:
    """
    CANCELLED or REFUNDED; the course and the place are locked. What was done is kept; a refund takes the certificate
    back.
    """
    place.status = status
    session.flush()
    if status is EnrollmentStatus.REFUNDED:
        revoke_for_refund(session, place.user_id, place.course_id, actor_key)
