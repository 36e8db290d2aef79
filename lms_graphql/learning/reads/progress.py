"""Reads of progress: in courses and in lectures."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Course, Enrollment, Lecture, Section
from lms_graphql.core.actor import VIEWER, AccessLevel, Actor
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows, group_rows
from lms_graphql.learning import hooks
from lms_graphql.learning.completion_percent import percent
from lms_graphql.learning.models import CourseProgress, LectureProgress
from lms_graphql.learning.policies import progress_visible_to


@with_global_id("CourseProgress")
class ProgressRow(NamedTuple):
    """Progress of an enrollment, also before anything was done. `key` is the key of the enrollment."""

    key: int
    completed_lectures: int
    total_lectures: int
    passed_quizzes: int
    total_quizzes: int
    watch_seconds: int
    updated_at: datetime

    @property
    def percent(self) -> float:
        done, required = self.completed_lectures + self.passed_quizzes, self.total_lectures + self.total_quizzes
        return float(percent(done, required))


@with_global_id("LectureProgress")
class LectureProgressRow(NamedTuple):
    key: int
    lecture_key: int
    is_completed: bool
    watch_seconds: int
    position_seconds: int
    started_at: datetime
    completed_at: datetime | None
    last_accessed_at: datetime


IS_COURSE_PROGRESS_OF_ENROLLMENT = and_(
    CourseProgress.user_id == Enrollment.user_id, CourseProgress.course_id == Enrollment.course_id
)
PROGRESS = (
    select(
        Enrollment.id,
        func.coalesce(CourseProgress.completed_lectures, 0),
        func.coalesce(CourseProgress.total_lectures, Course.total_lectures),
        func.coalesce(CourseProgress.passed_quizzes, 0),
        func.coalesce(CourseProgress.total_quizzes, 0),
        func.coalesce(CourseProgress.total_watch_time, 0),
        func.coalesce(CourseProgress.updated_at, Enrollment.enrolled_at),
        case((CourseProgress.id.is_(None), Enrollment.course_id)),
    )
    .join(Course, Course.id == Enrollment.course_id)
    .outerjoin(CourseProgress, IS_COURSE_PROGRESS_OF_ENROLLMENT)
    .where(Enrollment.id.in_(KEYS))
)
IS_LECTURE_PROGRESS_OF_ENROLLMENT = and_(
    LectureProgress.lecture_id == Lecture.id, LectureProgress.user_id == Enrollment.user_id
)
LECTURE_EXISTS = and_(Lecture.deleted_at.is_(None), Section.deleted_at.is_(None))
CURRICULUM_ORDER = (Section.order_index, Section.id, Lecture.order_index, Lecture.id)
LECTURE_COLUMNS = (
    LectureProgress.id,
    LectureProgress.lecture_id,
    LectureProgress.is_completed,
    LectureProgress.watch_time,
    LectureProgress.last_position,
    LectureProgress.started_at,
    LectureProgress.completed_at,
    LectureProgress.last_accessed,
)
LECTURE_PROGRESS = (
    select(*LECTURE_COLUMNS)
    .join(Lecture, Lecture.id == LectureProgress.lecture_id)
    .join(Section, Section.id == Lecture.section_id)
    .where(LECTURE_EXISTS)
)
LECTURE_PROGRESS_OF_VIEWER = LECTURE_PROGRESS.join(
    Enrollment, and_(Enrollment.course_id == Lecture.course_id, Enrollment.user_id == LectureProgress.user_id)
).where(LectureProgress.user_id == VIEWER, LectureProgress.lecture_id.in_(KEYS))
LECTURE_PROGRESS_OF_ENROLLMENTS = (
    LECTURE_PROGRESS.add_columns(Enrollment.id)
    .join(Enrollment, and_(Enrollment.course_id == Lecture.course_id, Enrollment.user_id == LectureProgress.user_id))
    .where(Enrollment.id.in_(KEYS))
    .order_by(Enrollment.id, *CURRICULUM_ORDER)
)


def progress_by_enrollment(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, ProgressRow]:
    rows = fetch_rows(session, PROGRESS, {"keys": keys})
    progress = {row[0]: ProgressRow._make(row[:-1]) for row in rows}
    courses_without_row = {row[0]: row[-1] for row in rows if row[-1] is not None}
    if courses_without_row:  # no counts are stored for these enrollments, so the required quizzes are counted here
        quizzes = course_level_quizzes_by_course(session, sorted(set(courses_without_row.values())))
        for key, course_key in courses_without_row.items():
            progress[key] = progress[key]._replace(total_quizzes=len(quizzes.get(course_key, ())))
    return progress


def course_level_quizzes_by_course(session: Session, course_keys: Sequence[int]) -> dict[int, list[int]]:
    """Return the keys of published quizzes that belong to no lecture, by course."""
    quizzes: dict[int, list[int]] = {}
    for find_quizzes in hooks.course_level_quizzes:
        for course_key, quiz_keys in find_quizzes(session, course_keys).items():
            quizzes.setdefault(course_key, []).extend(quiz_keys)
    return quizzes


def lectures_by_enrollment(
    session: Session, actor: Actor, keys: Sequence[int]
) -> dict[int, list[LectureProgressRow]]:
    """Return progress in the lectures that were opened, in the order of the course."""
    rows = fetch_rows(session, LECTURE_PROGRESS_OF_ENROLLMENTS, {"keys": keys})
    return group_rows(rows, lambda row: LectureProgressRow._make(row[:-1]), by=-1)


def viewer_progress_by_lecture(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, LectureProgressRow]:
    """Return the viewer's progress in lectures. It needs an enrollment, but no access."""
    rows = fetch_rows(session, LECTURE_PROGRESS_OF_VIEWER, {**actor.bind_params, "keys": keys})
    return {row[1]: LectureProgressRow._make(row) for row in rows}


@cache
def _current_lectures() -> RowSelect:
    """Return a statement with the columns (enrollment, lecture).

    The lecture is the one opened last, if it still exists. Otherwise it is the first incomplete one in the order of
    the course. It is one statement, so that a page of enrollments loads all these lectures together.
    """
    lectures = select(Lecture.id).join(Section, Section.id == Lecture.section_id).where(LECTURE_EXISTS)
    opened = lectures.where(Lecture.id == CourseProgress.current_lecture_id).correlate(CourseProgress)
    incomplete = (
        lectures.outerjoin(LectureProgress, IS_LECTURE_PROGRESS_OF_ENROLLMENT)
        .where(Lecture.course_id == Enrollment.course_id)
        .where(or_(LectureProgress.id.is_(None), LectureProgress.is_completed.is_(False)))
        .order_by(*CURRICULUM_ORDER)
        .limit(1)
        .correlate(Enrollment)
    )
    lecture = func.coalesce(opened.scalar_subquery(), incomplete.scalar_subquery())
    rows = select(Enrollment.id, lecture).outerjoin(CourseProgress, IS_COURSE_PROGRESS_OF_ENROLLMENT)
    return rows.where(Enrollment.id.in_(KEYS))


def current_lectures_by_enrollment(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, int]:
    """Return the key of the lecture to continue with, for each enrollment that has one."""
    rows = fetch_rows(session, _current_lectures(), {"keys": keys})
    return {enrollment: lecture for enrollment, lecture in rows if lecture is not None}


@cache
def _lecture_progress_by_key(access_level: AccessLevel) -> RowSelect:
    rows = LECTURE_PROGRESS.join(Course, Course.id == Lecture.course_id)
    return rows.where(LectureProgress.id.in_(KEYS), progress_visible_to(access_level))


def lecture_progress_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, LectureProgressRow]:
    rows = fetch_rows(session, _lecture_progress_by_key(actor.access_level), {**actor.bind_params, "keys": keys})
    return {row[0]: LectureProgressRow._make(row) for row in rows}
