"""Progress: what someone has done of each lecture, and what that adds up to for the course."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from lms_graphql.catalog.models import LectureType
from lms_graphql.demo.courses import PlacedCourse, PlacedLecture
from lms_graphql.demo.row_buffer import RowBuffer
from lms_graphql.demo.timeline import TODAY
from lms_graphql.learning.models import CourseProgress, LectureProgress

LARGE_COURSE, MOST_LECTURES = 80, 15
"""Of a large course, someone in the middle of it has this many lectures behind them: rows are what costs time."""

SHORTEST, LONGEST = timedelta(days=5), timedelta(days=120)


class Watched(NamedTuple):
    """Stretches of seconds that neither touch nor overlap."""

    ranges: list[list[int]]

    @property
    def seconds(self) -> int:
        return sum(end - start for start, end in self.ranges)

    @property
    def position(self) -> int:
        return self.ranges[-1][1] if self.ranges else 0


class CourseTotals(NamedTuple):
    """A lecture, and when somebody was last in it."""

    lecture: PlacedLecture
    seen_at: datetime


def add_progress(
    rows: RowBuffer, user_id: int, course: PlacedCourse, enrolled_at: datetime, part: float, rng: Random
) -> list[CourseTotals]:
    """In their order; none of who has not begun."""
    done, begun = _chosen(course.lectures, part)
    touched = (*done, *begun)
    span = min(timedelta(seconds=rng.randint(_seconds(SHORTEST), _seconds(LONGEST))), TODAY - enrolled_at)
    step = span / (len(touched) + 1)
    seconds, studies = 0, list[CourseTotals]()
    for number, lecture in enumerate(touched):
        started_at = (enrolled_at + step * number).replace(microsecond=0)
        seen_at = started_at + timedelta(seconds=lecture.duration)
        studies.append(CourseTotals(lecture, seen_at))
        is_completed = number < len(done)
        seconds += _place_lecture(rows, user_id, lecture, is_completed, started_at, seen_at, rng)
    rows.add(
        CourseProgress,
        id=rows.key(CourseProgress),
        created_at=enrolled_at,
        updated_at=studies[-1].seen_at if studies else enrolled_at,
        user_id=user_id,
        course_id=course.id,
        completed_lectures=len(done),
        total_lectures=len(course.lectures),
        passed_quizzes=0,
        total_quizzes=0,  # quizzes that a lecture carries are counted with it
        total_watch_time=seconds,
        current_section_id=touched[-1].section_id if touched else None,
        current_lecture_id=touched[-1].id if touched else None,
    )
    return studies


def _place_lecture(
    rows: RowBuffer,
    user_id: int,
    lecture: PlacedLecture,
    is_completed: bool,
    started_at: datetime,
    seen_at: datetime,
    rng: Random,
) -> int:
    """The seconds watched of it."""
    watched = _watched(lecture, is_completed, rng)
    rows.add(
        LectureProgress,
        id=rows.key(LectureProgress),
        created_at=started_at,
        updated_at=seen_at,
        user_id=user_id,
        lecture_id=lecture.id,
        is_completed=is_completed,
        watched_ranges=watched.ranges,
        watch_time=watched.seconds,
        last_position=watched.position,
        started_at=started_at,
        completed_at=seen_at if is_completed else None,
        last_accessed=seen_at,
    )
    return watched.seconds


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


def _chosen(
    lectures: Sequence[PlacedLecture], part: float
) -> tuple[Sequence[PlacedLecture], Sequence[PlacedLecture]]:
    """The lectures that are done, and the one that is begun. Quizzes are taken last: passing one takes an attempt."""
    if part >= 1:
        return lectures, ()
    watchable = [lecture for lecture in lectures if lecture.kind is not LectureType.QUIZ]
    most = min(int(len(lectures) * part), len(watchable) - 1)
    if len(lectures) > LARGE_COURSE:
        most = min(most, MOST_LECTURES - 1)
    return watchable[:most], watchable[most : most + 1] if part > 0 else ()


def _watched(lecture: PlacedLecture, is_completed: bool, rng: Random) -> Watched:
    """A video counts as seen from 90 % on. What is read or written has no seconds."""
    if lecture.kind is not LectureType.VIDEO:
        return Watched([])
    length = lecture.duration
    if not is_completed:
        return Watched([[0, rng.randint(20, length // 2)]])
    if rng.random() < 0.7:
        return Watched([[0, length]])
    # Someone skipped a few seconds in the middle.
    gap = rng.randint(length // 4, length // 2)
    return Watched([[0, gap], [gap + length // 20, length]])
