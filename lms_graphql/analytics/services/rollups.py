"""Learning's own roll-ups: what is counted of a course's enrollments and of its lectures, and kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from lms_graphql.analytics.models import CourseAnalytics, CourseRevenue, LectureAnalytics
from lms_graphql.analytics.reads.live_analytics import (
    CourseStatistics,
    LectureStatistics,
    compute_course_statistics,
    compute_lecture_statistics,
)
from lms_graphql.analytics.reads.revenue import stored_revenue
from lms_graphql.billing.models import Transaction
from lms_graphql.billing.reads.revenue import Revenue, compute_revenue
from lms_graphql.catalog.models import Enrollment, Lecture
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows, group_rows
from lms_graphql.learning.enrollment_status import ACCESS_STATUSES
from lms_graphql.learning.models import CourseProgress, LectureProgress


@dataclass(frozen=True, slots=True)
class AnalyticsRollup:
    """Figures that are kept for each course, because to count takes long."""

    changed: Callable[[datetime, datetime], Sequence[RowSelect]]
    """Statements for the keys of courses to which something happened between these two; quick ones, by an index."""
    count: Callable[[Session, Sequence[int], datetime], Mapping[int, Any]]
    """Works the figures of these courses out, as they are at that instant. A course without any may be left out."""
    stored: Callable[[Session, Sequence[int]], Mapping[int, Any]]
    """What is kept of them, in the form that `count` gives."""
    store: Callable[[Session, Sequence[int], Mapping[int, Any]], None]
    """Writes what was counted in place of what is kept of these courses."""


COURSES = cast("Table", CourseAnalytics.__table__)


def _enrollments_changed(since: datetime, until: datetime) -> list[RowSelect]:
    """Access that runs out changes no row."""
    ran_out = (Enrollment.status.in_(ACCESS_STATUSES), Enrollment.access_expires_at.between(since, until))
    return [
        select(Enrollment.course_id).where(Enrollment.updated_at >= since),
        select(Enrollment.course_id).where(*ran_out),
        select(CourseProgress.course_id).where(CourseProgress.updated_at >= since),
    ]


def _kept_of_courses(session: Session, keys: Sequence[int]) -> dict[int, CourseStatistics]:
    columns = (COURSES.c[name] for name in ("course_id", *CourseStatistics._fields))
    rows = fetch_rows(session, select(*columns).where(COURSES.c.course_id.in_(KEYS)), {"keys": keys})
    return {row[0]: CourseStatistics._make(row[1:]) for row in rows}


def _keep_courses(session: Session, keys: Sequence[int], counted: Mapping[int, CourseStatistics]) -> None:
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in CourseStatistics._fields}
    statement = update(COURSES).where(COURSES.c.course_id == bindparam("key")).values(values)
    rows = [{"key": key, **{f"new_{name}": value for name, value in counted[key]._asdict().items()}} for key in keys]
    session.connection().execute(statement, rows)


def _lectures_changed(since: datetime, until: datetime) -> list[RowSelect]:
    watched = LectureProgress.updated_at >= since
    return [select(Lecture.course_id).join(LectureProgress, LectureProgress.lecture_id == Lecture.id).where(watched)]


def _kept_of_lectures(session: Session, keys: Sequence[int]) -> dict[int, list[LectureStatistics]]:
    """Of the lectures that are there: what is kept of a deleted one does no harm."""
    columns = (getattr(LectureAnalytics, name) for name in ("started_count", "completed_count", "watch_total"))
    kept = select(LectureAnalytics.course_id, LectureAnalytics.lecture_id, *columns)
    there = kept.join(Lecture, Lecture.id == LectureAnalytics.lecture_id).where(Lecture.deleted_at.is_(None))
    rows = fetch_rows(session, there.where(LectureAnalytics.course_id.in_(KEYS)), {"keys": keys})
    return group_rows(rows, lambda row: LectureStatistics._make(row[1:]), by=0)


def _keep_lectures(session: Session, keys: Sequence[int], counted: Mapping[int, list[LectureStatistics]]) -> None:
    session.execute(delete(LectureAnalytics).where(LectureAnalytics.course_id.in_(keys)))
    rows: list[dict[str, Any]] = [
        {
            "course_id": key,
            "lecture_id": figures.lecture_key,
            "started_count": figures.started_count,
            "completed_count": figures.completed_count,
            "watch_total": figures.watch_total,
        }
        for key in keys
        for figures in counted.get(key, ())
    ]
    if rows:
        session.execute(insert(LectureAnalytics), rows)


def _transactions_changed(since: datetime, until: datetime) -> list[RowSelect]:
    return [select(Transaction.course_id).where(Transaction.updated_at >= since)]


def _keep_revenue(session: Session, keys: Sequence[int], counted: Mapping[int, list[Revenue]]) -> None:
    session.execute(delete(CourseRevenue).where(CourseRevenue.course_id.in_(keys)))
    rows = [{"course_id": key, **revenue._asdict()} for key in keys for revenue in counted.get(key, ())]
    if rows:
        session.execute(insert(CourseRevenue), rows)


COURSE_ROLLUP = AnalyticsRollup(_enrollments_changed, compute_course_statistics, _kept_of_courses, _keep_courses)
LECTURE_ROLLUP = AnalyticsRollup(_lectures_changed, compute_lecture_statistics, _kept_of_lectures, _keep_lectures)
REVENUE_ROLLUP = AnalyticsRollup(_transactions_changed, compute_revenue, stored_revenue, _keep_revenue)
