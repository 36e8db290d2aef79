"""Statistics of courses, lectures and instructors as they are served: stored, or computed live if none are stored."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, FromClause, and_, cast, func, select
from sqlalchemy.orm import Session

from lms_graphql.analytics.models import CourseAnalytics, InstructorAnalytics, LectureAnalytics
from lms_graphql.analytics.reads.live_analytics import (
    LECTURE_STATISTICS,
    compute_course_statistics,
    compute_instructor_statistics,
)
from lms_graphql.catalog.models import Course, Lecture, Section
from lms_graphql.core import clock
from lms_graphql.core.actor import Actor
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.named_locks import NamedLock
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows, group_rows
from lms_graphql.learning.completion_percent import rounded_mean

ANALYTICS_WATERMARK = "figures"
"""Name of the watermark of the stored statistics. Changes committed before this instant are counted, except a change
whose commit came more than `COMMIT_LAG` after it."""


@with_global_id("CourseAnalytics")
class AnalyticsRow(NamedTuple):
    """The statistics of a course. `key` is the course's key.

    If `is_stored`, the statistics of its lectures and its revenue are stored, too.
    """

    key: int
    is_stored: bool
    as_of: datetime
    enrollment_count: int
    active_count: int
    completion_count: int
    percent_total: int

    @property
    def average_progress_percent(self) -> float:
        return rounded_mean(Decimal(self.percent_total).scaleb(-2), self.enrollment_count)


class LectureAnalyticsRow(NamedTuple):
    lecture_key: int
    started_count: int
    completed_count: int
    watch_total: int

    @property
    def average_watch_seconds(self) -> float:
        return rounded_mean(self.watch_total, self.started_count)


@with_global_id("InstructorDashboard")
class DashboardRow(NamedTuple):
    """The dashboard of an instructor. `key` is the instructor's key."""

    key: int
    course_count: int
    enrollment_count: int
    learner_count: int
    completion_count: int


STORED_COURSES = select(
    CourseAnalytics.course_id,
    CourseAnalytics.as_of,
    select(NamedLock.taken_at).where(NamedLock.name == ANALYTICS_WATERMARK).scalar_subquery(),
    CourseAnalytics.enrollment_count,
    CourseAnalytics.active_count,
    CourseAnalytics.completion_count,
    CourseAnalytics.percent_total,
).where(CourseAnalytics.course_id.in_(KEYS))
DASHBOARDS = (
    select(
        Course.instructor_id,
        func.count(),
        cast(func.sum(Course.enrollment_count), BigInteger),
        # An aggregate only because of GROUP BY: an instructor has one row at most.
        func.max(InstructorAnalytics.learner_count),
        func.max(InstructorAnalytics.completion_count),
    )
    .outerjoin(InstructorAnalytics, InstructorAnalytics.instructor_id == Course.instructor_id)
    .where(Course.instructor_id.in_(KEYS))
    .group_by(Course.instructor_id)
)


def _all_lectures(statistics: FromClause) -> RowSelect:
    """Return a SELECT of all lectures of the courses, in order. A lecture that was never opened gets zeros."""
    columns = statistics.c
    return (
        select(
            Lecture.course_id,
            Lecture.id,
            func.coalesce(columns.started_count, 0),
            func.coalesce(columns.completed_count, 0),
            func.coalesce(columns.watch_total, 0),
        )
        .join(Section, Section.id == Lecture.section_id)
        .outerjoin(statistics, and_(columns.lecture_id == Lecture.id, columns.course_id == Lecture.course_id))
        .where(Lecture.course_id.in_(KEYS), Lecture.deleted_at.is_(None), Section.deleted_at.is_(None))
        .order_by(Lecture.course_id, Section.order_index, Section.id, Lecture.order_index, Lecture.id)
    )


STORED_LECTURES = _all_lectures(LectureAnalytics.__table__)
LIVE_LECTURES = _all_lectures(LECTURE_STATISTICS.subquery())


def analytics_by_course(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, AnalyticsRow]:
    """Return the stored statistics of each course, computed live for courses that have none."""
    analytics: dict[int, AnalyticsRow] = {}
    for key, as_of, watermark, *counts in fetch_rows(session, STORED_COURSES, {"keys": keys}):
        # A course that had changed before the watermark would have been refreshed, so its statistics still hold.
        analytics[key] = AnalyticsRow(key, True, max(as_of, watermark or as_of), *counts)
    now = clock.now()
    if missing := [key for key in keys if key not in analytics]:
        computed = compute_course_statistics(session, missing, now)
        analytics |= {key: AnalyticsRow(key, False, now, *statistics) for key, statistics in computed.items()}
    return analytics


def stored_lectures_by_course(
    session: Session, actor: Actor, keys: Sequence[int]
) -> dict[int, list[LectureAnalyticsRow]]:
    return group_rows(fetch_rows(session, STORED_LECTURES, {"keys": keys}), _to_lecture_row, by=0)


def live_lectures_by_course(
    session: Session, actor: Actor, keys: Sequence[int]
) -> dict[int, list[LectureAnalyticsRow]]:
    return group_rows(fetch_rows(session, LIVE_LECTURES, {"keys": keys}), _to_lecture_row, by=0)


def dashboards_by_user(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, DashboardRow]:
    """Return the dashboard of each user.

    Courses and enrollments are counted now. Learners and completions are the stored ones, or computed live if none
    are stored. A user without courses gets zeros.
    """
    dashboards = {key: DashboardRow(key, 0, 0, 0, 0) for key in keys}
    rows = fetch_rows(session, DASHBOARDS, {"keys": keys})
    dashboards |= {row[0]: DashboardRow._make(row) for row in rows}
    missing = [key for key, *_, learner_count, _ in rows if learner_count is None]
    if missing:
        for key, statistics in compute_instructor_statistics(session, missing, clock.now()).items():
            dashboards[key] = dashboards[key]._replace(**statistics._asdict())
    return dashboards


def _to_lecture_row(row: Any) -> LectureAnalyticsRow:
    return LectureAnalyticsRow._make(row[1:])
