"""Figures for instructors, worked out from what is there: for the roll-up, and for what it has not reached yet."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, ColumnElement, SQLColumnExpression, and_, case, cast, distinct, func, select
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Course, Enrollment, EnrollmentStatus, Lecture
from lms_graphql.catalog.policies import grants_access
from lms_graphql.core.statements import KEYS, fetch_rows, group_rows
from lms_graphql.learning.enrollment_status import has_completed, has_status
from lms_graphql.learning.models import CourseProgress, LectureProgress
from lms_graphql.learning.progress import percent_hundredths_sql


class CourseStatistics(NamedTuple):
    """`percent_total` adds up hundredths of a percent, of everybody who has ever enrolled."""

    enrollment_count: int = 0
    active_count: int = 0
    completion_count: int = 0
    percent_total: int = 0


class LectureStatistics(NamedTuple):
    """Of a lecture that somebody has opened."""

    lecture_key: int
    started_count: int
    completed_count: int
    watch_total: int


class InstructorStatistics(NamedTuple):
    """Of an instructor: people with access to any of their courses, and completions of all of them."""

    learner_count: int = 0
    completion_count: int = 0


def _whole(sum_of: SQLColumnExpression[int]) -> ColumnElement[int]:
    """MariaDB's sums are decimals."""
    return cast(func.coalesce(func.sum(sum_of), 0), BigInteger)


def _number(clause: SQLColumnExpression[bool]) -> ColumnElement[int]:
    return _whole(case((clause, 1), else_=0))


OF_COURSES = (
    select(
        Enrollment.course_id,
        func.count(),
        _number(has_status(EnrollmentStatus.ACTIVE)),
        _number(has_completed()),
        _whole(
            percent_hundredths_sql(
                CourseProgress.completed_lectures + CourseProgress.passed_quizzes,
                CourseProgress.total_lectures + CourseProgress.total_quizzes,
            )
        ),
    )
    .outerjoin(
        CourseProgress,
        and_(CourseProgress.user_id == Enrollment.user_id, CourseProgress.course_id == Enrollment.course_id),
    )
    .where(Enrollment.course_id.in_(KEYS))
    .group_by(Enrollment.course_id)
)
OF_LECTURES = (
    select(
        Lecture.course_id.label("course_id"),
        Lecture.id.label("lecture_id"),
        func.count().label("started_count"),
        _number(LectureProgress.is_completed).label("completed_count"),
        _whole(LectureProgress.watch_time).label("watch_total"),
    )
    .join(LectureProgress, LectureProgress.lecture_id == Lecture.id)
    .where(Lecture.course_id.in_(KEYS), Lecture.deleted_at.is_(None))
    .group_by(Lecture.course_id, Lecture.id)
)
OF_INSTRUCTORS = (
    select(
        Course.instructor_id,
        func.count(distinct(case((grants_access(), Enrollment.user_id)))),
        _number(has_completed()),
    )
    .join(Enrollment, Enrollment.course_id == Course.id)
    .where(Course.instructor_id.in_(KEYS))
    .group_by(Course.instructor_id)
)


def compute_course_statistics(session: Session, keys: Sequence[int], now: datetime) -> dict[int, CourseStatistics]:
    """Of all of these courses: noughts where nobody has enrolled."""
    found = {
        row[0]: CourseStatistics._make(row[1:]) for row in fetch_rows(session, OF_COURSES, {"keys": keys, "now": now})
    }
    return {key: found.get(key, CourseStatistics()) for key in keys}


def compute_lecture_statistics(
    session: Session, keys: Sequence[int], now: datetime
) -> dict[int, list[LectureStatistics]]:
    """By course."""
    return group_rows(
        fetch_rows(session, OF_LECTURES, {"keys": keys}), lambda row: LectureStatistics._make(row[1:]), by=0
    )


def compute_instructor_statistics(
    session: Session, keys: Sequence[int], now: datetime
) -> dict[int, InstructorStatistics]:
    rows = fetch_rows(session, OF_INSTRUCTORS, {"keys": keys, "now": now})
    found = {row[0]: InstructorStatistics._make(row[1:]) for row in rows}
    return {key: found.get(key, InstructorStatistics()) for key in keys}
