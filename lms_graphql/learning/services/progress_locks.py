"""
The way to what somebody has done in a course, for whoever changes it.

The order of locks, so that nobody waits for each other: the course, its enrollments by their keys, the rows of
progress, what the course requires, certificates. Whoever changes the curriculum locks the course for themselves
(`catalog/services/course_locks.py`). Those who learn, and the sweep, share it: learners do not wait for one
another, and what a course requires does not change while they count. The enrollment is the lock on all of a
person's progress in the course: of two devices the second one sees what the first has left. A quiz attempt is
locked ahead of all this.

Locks are taken before anything else is read, as everywhere: what is read then is what the one before has left.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Update, bindparam, select, update
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Course, Enrollment
from lms_graphql.catalog.policies import grants_access
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode, not_found
from lms_graphql.core.orm import UtcDateTime
from lms_graphql.core.statements import execute_dml, peek
from lms_graphql.learning.reads.enrollments import EnrollmentRow
from lms_graphql.learning.reads.progress_snapshot import ProgressSnapshot, find_progress_snapshot


def lock_progress(session: Session, actor: Actor, lecture_id: str) -> tuple[ProgressSnapshot, bool]:
    """
    The lecture as the viewer finds it, and whether their enrollment gives access now: then it is locked, and notes
    that they were there. NOT_FOUND where there is no such lecture for them. It is looked at ahead, and again only
    where something has changed until it was locked, which is when two devices report at once.
    """
    key = global_ids.decode_key("Lecture", lecture_id)
    visit, seen_at = peek(session, lambda here: find_progress_snapshot(here, actor, key)), None
    if visit is not None and (of := visit.enrollment) is not None:
        seen_at = _visit_as_seen(session, visit, of)
        if seen_at is None:
            is_open = lock_course_and_enrollment(session, visit.course_key, of.user_key)
            visit = find_progress_snapshot(session, actor, key)
            if is_open and visit is not None and visit.enrollment is not None:
                seen_at = _visit_as_seen(session, visit, visit.enrollment)
    if visit is None:
        raise not_found("lecture_id")
    if visit.enrollment is not None and seen_at is not None:
        visit = visit._replace(enrollment=visit.enrollment._replace(last_accessed_at=seen_at))
    return visit, seen_at is not None


def require_access(is_open: bool, path: str) -> None:
    """A preview gives reading, and no more."""
    if not is_open:
        raise DomainError(ErrorCode.NOT_ENROLLED, "Enroll in the course first: your access is not open.", (path,))


def lock_course_and_enrollment(session: Session, course_key: int, user_key: int, *, with_access: bool = True) -> bool:
    """
    Locks the course, shared, and somebody's enrollment, in this order: what is asked of the course comes first. False
    where there is none, or where it has to give access and does not.
    """
    binds = {"course": course_key, "user": user_key, "now": clock.now()}
    return execute_dml(session, _HOLD_WITH_ACCESS if with_access else _HOLD, binds) == 1


def touch_last_accessed(session: Session, course_key: int, user_key: int) -> None:
    """Notes that they were there, in an enrollment that is locked."""
    mine = {"course": course_key, "user": user_key}
    before = session.scalar(_LAST_SEEN, mine)
    execute_dml(session, _VISIT, {**mine, "seen": _after(before)})


def _visit_as_seen(session: Session, visit: ProgressSnapshot, of: EnrollmentRow) -> datetime | None:
    """Locks and notes it, where they have access and nothing is different from what was seen: then it gives when."""
    seen = _after(of.last_accessed_at)
    binds = {"course": visit.course_key, "user": of.user_key, "seen": seen, "now": clock.now()}
    same = {"version": visit.version, "last_seen": of.last_accessed_at, "changed_at": visit.changed_at}
    return seen if execute_dml(session, _VISIT_AS_SEEN, {**binds, **same}) else None


def _after(before: datetime | None) -> datetime:
    """Always later than before, also by a clock that is behind: no two visits are taken for one another."""
    now = clock.now()
    return now if before is None else max(now, before + timedelta.resolution)


def _of(*course: ColumnElement[bool]) -> tuple[ColumnElement[bool], ...]:
    """InnoDB locks what an UPDATE reads. A value that does not depend on the row is worked out ahead of all rows."""
    shared = select(Course.id).where(Course.id == bindparam("course"), *course).scalar_subquery()
    return Enrollment.user_id == bindparam("user"), Enrollment.course_id == shared


def _touch(seen: Any, *where: ColumnElement[bool]) -> Update:
    """To have been there is no change that any figure counts."""
    return update(Enrollment).where(*where).values(last_accessed=seen, updated_at=Enrollment.updated_at)


def _instant(name: str) -> BindParameter[datetime]:
    return bindparam(name, type_=UtcDateTime())


_HOLD = _touch(Enrollment.last_accessed, *_of())
_HOLD_WITH_ACCESS = _touch(Enrollment.last_accessed, *_of(), grants_access())
_LAST_SEEN = select(Enrollment.last_accessed).where(*_of())
_VISIT = _touch(_instant("seen"), *_of())
_VISIT_AS_SEEN = _touch(
    _instant("seen"),
    *_of(Course.version == bindparam("version")),
    Enrollment.last_accessed.is_not_distinct_from(_instant("last_seen")),
    Enrollment.updated_at == _instant("changed_at"),
    grants_access(),
)


def share_lock_course(session: Session, course_key: int) -> bool:
    """Locks a course, shared. False where it is gone."""
    course = select(Course.id).where(Course.id == course_key).with_for_update(read=True)
    return session.scalar(course) is not None


def lock_enrollments(session: Session, keys: Sequence[int]) -> None:
    """In one order."""
    rows = select(Enrollment.id).where(Enrollment.id.in_(keys)).order_by(Enrollment.id).with_for_update()
    session.execute(rows).all()


def touch_enrollments(session: Session, keys: Sequence[int]) -> None:
    """Something was done in these enrollments, which are locked: whoever looked ahead is to notice it."""
    execute_dml(session, update(Enrollment).where(Enrollment.id.in_(keys)).values(updated_at=clock.now()))
