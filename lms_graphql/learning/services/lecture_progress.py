"""Progress in lectures: reports of players, and completion marked by hand."""

from collections.abc import Sequence
from datetime import datetime
from math import floor
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


class ProgressResult(NamedTuple):
    """Progress in the lecture and the enrollment, after the change."""

    progress: LectureProgressRow
    enrollment: EnrollmentRow


def record_lecture_progress(
    session: Session,
    actor: Actor,
    lecture_id: str,
    position: float,
    played: Sequence[watched_ranges.PlayedRange],
    settings: Settings,
) -> ProgressResult:
    """Record the ranges that were played since the last report. Watched time never decreases, whatever their order.

    Fractions of seconds are rounded down. Raise NOT_FOUND, LIMIT_REACHED, OUT_OF_RANGE, INVALID or NOT_ENROLLED.
    """
    snapshot, has_access = lock_progress(session, actor, lecture_id)
    _validate_report(position, played)
    require_access(has_access, "lecture_id")
    now = clock.now()
    previous = _previous_progress(snapshot, now)
    stored, credit_since = _credit(snapshot, watched_ranges.whole_seconds(played), now)
    seconds = max(previous.watch_seconds, watched_ranges.total_seconds(stored))
    new_seconds = seconds - previous.watch_seconds
    unmarked_by_hand = snapshot.unmarked_by_hand and not new_seconds
    is_watched = watched_ranges.is_watched(stored, snapshot.seconds, settings.completion_watched_percent)
    can_complete = snapshot.type is LectureType.VIDEO and not unmarked_by_hand
    completes = can_complete and is_watched and not previous.is_completed
    progress = previous._replace(
        watch_seconds=seconds,
        position_seconds=_clamp_position(snapshot, floor(position)),
        is_completed=previous.is_completed or completes,
        completed_at=now if completes else previous.completed_at,
        last_accessed_at=now,
    )
    progress = _save(session, snapshot, progress, watched_ranges=stored, unmarked_by_hand=unmarked_by_hand)
    return _update_course_progress(session, snapshot, progress, settings, new_seconds, credit_since=credit_since)


def set_lecture_completed(
    session: Session, actor: Actor, lecture_id: str, is_completed: bool, settings: Settings
) -> ProgressResult:
    """Mark a lecture as completed or not completed by hand. A completed course stays completed.

    Raise NOT_FOUND, NOT_ENROLLED, or INVALID if it is a quiz.
    """
    snapshot, has_access = lock_progress(session, actor, lecture_id)
    if snapshot.type is LectureType.QUIZ:
        message = "A quiz lecture cannot be marked by hand. It is completed by passing the quiz."
        raise DomainError(ErrorCode.INVALID, message, ("lecture_id",))
    require_access(has_access, "lecture_id")
    now = clock.now()
    previous = _previous_progress(snapshot, now)
    completed_at = (previous.completed_at or now) if is_completed else None
    progress = previous._replace(is_completed=is_completed, completed_at=completed_at, last_accessed_at=now)
    progress = _save(session, snapshot, progress, unmarked_by_hand=not is_completed)
    return _update_course_progress(session, snapshot, progress, settings)


def _validate_report(position: float, played: Sequence[watched_ranges.PlayedRange]) -> None:
    validator = Validator()
    _validate_seconds(validator, "position_seconds", position)
    if len(played) > MAX_RANGES_PER_REPORT:
        message = f"A report can contain at most {MAX_RANGES_PER_REPORT} ranges. Send the others in another report."
        validator.add_error(ErrorCode.LIMIT_REACHED, message, "watched", limit=MAX_RANGES_PER_REPORT)
    for index, (start, end) in enumerate(played[:MAX_RANGES_PER_REPORT]):
        nested = validator.within("watched", str(index))
        bounds = {"start_seconds": start, "end_seconds": end}
        are_valid = [_validate_seconds(nested, name, seconds) for name, seconds in bounds.items()]
        if all(are_valid) and start > end:
            message = "The end of the range is before its start. Swap them or leave the range out."
            nested.add_error(ErrorCode.INVALID, message)
    validator.raise_errors()


def _validate_seconds(validator: Validator, name: str, seconds: float) -> bool:
    """Return whether the seconds are finite and not too many."""
    is_valid = watched_ranges.is_position(seconds)
    if not is_valid:
        minimum, maximum = watched_ranges.MIN_SECONDS, watched_ranges.MAX_SECONDS
        message = f"Use a number of seconds from {minimum:,} to {maximum:,}."
        validator.add_error(ErrorCode.OUT_OF_RANGE, message, name, limit=maximum if seconds > 0 else minimum)
    return is_valid


def _credit(
    snapshot: ProgressSnapshot, ranges: Sequence[watched_ranges.SecondsRange], now: datetime
) -> tuple[list[list[int]], datetime]:
    """Return the ranges to store, and since when credit grows. Seconds beyond the credit are cut from the ranges.

    The enrollment is locked, so reports at the same time use one credit after the other.
    """
    credit_since = snapshot.course.credit_since if snapshot.course is not None else None
    if credit_since is None:
        credit_since = watched_ranges.first_credit_since(_enrollment(snapshot).enrolled_at)
    credit = watched_ranges.available_credit(credit_since, now)
    clipped = watched_ranges.clip(ranges, _duration(snapshot))
    stored = watched_ranges.add_ranges(snapshot.ranges, clipped, credit)
    added_seconds = watched_ranges.total_seconds(stored) - watched_ranges.total_seconds(snapshot.ranges)
    return stored, watched_ranges.credit_since_after(credit_since, now, added_seconds)


def _duration(snapshot: ProgressSnapshot) -> int | None:
    """Return the lecture's duration in seconds, or None if it is a video of unknown duration."""
    return None if snapshot.type is LectureType.VIDEO and not snapshot.seconds else snapshot.seconds


def _clamp_position(snapshot: ProgressSnapshot, position: int) -> int:
    duration = _duration(snapshot)
    return max(0, position if duration is None else min(position, duration))


def _enrollment(snapshot: ProgressSnapshot) -> EnrollmentRow:
    assert snapshot.enrollment is not None, "the enrollment gives access"
    return snapshot.enrollment


def _previous_progress(snapshot: ProgressSnapshot, now: datetime) -> LectureProgressRow:
    """Return the stored progress, or empty progress with key 0 if the lecture was never opened."""
    return snapshot.progress or LectureProgressRow(0, snapshot.lecture_key, False, 0, 0, now, None, now)


def _save(
    session: Session, snapshot: ProgressSnapshot, progress: LectureProgressRow, **columns: Any
) -> LectureProgressRow:
    """Insert or update the row. The enrollment is locked, so no other transaction writes this row."""
    values = {
        "is_completed": progress.is_completed,
        "watch_time": progress.watch_seconds,
        "last_position": progress.position_seconds,
        "completed_at": progress.completed_at,
        "last_accessed": progress.last_accessed_at,
        **columns,
    }
    if progress.key:
        execute_dml(session, _UPDATE_LECTURE_PROGRESS, {"row": progress.key, **values})
        return progress
    values |= {"user_id": _enrollment(snapshot).user_key, "lecture_id": snapshot.lecture_key}
    values["started_at"] = progress.started_at
    return progress._replace(key=insert_returning_key(session, _INSERT_LECTURE_PROGRESS, values))


_INSERT_LECTURE_PROGRESS = insert(LectureProgress)
_UPDATE_LECTURE_PROGRESS = update(LectureProgress).where(LectureProgress.id == bindparam("row"))


def _update_course_progress(
    session: Session,
    snapshot: ProgressSnapshot,
    progress: LectureProgressRow,
    settings: Settings,
    new_seconds: int = 0,
    **values: Any,
) -> ProgressResult:
    """Update the progress in the course after a change in a lecture, of which `new_seconds` more were watched.

    The course is recounted only if the lecture was completed or unmarked, or if all is done in an enrollment that is
    not completed yet. The latter happens if access had ended, for example.
    """
    enrollment, course = _enrollment(snapshot), snapshot.course
    was_completed = snapshot.progress is not None and snapshot.progress.is_completed
    all_done, completed_at = course is not None and course.is_complete, None
    is_pending = all_done and enrollment.completed_at is None
    if course is None or progress.is_completed != was_completed or is_pending:
        counts, completed_at = refresh_and_complete(session, snapshot.course_key, enrollment.user_key, settings)
        all_done, new_seconds = counts.is_complete, 0  # the recount includes the new seconds
    if completed_at is not None:
        enrollment = enrollment._replace(status=EnrollmentStatus.COMPLETED, completed_at=completed_at)
    values |= _current_lecture_changes(snapshot, progress, all_done)
    row = {"user": enrollment.user_key, "course": snapshot.course_key}
    if new_seconds:
        execute_dml(session, _ADD_TO_COURSE_PROGRESS, {**row, **values, "seconds": new_seconds})
    elif values:
        execute_dml(session, _UPDATE_COURSE_PROGRESS, {**row, **values})
    return ProgressResult(progress, enrollment)


_UPDATE_COURSE_PROGRESS = update(CourseProgress).where(
    CourseProgress.user_id == bindparam("user"), CourseProgress.course_id == bindparam("course")
)
_ADD_TO_COURSE_PROGRESS = _UPDATE_COURSE_PROGRESS.values(
    total_watch_time=CourseProgress.total_watch_time + bindparam("seconds")
)


def _current_lecture_changes(
    snapshot: ProgressSnapshot, progress: LectureProgressRow, all_done: bool
) -> dict[str, int | None]:
    """Return the columns of the current lecture that change.

    It is the last lecture opened. Completing that lecture clears it, unless all is done, so that reads continue with
    the first incomplete one of the course.
    """
    opened: dict[str, int | None] = {
        "current_lecture_id": snapshot.lecture_key,
        "current_section_id": snapshot.section_key,
    }
    current = snapshot.course.current_lecture_key if snapshot.course is not None else None
    if not progress.is_completed or all_done:
        return opened if current != snapshot.lecture_key else {}
    return dict.fromkeys(opened) if current == snapshot.lecture_key else {}
