"""Demo progress: what a learner has done of each lecture, and the totals of the course."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from lms_graphql.catalog.models import LectureType
from lms_graphql.demo.courses import DemoCourse, DemoLecture
from lms_graphql.demo.row_buffer import RowBuffer
from lms_graphql.demo.timeline import TODAY
from lms_graphql.learning.models import CourseProgress, LectureProgress

LARGE_COURSE_LECTURES, MAX_VIEWED_LECTURES = 80, 15
"""In a course of more than 80 lectures, an unfinished learner has viewed at most 15, because rows cost time."""

MIN_STUDY_TIME, MAX_STUDY_TIME = timedelta(days=5), timedelta(days=120)
"""Time from the enrollment to the last access."""


class WatchedRanges(NamedTuple):
    """Watched ranges of a video, in seconds. They neither touch nor overlap."""

    ranges: list[list[int]]

    @property
    def seconds(self) -> int:
        return sum(end - start for start, end in self.ranges)

    @property
    def position(self) -> int:
        return self.ranges[-1][1] if self.ranges else 0


class ViewedLecture(NamedTuple):
    """Lecture with the time of the learner's last access."""

    lecture: DemoLecture
    last_accessed: datetime


def add_progress(
    rows: RowBuffer, user_key: int, course: DemoCourse, enrolled_at: datetime, completed_share: float, rng: Random
) -> list[ViewedLecture]:
    """Add the progress of an enrollment. Return the viewed lectures in order."""
    completed, started = _choose_lectures(course.lectures, completed_share)
    lectures = (*completed, *started)
    study_seconds = rng.randint(_seconds(MIN_STUDY_TIME), _seconds(MAX_STUDY_TIME))
    study_time = min(timedelta(seconds=study_seconds), TODAY - enrolled_at)
    time_per_lecture = study_time / (len(lectures) + 1)
    watch_time, viewed = 0, list[ViewedLecture]()
    for number, lecture in enumerate(lectures):
        started_at = (enrolled_at + time_per_lecture * number).replace(microsecond=0)
        last_accessed = started_at + timedelta(seconds=lecture.duration)
        viewed.append(ViewedLecture(lecture, last_accessed))
        is_completed = number < len(completed)
        watch_time += _add_lecture_progress(rows, user_key, lecture, is_completed, started_at, last_accessed, rng)
    rows.add(
        CourseProgress,
        id=rows.next_key(CourseProgress),
        created_at=enrolled_at,
        updated_at=viewed[-1].last_accessed if viewed else enrolled_at,
        user_id=user_key,
        course_id=course.key,
        completed_lectures=len(completed),
        total_lectures=len(course.lectures),
        passed_quizzes=0,
        total_quizzes=0,  # lecture quizzes are counted with their lectures, and the demo has no others
        total_watch_time=watch_time,
        current_section_id=lectures[-1].section_key if lectures else None,
        current_lecture_id=lectures[-1].key if lectures else None,
    )
    return viewed


def _add_lecture_progress(
    rows: RowBuffer,
    user_key: int,
    lecture: DemoLecture,
    is_completed: bool,
    started_at: datetime,
    last_accessed: datetime,
    rng: Random,
) -> int:
    """Add the progress in one lecture and return the seconds watched."""
    watched = _watch(lecture, is_completed, rng)
    rows.add(
        LectureProgress,
        id=rows.next_key(LectureProgress),
        created_at=started_at,
        updated_at=last_accessed,
        user_id=user_key,
        lecture_id=lecture.key,
        is_completed=is_completed,
        watched_ranges=watched.ranges,
        watch_time=watched.seconds,
        last_position=watched.position,
        started_at=started_at,
        completed_at=last_accessed if is_completed else None,
        last_accessed=last_accessed,
    )
    return watched.seconds


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())


def _choose_lectures(
    lectures: Sequence[DemoLecture], completed_share: float
) -> tuple[Sequence[DemoLecture], Sequence[DemoLecture]]:
    """
    Return the completed lectures, and the one that is started, if any. Quiz lectures are completed only with the
    whole course, because passing a quiz would take an attempt.
    """
    if completed_share >= 1:
        return lectures, ()
    without_quizzes = [lecture for lecture in lectures if lecture.kind is not LectureType.QUIZ]
    count = min(int(len(lectures) * completed_share), len(without_quizzes) - 1)
    if len(lectures) > LARGE_COURSE_LECTURES:
        count = min(count, MAX_VIEWED_LECTURES - 1)
    return without_quizzes[:count], without_quizzes[count : count + 1] if completed_share > 0 else ()


def _watch(lecture: DemoLecture, is_completed: bool, rng: Random) -> WatchedRanges:
    """Return watched ranges. A completed video is watched to 90 % at least. Other types have no ranges."""
    if lecture.kind is not LectureType.VIDEO:
        return WatchedRanges([])
    duration = lecture.duration
    if not is_completed:
        return WatchedRanges([[0, rng.randint(20, duration // 2)]])
    if rng.random() < 0.7:
        return WatchedRanges([[0, duration]])
    # The learner skipped a few seconds in the middle.
    gap_start = rng.randint(duration // 4, duration // 2)
    return WatchedRanges([[0, gap_start], [gap_start + duration // 20, duration]])
