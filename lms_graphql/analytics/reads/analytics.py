"""Courses' and instructors' figures as they are shown: those that are kept, and counted now where none are."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, FromClause, and_, cast, func, select
from sqlalchemy.orm import Session

from lms_graphql.analytics.models import CourseAnalytics, InstructorAnalytics, LectureAnalytics
from lms_graphql.analytics.reads.live_analytics import (
    OF_LECTURES,
    compute_course_statistics,
    compute_instructor_statistics,
)
from lms_graphql.catalog.models import Course, Lecture, Section
from lms_graphql.core import clock
from lms_graphql.core.actor import Actor
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.named_locks import NamedLock
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows, group_rows
from lms_graphql.learning.progress import rounded_mean

ANALYTICS_WATERMARK = "figures"
"""The turn that tells up to when every change is in what is kept."""


@with_global_id("CourseAnalytics")
class AnalyticsRow(NamedTuple):
    """`key` is the course's. `is_stored`: its other figures are kept, too."""

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
    """`key` is the instructor's."""

    key: int
    course_count: int
    enrollment_count: int
    learner_count: int
    completion_count: int


STORED = select(
    CourseAnalytics.course_id,
    CourseAnalytics.as_of,
    select(NamedLock.taken_at).where(NamedLock.name == ANALYTICS_WATERMARK).scalar_subquery(),
    CourseAnalytics.enrollment_count,
    CourseAnalytics.active_count,
    CourseAnalytics.completion_count,
    CourseAnalytics.percent_total,
).where(CourseAnalytics.course_id.in_(KEYS))
TEACHING = (
    select(
        Course.instructor_id,
        func.count(),
        cast(func.sum(Course.enrollment_count), BigInteger),
        func.max(InstructorAnalytics.learner_count),  # of the one row that there is
        func.max(InstructorAnalytics.completion_count),
    )
    .outerjoin(InstructorAnalytics, InstructorAnalytics.instructor_id == Course.instructor_id)
    .where(Course.instructor_id.in_(KEYS))
    .group_by(Course.instructor_id)
)


def _lectures(figures: FromClause) -> RowSelect:
    """Every lecture of the courses, in their order, also those that nobody has opened."""
    columns = figures.c
    return (
        select(
            Lecture.course_id,
            Lecture.id,
            func.coalesce(columns.started_count, 0),
            func.coalesce(columns.completed_count, 0),
            func.coalesce(columns.watch_total, 0),
        )
        .join(Section, Section.id == Lecture.section_id)
        .outerjoin(figures, and_(columns.lecture_id == Lecture.id, columns.course_id == Lecture.course_id))
        .where(Lecture.course_id.in_(KEYS), Lecture.deleted_at.is_(None), Section.deleted_at.is_(None))
        .order_by(Lecture.course_id, Section.order_index, Section.id, Lecture.order_index, Lecture.id)
    )


STORED_LECTURES = _lectures(LectureAnalytics.__table__)
LIVE_LECTURES = _lectures(OF_LECTURES.subquery())


def analytics_by_course(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, AnalyticsRow]:
    found: dict[int, AnalyticsRow] = {}
    for key, as_of, reached, *counts in fetch_rows(session, STORED, {"keys": keys}):
        # Whatever changed before the roll-up's last round would have been counted by it.
        found[key] = AnalyticsRow(key, True, max(as_of, reached or as_of), *counts)
    now = clock.now()
    if missing := [key for key in keys if key not in found]:
        counted = compute_course_statistics(session, missing, now)
        found |= {key: AnalyticsRow(key, False, now, *figures) for key, figures in counted.items()}
    return found


def stored_lectures_by_course(
    session: Session, actor: Actor, keys: Sequence[int]
) -> dict[int, list[LectureAnalyticsRow]]:
    return group_rows(fetch_rows(session, STORED_LECTURES, {"keys": keys}), _make_lecture, by=0)


def live_lectures_by_course(
    session: Session, actor: Actor, keys: Sequence[int]
) -> dict[int, list[LectureAnalyticsRow]]:
    return group_rows(fetch_rows(session, LIVE_LECTURES, {"keys": keys}), _make_lecture, by=0)


def dashboards_by_user(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, DashboardRow]:
    """Courses and enrollments as they are now; distinct people and completions as they were counted last."""
    found = {key: DashboardRow(key, 0, 0, 0, 0) for key in keys}
    uncounted = []
    for row in fetch_rows(session, TEACHING, {"keys": keys}):
        found[row[0]] = DashboardRow._make(row)
        if row[3] is None:
            uncounted.append(row[0])
    if uncounted:
        for key, figures in compute_instructor_statistics(session, uncounted, clock.now()).items():
            found[key] = found[key]._replace(**figures._asdict())
    return found


def _make_lecture(row: Any) -> LectureAnalyticsRow:
    return LectureAnalyticsRow._make(row[1:])
