"""Statistics computed from the rows as they are now: for the refresh, and for what it has not stored yet."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, ColumnElement, SQLColumnExpression, and_, case, cast, distinct, func, select
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Course, Enrollment, EnrollmentStatus, Lecture
from lms_graphql.catalog.policies import grants_access
from lms_graphql.core.statements import KEYS, fetch_rows, group_rows
from lms_graphql.learning.completion_percent import percent_hundredths_sql
from lms_graphql.learning.enrollment_status import has_completed, has_status
from lms_graphql.learning.models import CourseProgress, LectureProgress


class CourseStatistics(NamedTuple):
    """The statistics of a course over all its enrollments. `percent_total` is in hundredths of a percent."""

    enrollment_count: int = 0
    active_count: int = 0
    completion_count: int = 0
    percent_total: int = 0


class LectureStatistics(NamedTuple):
    """The statistics of a lecture that at least one learner has opened."""

    lecture_key: int
    started_count: int
    completed_count: int
    watch_total: int


class InstructorStatistics(NamedTuple):
    """The distinct learners with access to any of an instructor's courses, and the completions of all of them."""

    learner_count: int = 0
    completion_count: int = 0


def _integer_sum(values: SQLColumnExpression[int]) -> ColumnElement[int]:
    """Return the sum as an integer, because MariaDB's SUM returns a decimal. The sum of no rows is 0."""
    return cast(func.coalesce(func.sum(values), 0), BigInteger)


def _count_if(condition: SQLColumnExpression[bool]) -> ColumnElement[int]:
    return _integer_sum(case((condition, 1), else_=0))


COURSE_STATISTICS = (
    select(
        Enrollment.course_id,
        func.count(),
        _count_if(has_status(EnrollmentStatus.ACTIVE)),
        _count_if(has_completed()),
        _integer_sum(
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
LECTURE_STATISTICS = (
    select(
        Lecture.course_id.label("course_id"),
        Lecture.id.label("lecture_id"),
        func.count().label("started_count"),
        _count_if(LectureProgress.is_completed).label("completed_count"),
        _integer_sum(LectureProgress.watch_time).label("watch_total"),
    )
    .join(LectureProgress, LectureProgress.lecture_id == Lecture.id)
    .where(Lecture.course_id.in_(KEYS), Lecture.deleted_at.is_(None))
    .group_by(Lecture.course_id, Lecture.id)
)
INSTRUCTOR_STATISTICS = (
    select(
        Course.instructor_id,
        func.count(distinct(case((grants_access(), Enrollment.user_id)))),
        _count_if(has_completed()),
    )
    .join(Enrollment, Enrollment.course_id == Course.id)
    .where(Course.instructor_id.in_(KEYS))
    .group_by(Course.instructor_id)
)


def compute_course_statistics(session: Session, keys: Sequence[int], now: datetime) -> dict[int, CourseStatistics]:
    """Return the statistics of each course. A course without enrollments gets zeros."""
    rows = fetch_rows(session, COURSE_STATISTICS, {"keys": keys, "now": now})
    computed = {row[0]: CourseStatistics._make(row[1:]) for row in rows}
    return {key: computed.get(key, CourseStatistics()) for key in keys}


def compute_lecture_statistics(
    session: Session, keys: Sequence[int], now: datetime
) -> dict[int, list[LectureStatistics]]:
    """Return the statistics of the lectures of each course. A lecture that was never opened is left out."""
    rows = fetch_rows(session, LECTURE_STATISTICS, {"keys": keys})
    return group_rows(rows, lambda row: LectureStatistics._make(row[1:]), by=0)


def compute_instructor_statistics(
    session: Session, keys: Sequence[int], now: datetime
) -> dict[int, InstructorStatistics]:
    """Return the statistics of each instructor. An instructor without enrollments gets zeros."""
    rows = fetch_rows(session, INSTRUCTOR_STATISTICS, {"keys": keys, "now": now})
    computed = {row[0]: InstructorStatistics._make(row[1:]) for row in rows}
    return {key: computed.get(key, InstructorStatistics()) for key in keys}
