"""Completion of a course: once for each enrollment, with a certificate."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Enrollment, EnrollmentStatus
from lms_graphql.certificates.services.certificates import issue_certificate
from lms_graphql.core import clock
from lms_graphql.core.statements import execute_dml
from lms_graphql.learning.services.progress_counters import ProgressCounts, refresh_counts
from lms_graphql.settings import Settings


class PendingCompletion(NamedTuple):
    """An enrollment in which everything is done and which is not completed yet."""

    enrollment_key: int
    user_key: int


def complete_course(session: Session, course_key: int, user_key: int, settings: Settings) -> datetime | None:
    """Complete the course for a user who has done everything. Return when, or None if nothing changed.

    Nothing changes without access, because such a user may return later, or if the course is completed already. If
    several requests finish the course at the same time, one of them completes it.
    """
    now = clock.now()
    enrollment = (Enrollment.user_id == user_key, Enrollment.course_id == course_key)
    statement = update(Enrollment).where(*enrollment, *_is_completable(now))
    values = {"status": EnrollmentStatus.COMPLETED, "completed_at": now, "updated_at": now}
    if not execute_dml(session, statement.values(values)):
        return None
    issue_certificate(session, user_key, course_key, settings)
    return now


def refresh_and_complete(
    session: Session, course_key: int, user_key: int, settings: Settings
) -> tuple[ProgressCounts, datetime | None]:
    """Recount a user's progress, and complete the course if all is done. The enrollment is locked.

    Return the counts, and when this completed the course or None.
    """
    counts = refresh_counts(session, course_key, [user_key])[user_key]
    return counts, complete_course(session, course_key, user_key, settings) if counts.is_complete else None


def pending_completions(
    session: Session, course_key: int, counts: Mapping[int, ProgressCounts]
) -> Sequence[PendingCompletion]:
    """Return the enrollments to complete, by key: all is done, access continues, and the account is not deleted."""
    user_keys = [user_key for user_key, user_counts in counts.items() if user_counts.is_complete]
    if not user_keys:
        return []
    enrollments = (
        select(Enrollment.id, Enrollment.user_id)
        .join(User, User.id == Enrollment.user_id)
        .where(Enrollment.course_id == course_key, Enrollment.user_id.in_(user_keys), User.deleted_at.is_(None))
        .where(*_is_completable(clock.now()))
    )
    return [PendingCompletion._make(row) for row in session.execute(enrollments.order_by(Enrollment.id))]


def _is_completable(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Enrollment.status == EnrollmentStatus.ACTIVE,
        Enrollment.completed_at.is_(None),
        or_(Enrollment.access_expires_at.is_(None), Enrollment.access_expires_at > now),
    )
