"""A course is completed: once, with all that follows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Enrollment, EnrollmentStatus
from lms_graphql.certificates.services.certificates import issue_certificate
from lms_graphql.core import clock
from lms_graphql.core.statements import execute_dml
from lms_graphql.learning.services.progress_counters import ProgressCounts, refresh_counts
from lms_graphql.settings import Settings


class PendingCompletion(NamedTuple):
    enrollment_key: int
    user_key: int


def complete_course(session: Session, course_key: int, user_key: int, settings: Settings) -> datetime | None:
    """
    Everything required is done. When it was completed, where this has done so: of several at once one does, and
    whoever had completed it before keeps that. Only for who has access now: the others may come back.
    """
    now = clock.now()
    has_access = or_(Enrollment.access_expires_at.is_(None), Enrollment.access_expires_at > now)
    open_ = (Enrollment.status == EnrollmentStatus.ACTIVE, Enrollment.completed_at.is_(None), has_access)
    done = update(Enrollment).where(Enrollment.user_id == user_key, Enrollment.course_id == course_key, *open_)
    if not execute_dml(session, done.values(status=EnrollmentStatus.COMPLETED, completed_at=now, updated_at=now)):
        return None
    issue_certificate(session, user_key, course_key, settings)
    return now


def refresh_and_complete(
    session: Session, course_key: int, user_key: int, settings: Settings
) -> tuple[ProgressCounts, datetime | None]:
    """What somebody has done of a course, counted anew, and when that has completed it. They are locked."""
    counts = refresh_counts(session, course_key, [user_key])[user_key]
    return counts, complete_course(session, course_key, user_key, settings) if counts.all_done else None


def pending_completions(
    session: Session, course_key: int, counts: Mapping[int, ProgressCounts]
) -> Sequence[PendingCompletion]:
    """Those of these people who have done everything in an enrollment that is open and not completed yet."""
    done = [user for user, each in counts.items() if each.all_done]
    if not done:
        return []
    now = clock.now()
    waiting = (
        select(Enrollment.id, Enrollment.user_id)
        .join(User, User.id == Enrollment.user_id)
        .where(
            Enrollment.course_id == course_key,
            Enrollment.user_id.in_(done),
            Enrollment.status == EnrollmentStatus.ACTIVE,
            Enrollment.completed_at.is_(None),
            or_(Enrollment.access_expires_at.is_(None), Enrollment.access_expires_at > now),
            User.deleted_at.is_(None),
        )
    )
    return [PendingCompletion._make(row) for row in session.execute(waiting.order_by(Enrollment.id))]
