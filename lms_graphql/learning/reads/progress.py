"""How far someone has come in a course, and in each of its lectures."""

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
from lms_graphql.learning.models import CourseProgress, LectureProgress
from lms_graphql.learning.policies import progress_visible_to
from lms_graphql.learning.progress import percent


@with_global_id("CourseProgress")
class ProgressRow(NamedTuple):
    """`key` is the enrollment's: there is one progress for each, also before anything was done."""

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


OF_ITS_COURSE = and_(CourseProgress.user_id == Enrollment.user_id, CourseProgress.course_id == Enrollment.course_id)
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
    .outerjoin(CourseProgress, OF_ITS_COURSE)
    .where(Enrollment.id.in_(KEYS))
)
ITS_OWN = and_(LectureProgress.lecture_id == Lecture.id, LectureProgress.user_id == Enrollment.user_id)
THERE = and_(Lecture.deleted_at.is_(None), Section.deleted_at.is_(None))
IN_ORDER = (Section.order_index, Section.id, Lecture.order_index, Lecture.id)
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
LECTURES = (
    select(*LECTURE_COLUMNS)
    .join(Lecture, Lecture.id == LectureProgress.lecture_id)
    .join(Section, Section.id == Lecture.section_id)
    .where(THERE)
)
OF_VIEWER = LECTURES.join(
    Enrollment, and_(Enrollment.course_id == Lecture.course_id, Enrollment.user_id == LectureProgress.user_id)
).where(LectureProgress.user_id == VIEWER, LectureProgress.lecture_id.in_(KEYS))
OF_ENROLLMENTS = (
    LECTURES.add_columns(Enrollment.id)
    .join(Enrollment, and_(Enrollment.course_id == Lecture.course_id, Enrollment.user_id == LectureProgress.user_id))
    .where(Enrollment.id.in_(KEYS))
    .order_by(Enrollment.id, *IN_ORDER)
)


def progress_by_enrollment(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, ProgressRow]:
    rows = fetch_rows(session, PROGRESS, {"keys": keys})
    found = {row[0]: ProgressRow._make(row[:-1]) for row in rows}
    not_begun = {row[0]: row[-1] for row in rows if row[-1] is not None}
    if not_begun:  # nothing is kept of them, so what is required is asked for
        quizzes = course_level_quizzes_by_course(session, sorted(set(not_begun.values())))
        for key, course in not_begun.items():
            found[key] = found[key]._replace(total_quizzes=len(quizzes.get(course, ())))
    return found


def course_level_quizzes_by_course(session: Session, course_keys: Sequence[int]) -> dict[int, list[int]]:
    """The keys of published quizzes that no lecture carries, by course."""
    found: dict[int, list[int]] = {}
    for fill in hooks.course_level_quizzes:
        for course, quizzes in fill(session, course_keys).items():
            found.setdefault(course, []).extend(quizzes)
    return found


def lectures_by_enrollment(
    session: Session, actor: Actor, keys: Sequence[int]
) -> dict[int, list[LectureProgressRow]]:
    """Of the lectures that were opened, in the course's order."""
    rows = fetch_rows(session, OF_ENROLLMENTS, {"keys": keys})
    return group_rows(rows, lambda row: LectureProgressRow._make(row[:-1]), by=-1)


def viewer_progress_by_lecture(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, LectureProgressRow]:
    """The viewer's own, whatever has become of their access."""
    rows = fetch_rows(session, OF_VIEWER, {**actor.bind_params, "keys": keys})
    return {row[1]: LectureProgressRow._make(row) for row in rows}


@cache
def _going_on() -> RowSelect:
    """
    (enrollment, lecture): the one that was opened last, where it is still there; else the first in the course's order
    that is not completed. In one statement, so that a page of enrollments loads all these lectures together.
    """
    there = select(Lecture.id).join(Section, Section.id == Lecture.section_id).where(THERE)
    opened = there.where(Lecture.id == CourseProgress.current_lecture_id).correlate(CourseProgress)
    undone = (
        there.outerjoin(LectureProgress, ITS_OWN)
        .where(Lecture.course_id == Enrollment.course_id)
        .where(or_(LectureProgress.id.is_(None), LectureProgress.is_completed.is_(False)))
        .order_by(*IN_ORDER)
        .limit(1)
        .correlate(Enrollment)
    )
    lecture = func.coalesce(opened.scalar_subquery(), undone.scalar_subquery())
    return select(Enrollment.id, lecture).outerjoin(CourseProgress, OF_ITS_COURSE).where(Enrollment.id.in_(KEYS))


def current_lectures_by_enrollment(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, int]:
    """The key of the lecture to go on with, where there is one left."""
    found = fetch_rows(session, _going_on(), {"keys": keys})
    return {enrollment: lecture for enrollment, lecture in found if lecture is not None}


@cache
def _lectures_by_key(scope: AccessLevel) -> RowSelect:
    seen = LECTURES.join(Course, Course.id == Lecture.course_id).where(progress_visible_to(scope))
    return seen.where(LectureProgress.id.in_(KEYS))


def lecture_progress_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, LectureProgressRow]:
    rows = fetch_rows(session, _lectures_by_key(actor.access_level), {**actor.bind_params, "keys": keys})
    return {row[0]: LectureProgressRow._make(row) for row in rows}
