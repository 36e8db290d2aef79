"""What is done in lectures: watched, as a player tells, or ticked by hand."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, insert, update
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import EnrollmentStatus, LectureType
from lms_graphql.core import clock
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.statements import execute_dml, insert_returning_key
from lms_graphql.core.validation import Validator
from lms_graphql.learning import watched_ranges
from lms_graphql.learning.models import CourseProgress, LectureProgress
from lms_graphql.learning.reads.enrollments import EnrollmentRow
from lms_graphql.learning.reads.progress import LectureProgressRow
from lms_graphql.learning.reads.progress_snapshot import ProgressSnapshot
from lms_graphql.learning.services.completion import refresh_and_complete
from lms_graphql.learning.services.progress_locks import lock_progress, require_access
from lms_graphql.settings import Settings

MAX_RANGES_PER_REPORT = 100
"""Of one report."""


class ProgressResult(NamedTuple):
    """Both as they are now."""

    progress: LectureProgressRow
    enrollment: EnrollmentRow


def record_lecture_progress(
    session: Session,
    actor: Actor,
    lecture_id: str,
    position: int,
    stretches: Sequence[watched_ranges.SecondsRange],
    settings: Settings,
) -> ProgressResult:
    """`stretches`: what was played since the last report. No figure falls, in whatever order reports come."""
    visit, is_open = lock_progress(session, actor, lecture_id)
    _check(stretches)
    require_access(is_open, "lecture_id")
    now, enrollment = clock.now(), _enrollment(visit)
    had = _begun(visit, now)
    last = visit.course.reported_at if visit.course is not None else None
    most = watched_ranges.creditable_seconds(now - (last or enrollment.enrolled_at))
    ranges = watched_ranges.add_ranges(visit.ranges, watched_ranges.clip(stretches, visit.seconds, most))
    seconds = max(had.watch_seconds, watched_ranges.total_seconds(ranges))
    is_new = seconds > had.watch_seconds
    # What was taken back by hand stays so until more of it is watched.
    is_watched = watched_ranges.is_watched(ranges, visit.seconds, settings.completion_watched_percent)
    completes = visit.type is LectureType.VIDEO and is_new and is_watched and not had.is_completed
    progress = had._replace(
        watch_seconds=seconds,
        position_seconds=min(max(position, 0), visit.seconds),
        is_completed=had.is_completed or completes,
        completed_at=now if completes else had.completed_at,
        last_accessed_at=now,
    )
    progress = _keep(session, visit, progress, watched_ranges=ranges)
    return _settle(session, visit, progress, settings, seconds - had.watch_seconds, reported_at=now)


def set_lecture_completed(
    session: Session, actor: Actor, lecture_id: str, is_completed: bool, settings: Settings
) -> ProgressResult:
    """By hand. Taking it back leaves a completed course completed."""
    visit, is_open = lock_progress(session, actor, lecture_id)
    if visit.type is LectureType.QUIZ:
        message = "A quiz is done when it is passed, and not by hand."
        raise DomainError(ErrorCode.INVALID, message, ("lecture_id",))
    require_access(is_open, "lecture_id")
    now = clock.now()
    had = _begun(visit, now)
    at = (had.completed_at or now) if is_completed else None
    progress = had._replace(is_completed=is_completed, completed_at=at, last_accessed_at=now)
    return _settle(session, visit, _keep(session, visit, progress), settings)


def _check(stretches: Sequence[watched_ranges.SecondsRange]) -> None:
    form = Validator()
    if len(stretches) > MAX_RANGES_PER_REPORT:
        form.add_error(
            ErrorCode.LIMIT_REACHED, f"Report at most {MAX_RANGES_PER_REPORT} stretches at once.", "watched"
        )
    for number, (start, end) in enumerate(stretches[:MAX_RANGES_PER_REPORT]):
        if start > end:
            form.add_error(ErrorCode.INVALID, "A stretch ends after it starts.", "watched", str(number))
    form.raise_errors()


def _enrollment(visit: ProgressSnapshot) -> EnrollmentRow:
    assert visit.enrollment is not None, "it is open"
    return visit.enrollment


def _begun(visit: ProgressSnapshot, now: datetime) -> LectureProgressRow:
    """What there is, or the first contact, which has no key yet."""
    return visit.progress or LectureProgressRow(0, visit.lecture_key, False, 0, 0, now, None, now)


def _keep(
    session: Session, visit: ProgressSnapshot, progress: LectureProgressRow, **ranges: Any
) -> LectureProgressRow:
    """The enrollment is locked, so nobody else makes this row or changes it meanwhile."""
    values = {
        "is_completed": progress.is_completed,
        "watch_time": progress.watch_seconds,
        "last_position": progress.position_seconds,
        "completed_at": progress.completed_at,
        "last_accessed": progress.last_accessed_at,
        **ranges,
    }
    if progress.key:
        execute_dml(session, _CHANGE, {"of": progress.key, **values})
        return progress
    of = {"user_id": _enrollment(visit).user_key, "lecture_id": visit.lecture_key, "started_at": progress.started_at}
    return progress._replace(key=insert_returning_key(session, _BEGIN, {**of, **values}))


_BEGIN = insert(LectureProgress)
_CHANGE = update(LectureProgress).where(LectureProgress.id == bindparam("of"))


def _settle(
    session: Session,
    visit: ProgressSnapshot,
    progress: LectureProgressRow,
    settings: Settings,
    seconds: int = 0,
    **said: Any,
) -> ProgressResult:
    """
    What the course makes of it, of which so many more seconds were watched. It is counted anew where a lecture was
    done or taken back, and where something else has come to the end of the course meanwhile.
    """
    enrollment, course = _enrollment(visit), visit.course
    was_done = visit.progress is not None and visit.progress.is_completed
    is_open = enrollment.completed_at is None
    is_other = progress.is_completed != was_done
    is_last, completed_at = course is not None and course.all_done, None
    if course is None or is_other or (is_last and is_open):
        counts, completed_at = refresh_and_complete(session, visit.course_key, enrollment.user_key, settings)
        is_last, seconds = counts.all_done, 0  # what was watched was counted as well
    if completed_at is not None:
        enrollment = enrollment._replace(status=EnrollmentStatus.COMPLETED, completed_at=completed_at)
    said |= _where_to_go_on(visit, progress, is_last)
    mine = {"user": enrollment.user_key, "course": visit.course_key}
    if seconds:
        execute_dml(session, _MORE_OF_COURSE, {**mine, **said, "seconds": seconds})
    elif said:
        execute_dml(session, _OF_COURSE, {**mine, **said})
    return ProgressResult(progress, enrollment)


_OF_COURSE = update(CourseProgress).where(
    CourseProgress.user_id == bindparam("user"), CourseProgress.course_id == bindparam("course")
)
_MORE_OF_COURSE = _OF_COURSE.values(total_watch_time=CourseProgress.total_watch_time + bindparam("seconds"))


def _where_to_go_on(visit: ProgressSnapshot, progress: LectureProgressRow, is_last: bool) -> dict[str, int | None]:
    """The last lecture that was opened, and the next one to do once that is done. What is to be changed of it."""
    here: dict[str, int | None] = {"current_lecture_id": visit.lecture_key, "current_section_id": visit.section_key}
    current = visit.course.current_lecture_key if visit.course is not None else None
    if not progress.is_completed or is_last:
        return here if current != visit.lecture_key else {}
    return dict.fromkeys(here) if current == visit.lecture_key else {}
