"""
The way to what somebody has done in a course, for whoever changes it.

The order of locks, so that nobody waits for each other: the course, its enrollments by their keys, the rows of
progress, what the course requires, certificates. Whoever changes the curriculum locks the course for themselves
(`catalog/service/editing.py`). Those who learn, and the sweep, share it: learners do not wait for one another, and
what a course requires does not change while they count. The enrollment is the lock on all of a person's progress in
the course: of two devices the second one sees what the first has left. A quiz attempt is locked ahead of all this.

Locks are taken before anything else is read, as everywhere: what is read then is what the one before has left.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ScalarSelect, select, update
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Course, Enrollment
from lms_graphql.catalog.policies import has_access
from lms_graphql.core import clock, ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import ErrorCode, Refusal
from lms_graphql.core.statements import ahead, changed
from lms_graphql.learning.reads.places import Place, find_place


def enter(session: Session, actor: Actor, lecture_id: str) -> tuple[Place, bool]:
    """
    The lecture as the viewer finds it, and whether their enrollment gives access now: then it is locked, and notes
    that they were there. NOT_FOUND where there is no such lecture for them. It is looked at ahead, and again only
    where something has changed until it was locked, which is when two devices report at once.
    """
    key = ids.key_of("Lecture", lecture_id)
    place, seen_at = ahead(session, lambda here: find_place(here, actor, key)), None
    if place is not None and place.enrollment is not None:
        course, user = place.course_key, place.enrollment.user_key
        if (seen_at := touch(session, course, user, as_seen=place)) is None:
            seen_at = touch(session, course, user)
            place = find_place(session, actor, key)
    if place is None:
        raise Refusal(ErrorCode.NOT_FOUND, "There is no such thing, or it is not yours to see.", ("lecture_id",))
    if place.enrollment is not None and seen_at is not None:
        place = place._replace(enrollment=place.enrollment._replace(last_accessed_at=seen_at))
    return place, seen_at is not None


def demand_access(is_open: bool) -> None:
    if not is_open:
        message = "Enroll in the course first: your access is not open."
        raise Refusal(ErrorCode.NOT_ENROLLED, message, ("lecture_id",))


def touch(
    session: Session, course_key: int, user_key: int, *, with_access: bool = True, as_seen: Place | None = None
) -> datetime | None:
    """
    Locks the course, shared, and somebody's enrollment, in this order: what is asked of the course comes first. Notes
    that they were there, and gives when. None where there is no enrollment, where it has to give access and does not,
    and where something is not `as_seen`.
    """
    now = clock.now()
    mine = [Enrollment.user_id == user_key, Enrollment.course_id == _shared(course_key, as_seen)]
    mine += [has_access()] if with_access else []
    if as_seen is not None and as_seen.enrollment is not None:
        seen_at = as_seen.enrollment.last_accessed_at
        mine += [Enrollment.last_accessed.is_not_distinct_from(seen_at), Enrollment.updated_at == as_seen.changed_at]
        now = max(now, seen_at + timedelta.resolution) if seen_at is not None else now
    # To have been there is no change that any figure counts.
    seen = update(Enrollment).where(*mine).values(last_accessed=now, updated_at=Enrollment.updated_at)
    is_there = session.connection().execute(seen, {"now": now} if with_access else {}).rowcount == 1
    return now if is_there else None


def share(session: Session, course_key: int) -> bool:
    """Locks a course, shared. False where it is gone."""
    course = select(Course.id).where(Course.id == course_key).with_for_update(read=True)
    return session.scalar(course) is not None


def lock_enrollments(session: Session, keys: Sequence[int]) -> None:
    """In one order."""
    rows = select(Enrollment.id).where(Enrollment.id.in_(keys)).order_by(Enrollment.id).with_for_update()
    session.execute(rows).all()


def note_change(session: Session, keys: Sequence[int]) -> None:
    """Something was done in these enrollments, which are locked, that `touch` does not see otherwise."""
    changed(session, update(Enrollment).where(Enrollment.id.in_(keys)).values(updated_at=clock.now()))


def _shared(course_key: int, as_seen: Place | None) -> ScalarSelect[int]:
    """InnoDB locks what an UPDATE reads. A value that does not depend on the row is worked out ahead of all rows."""
    course = select(Course.id).where(Course.id == course_key)
    return (course if as_seen is None else course.where(Course.version == as_seen.version)).scalar_subquery()
