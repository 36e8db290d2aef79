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
from lms_graphql.catalog.service.editing import lock_course
from lms_graphql.core import clock
from lms_graphql.core.statements import changed
from lms_graphql.learning.service.certifying import reinstate_after_refund, revoke_for_refund
from lms_graphql.learning.service.completing import count_and_complete
from lms_graphql.learning.service.counting import refresh
from lms_graphql.settings import in_force


def admit(
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
    place = find_place(session, user_key, course_key)
    if place is None:
        return open_place(session, user_key, course_key, source, until)
    return reopen(session, place, source, until, actor_key)


def find_place(session: Session, user_key: int, course_key: int) -> Enrollment | None:
    """
    Locked, where there is one. Looked for without a lock first: to lock what is not there locks the gap in which
    others put theirs.
    """
    own = (Enrollment.user_id == user_key, Enrollment.course_id == course_key)
    key = session.scalar(select(Enrollment.id).where(*own))
    return None if key is None else session.get_one(Enrollment, key, with_for_update=True, populate_existing=True)


def open_place(
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
    refresh(session, course_key, [user_key])
    one_more = {"enrollment_count": Course.enrollment_count + 1, "updated_at": Course.updated_at}
    changed(session, update(Course).where(Course.id == course_key).values(one_more))
    return place.id


def reopen(
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
    count_and_complete(session, place.course_id, place.user_id, in_force(session))
    reinstate_after_refund(session, place.user_id, place.course_id, actor_key)
    return place.id


def end(session: Session, place: Enrollment, status: EnrollmentStatus, actor_key: int | None = None) -> None:
    """
    CANCELLED or REFUNDED; the course and the place are locked. What was done is kept; a refund takes the certificate
    back.
    """
    place.status = status
    session.flush()
    if status is EnrollmentStatus.REFUNDED:
        revoke_for_refund(session, place.user_id, place.course_id, actor_key)
