"""What passing a quiz does to the progress in its course: the floor above calls it when somebody has passed one."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lms_graphql.core import clock
from lms_graphql.core.statements import execute_dml, insert_ignore
from lms_graphql.learning.models import LectureProgress
from lms_graphql.learning.services.completion import refresh_and_complete
from lms_graphql.learning.services.progress_locks import lock_course_and_enrollment, touch_last_accessed
from lms_graphql.settings import Settings


def quiz_passed(
    session: Session, user_key: int, course_key: int, lecture_key: int | None, settings: Settings
) -> bool:
    """
    To be called in the transaction that grades an attempt, after the attempt is written, for a quiz that is passed;
    again does no harm. `lecture_key`: of the lecture that carries the quiz, which is done with it; a quiz that none
    carries counts as `openings.passed_quizzes` tells. True where this has completed the course. Also where access has
    ended meanwhile: what was done is kept. Without an enrollment there is nothing to keep it in.
    """
    if not lock_course_and_enrollment(session, course_key, user_key, with_access=False):
        return False
    touch_last_accessed(session, course_key, user_key)
    if lecture_key is not None:
        complete_lectures(session, {(user_key, lecture_key)})
    return refresh_and_complete(session, course_key, user_key, settings)[1] is not None


def complete_lectures(session: Session, done: set[tuple[int, int]]) -> bool:
    """
    (person, lecture): those that are not done yet are, as of now. In as many statements for many as for one. The
    people's enrollments are locked. Whether there were any.
    """
    users, lectures = {user for user, _ in done}, {lecture for _, lecture in done}
    there = select(
        LectureProgress.user_id, LectureProgress.lecture_id, LectureProgress.id, LectureProgress.is_completed
    )
    here = there.where(LectureProgress.user_id.in_(users), LectureProgress.lecture_id.in_(lectures))
    found = {(row.user_id, row.lecture_id): row for row in session.execute(here) if (row[0], row[1]) in done}
    now = clock.now()
    begun = [row.id for row in found.values() if not row.is_completed]
    if begun:
        these = update(LectureProgress).where(LectureProgress.id.in_(begun))
        execute_dml(session, these.values(is_completed=True, completed_at=now))
    contact = {"started_at": now, "last_accessed": now, "completed_at": now, "is_completed": True}
    rows = [{"user_id": user, "lecture_id": lecture, **contact} for user, lecture in sorted(done - found.keys())]
    if rows:
        session.connection().execute(insert_ignore(LectureProgress), rows)
    return bool(begun or rows)
