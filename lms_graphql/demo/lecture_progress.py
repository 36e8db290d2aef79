"""Demo progress: what a learner has done of each lecture and quiz, and the totals of the course."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import NamedTuple

from lms_graphql.catalog.models import LectureType
from lms_graphql.demo.courses import DemoCourse, DemoLecture
from lms_graphql.demo.quiz_attempts import AttemptBuilder, Learner, TakenQuiz
from lms_graphql.demo.quizzes import DemoQuiz
from lms_graphql.demo.row_buffer import RowBuffer
from lms_graphql.demo.timeline import TODAY
from lms_graphql.learning.completion_percent import percent
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


class ProgressBuilder:
    """
    Builder of the progress of one learner in one course. `viewed` are the viewed lectures, in order. `last_change` is
    the time of the last change, or None without any.
    """

    def __init__(self, rows: RowBuffer, attempts: AttemptBuilder, learner: Learner, course: DemoCourse) -> None:
        self.viewed: list[ViewedLecture] = []
        self.last_change: datetime | None = None
        self._rows = rows
        self._attempts = attempts
        self._learner = learner
        self._course = course
        self._completed_lectures = self._passed_quizzes = self._watch_time = 0

    @property
    def percent(self) -> Decimal:
        done = self._completed_lectures + self._passed_quizzes
        return percent(done, len(self._course.lectures) + len(self._course.quizzes))

    def add(self, enrolled_at: datetime, completed_share: float, rng: Random) -> None:
        """Add the progress in lectures, attempts at quizzes, and the counters of the course."""
        done, started = _choose_lectures(self._course.lectures, completed_share)
        steps, has_completed = [*_with_quizzes(done, self._course), *started], completed_share >= 1
        study_seconds = rng.randint(_seconds(MIN_STUDY_TIME), _seconds(MAX_STUDY_TIME))
        time_per_step = min(timedelta(seconds=study_seconds), TODAY - enrolled_at) / (len(steps) + 1)
        for number, step in enumerate(steps):
            started_at = (enrolled_at + time_per_step * number).replace(microsecond=0)
            if isinstance(step, DemoQuiz):
                self._passed_quizzes += self._take_quiz(step, started_at, has_completed).passed_at is not None
            elif step.quiz is not None and number < len(steps) - len(started):
                taken = self._take_quiz(step.quiz, started_at, has_completed)
                self._add_lecture(step, started_at, taken.last_change, taken.passed_at, rng)
            else:
                viewed_at = started_at + timedelta(seconds=step.duration)
                is_completed = number < len(steps) - len(started)
                self._add_lecture(step, started_at, viewed_at, viewed_at if is_completed else None, rng)
        self._add_counters(enrolled_at)

    def _take_quiz(self, quiz: DemoQuiz, started_at: datetime, must_pass: bool) -> TakenQuiz:
        instructor_key = self._course.instructor_key
        taken = self._attempts.take_quiz(self._learner, quiz, instructor_key, started_at, must_pass)
        self._record_change(taken.last_change)
        return taken

    def _add_lecture(
        self,
        lecture: DemoLecture,
        started_at: datetime,
        last_accessed: datetime,
        completed_at: datetime | None,
        rng: Random,
    ) -> None:
        watched = _watch(lecture, completed_at is not None, rng)
        self._rows.add(
            LectureProgress,
            id=self._rows.next_key(LectureProgress),
            created_at=started_at,
            updated_at=last_accessed,
            user_id=self._learner.user_key,
            lecture_id=lecture.key,
            is_completed=completed_at is not None,
            watched_ranges=watched.ranges,
            watch_time=watched.seconds,
            last_position=watched.position,
            started_at=started_at,
            completed_at=completed_at,
            last_accessed=last_accessed,
        )
        self._completed_lectures += completed_at is not None
        self._watch_time += watched.seconds
        self.viewed.append(ViewedLecture(lecture, last_accessed))
        self._record_change(last_accessed)

    def _add_counters(self, enrolled_at: datetime) -> None:
        current = self.viewed[-1].lecture if self.viewed else None
        self._rows.add(
            CourseProgress,
            id=self._rows.next_key(CourseProgress),
            created_at=enrolled_at,
            updated_at=self.last_change or enrolled_at,
            user_id=self._learner.user_key,
            course_id=self._course.key,
            completed_lectures=self._completed_lectures,
            total_lectures=len(self._course.lectures),
            passed_quizzes=self._passed_quizzes,
            total_quizzes=len(self._course.quizzes),
            total_watch_time=self._watch_time,
            current_section_id=current.section_key if current else None,
            current_lecture_id=current.key if current else None,
        )

    def _record_change(self, time: datetime) -> None:
        self.last_change = max(self.last_change or time, time)


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())


def _choose_lectures(
    lectures: Sequence[DemoLecture], completed_share: float
) -> tuple[Sequence[DemoLecture], Sequence[DemoLecture]]:
    """Return the lectures that the learner has worked through, and the one that is started, if any."""
    if completed_share >= 1:
        return lectures, ()
    count = min(int(len(lectures) * completed_share), len(lectures) - 1)
    if len(lectures) > LARGE_COURSE_LECTURES:
        count = min(count, MAX_VIEWED_LECTURES - 1)
    return lectures[:count], lectures[count : count + 1] if completed_share > 0 else ()


def _with_quizzes(lectures: Sequence[DemoLecture], course: DemoCourse) -> list[DemoLecture | DemoQuiz]:
    """Return the lectures, and between them those course-level quizzes that the learner takes by then."""
    steps = list[DemoLecture | DemoQuiz](lectures)
    for quiz in reversed(course.quizzes):
        position = max(1, math.ceil(quiz.outline.taken_at * len(course.lectures)))
        if position <= len(lectures):
            steps.insert(position, quiz)
    return steps


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
