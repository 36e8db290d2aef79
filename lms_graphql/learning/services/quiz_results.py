"""Effects of passed quizzes on progress. `assessment` calls this in the transaction that grades an attempt.

Lock order: docs/architecture.md.
"""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lms_graphql.core import clock
from lms_graphql.core.statements import execute_dml, insert_ignore
from lms_graphql.learning.models import LectureProgress
from lms_graphql.learning.services.completion import refresh_and_complete
from lms_graphql.learning.services.progress_counters import refresh_counts
from lms_graphql.learning.services.progress_locks import lock_course_and_enrollment, touch_last_accessed
from lms_graphql.settings import Settings


def record_passed_quiz(
    session: Session, user_key: int, course_key: int, lecture_key: int | None, settings: Settings
) -> bool:
    """Update progress after a user passed a quiz. Return whether this completed the course.

    The attempt must have been written before, in this transaction. Calling it again does no harm. `lecture_key` is
    the lecture of the quiz, which becomes completed. A course-level quiz has none: `hooks.passed_quizzes` counts it.
    Progress is stored even if access has ended, but not without an enrollment.
    """
    if not lock_course_and_enrollment(session, course_key, user_key, with_access=False):
        return False
    touch_last_accessed(session, course_key, user_key)
    if lecture_key is not None:
        complete_lectures(session, {(user_key, lecture_key)})
    return refresh_and_complete(session, course_key, user_key, settings)[1] is not None


def record_lost_pass(session: Session, user_key: int, course_key: int) -> None:
    """Recount progress after a user no longer passes a quiz. Completions and certificates stay."""
    if lock_course_and_enrollment(session, course_key, user_key, with_access=False):
        touch_last_accessed(session, course_key, user_key)
        refresh_counts(session, course_key, [user_key])


def complete_lectures(session: Session, completed: set[tuple[int, int]]) -> bool:
    """Mark lectures as completed for users: pairs of (user, lecture). Return whether anything changed.

    The enrollments of the users must be locked. The number of statements does not depend on the number of pairs.
    """
    users, lectures = {user for user, _ in completed}, {lecture for _, lecture in completed}
    columns = (
        LectureProgress.user_id,
        LectureProgress.lecture_id,
        LectureProgress.id,
        LectureProgress.is_completed,
    )
    statement = select(*columns).where(LectureProgress.user_id.in_(users), LectureProgress.lecture_id.in_(lectures))
    rows = {(row[0], row[1]): row for row in session.execute(statement) if (row[0], row[1]) in completed}
    now = clock.now()
    incomplete = [row.id for row in rows.values() if not row.is_completed]
    if incomplete:
        existing = update(LectureProgress).where(LectureProgress.id.in_(incomplete))
        execute_dml(session, existing.values(is_completed=True, completed_at=now))
    values = {"started_at": now, "last_accessed": now, "completed_at": now, "is_completed": True}
    missing = sorted(completed - rows.keys())
    if missing:
        new_rows = [{"user_id": user, "lecture_id": lecture, **values} for user, lecture in missing]
        session.connection().execute(insert_ignore(LectureProgress), new_rows)
    return bool(incomplete or missing)
