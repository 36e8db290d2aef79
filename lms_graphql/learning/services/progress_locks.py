"""Locks for changes of a learner's progress in a course.

Lock order: docs/architecture.md. Learners and maintenance share the lock of the course. So learners do not wait for
one another, and the requirements of the course do not change while progress is counted. The enrollment is the lock
on all progress of a learner in the course: if two devices report at the same time, the second sees what the first
one wrote.

The snapshot is read in a transaction of its own before. The lock checks that it is still current. Everything else is
read after the locks, so that it shows what the previous transaction committed.
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
    """Return a snapshot of the actor's progress in a lecture, and whether their enrollment gives access.

    With access, the enrollment is locked and its `last_accessed` is updated. Raise NOT_FOUND if the lecture does not
    exist or is not visible to the actor. The snapshot is read before the lock. It is read again only if something
    changed in between, for example because two devices report at the same time.
    """
    key = global_ids.decode_key("Lecture", lecture_id)
    snapshot, accessed_at = peek(session, lambda peek_session: find_progress_snapshot(peek_session, actor, key)), None
    if snapshot is not None and (enrollment := snapshot.enrollment) is not None:
        accessed_at = _lock_if_unchanged(session, snapshot, enrollment)
        if accessed_at is None:
            has_access = lock_course_and_enrollment(session, snapshot.course_key, enrollment.user_key)
            snapshot = find_progress_snapshot(session, actor, key)
            if has_access and snapshot is not None and snapshot.enrollment is not None:
                accessed_at = _lock_if_unchanged(session, snapshot, snapshot.enrollment)
    if snapshot is None:
        raise not_found("lecture_id")
    if snapshot.enrollment is not None and accessed_at is not None:
        snapshot = snapshot._replace(enrollment=snapshot.enrollment._replace(last_accessed_at=accessed_at))
    return snapshot, accessed_at is not None


def require_access(has_access: bool, path: str) -> None:
    """Raise NOT_ENROLLED without access. A preview can be read without an enrollment, but nothing can be written."""
    if not has_access:
        message = "You have no access to this course. Enroll in it first."
        raise DomainError(ErrorCode.NOT_ENROLLED, message, (path,))


def lock_course_and_enrollment(session: Session, course_key: int, user_key: int, *, with_access: bool = True) -> bool:
    """Lock the course (shared), then the user's enrollment. Return whether there is one.

    If `with_access` is set, an enrollment without access is not locked and the result is False.
    """
    params = {"course": course_key, "user": user_key, "now": clock.now()}
    return execute_dml(session, _LOCK_WITH_ACCESS if with_access else _LOCK, params) == 1


def touch_last_accessed(session: Session, course_key: int, user_key: int) -> None:
    """Set `last_accessed` of a locked enrollment to now."""
    params = {"course": course_key, "user": user_key}
    previous = session.scalar(_LAST_ACCESSED, params)
    execute_dml(session, _TOUCH, {**params, "accessed_at": _later_than(previous)})


def _lock_if_unchanged(session: Session, snapshot: ProgressSnapshot, enrollment: EnrollmentRow) -> datetime | None:
    """Lock the enrollment and set its `last_accessed`, if it gives access and the snapshot is current.

    Return the new `last_accessed`, or None if the enrollment was not locked.
    """
    accessed_at = _later_than(enrollment.last_accessed_at)
    params = {"course": snapshot.course_key, "user": enrollment.user_key, "accessed_at": accessed_at}
    params |= {"version": snapshot.version, "changed_at": snapshot.changed_at, "now": clock.now()}
    params["previous"] = enrollment.last_accessed_at
    return accessed_at if execute_dml(session, _TOUCH_IF_UNCHANGED, params) else None


def _later_than(previous: datetime | None) -> datetime:
    """Return now, or the instant after `previous` if the clock is behind. So no two accesses have the same time."""
    now = clock.now()
    return now if previous is None else max(now, previous + timedelta.resolution)


def _enrollment_in_course(*course: ColumnElement[bool]) -> tuple[ColumnElement[bool], ...]:
    """Return clauses that lock the course (shared) before the enrollment.

    InnoDB locks the rows that an UPDATE reads. It evaluates a subquery that does not depend on the row first.
    """
    shared = select(Course.id).where(Course.id == bindparam("course"), *course).scalar_subquery()
    return Enrollment.user_id == bindparam("user"), Enrollment.course_id == shared


def _touch(accessed_at: Any, *where: ColumnElement[bool]) -> Update:
    """Return an update of `last_accessed` that leaves `updated_at`, because analytics does not depend on it."""
    return update(Enrollment).where(*where).values(last_accessed=accessed_at, updated_at=Enrollment.updated_at)


def _datetime_param(name: str) -> BindParameter[datetime]:
    return bindparam(name, type_=UtcDateTime())


_LOCK = _touch(Enrollment.last_accessed, *_enrollment_in_course())
_LOCK_WITH_ACCESS = _touch(Enrollment.last_accessed, *_enrollment_in_course(), grants_access())
_LAST_ACCESSED = select(Enrollment.last_accessed).where(*_enrollment_in_course())
_TOUCH = _touch(_datetime_param("accessed_at"), *_enrollment_in_course())
_TOUCH_IF_UNCHANGED = _touch(
    _datetime_param("accessed_at"),
    *_enrollment_in_course(Course.version == bindparam("version")),
    Enrollment.last_accessed.is_not_distinct_from(_datetime_param("previous")),
    Enrollment.updated_at == _datetime_param("changed_at"),
    grants_access(),
)


def share_lock_course(session: Session, course_key: int) -> bool:
    """Lock a course (shared). Return whether it exists."""
    course = select(Course.id).where(Course.id == course_key).with_for_update(read=True)
    return session.scalar(course) is not None


def lock_enrollments(session: Session, keys: Sequence[int]) -> None:
    """Lock enrollments in the order of their keys, so that two transactions cannot deadlock."""
    rows = select(Enrollment.id).where(Enrollment.id.in_(keys)).order_by(Enrollment.id).with_for_update()
    session.execute(rows).all()


def touch_enrollments(session: Session, keys: Sequence[int]) -> None:
    """Set `updated_at` of locked enrollments, so that snapshots read before the lock are no longer current."""
    execute_dml(session, update(Enrollment).where(Enrollment.id.in_(keys)).values(updated_at=clock.now()))
