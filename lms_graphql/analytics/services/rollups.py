"""Roll-ups: the statistics stored for each course, of its enrollments, its lectures and its revenue."""

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
    """One kind of statistics that is stored for each course, because computing it takes long."""

    changed: Callable[[datetime, datetime], Sequence[RowSelect]]
    """Returns SELECTs of the keys of courses that changed between two instants. Each must be served by an index."""
    compute: Callable[[Session, Sequence[int], datetime], Mapping[int, Any]]
    """Computes the statistics of these courses at an instant. A course without any may be left out."""
    stored: Callable[[Session, Sequence[int]], Mapping[int, Any]]
    """Returns the stored statistics of these courses, in the shape of `compute`."""
    store: Callable[[Session, Sequence[int], Mapping[int, Any]], None]
    """Replaces the stored statistics of these courses by computed ones."""


COURSE_TABLE = cast("Table", CourseAnalytics.__table__)


def _enrollments_changed(since: datetime, until: datetime) -> list[RowSelect]:
    """Return SELECTs of courses whose enrollments or progress changed. Access that expires changes no row."""
    expired = (Enrollment.status.in_(ACCESS_STATUSES), Enrollment.access_expires_at.between(since, until))
    return [
        select(Enrollment.course_id).where(Enrollment.updated_at >= since),
        select(Enrollment.course_id).where(*expired),
        select(CourseProgress.course_id).where(CourseProgress.updated_at >= since),
    ]


def _stored_courses(session: Session, keys: Sequence[int]) -> dict[int, CourseStatistics]:
    columns = (COURSE_TABLE.c[name] for name in ("course_id", *CourseStatistics._fields))
    rows = fetch_rows(session, select(*columns).where(COURSE_TABLE.c.course_id.in_(KEYS)), {"keys": keys})
    return {row[0]: CourseStatistics._make(row[1:]) for row in rows}


def _store_courses(session: Session, keys: Sequence[int], computed: Mapping[int, CourseStatistics]) -> None:
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in CourseStatistics._fields}
    statement = update(COURSE_TABLE).where(COURSE_TABLE.c.course_id == bindparam("key")).values(values)
    rows = [{"key": key, **{f"new_{name}": value for name, value in computed[key]._asdict().items()}} for key in keys]
    session.connection().execute(statement, rows)


def _lectures_changed(since: datetime, until: datetime) -> list[RowSelect]:
    watched = LectureProgress.updated_at >= since
    return [select(Lecture.course_id).join(LectureProgress, LectureProgress.lecture_id == Lecture.id).where(watched)]


def _stored_lectures(session: Session, keys: Sequence[int]) -> dict[int, list[LectureStatistics]]:
    """Return the stored statistics of lectures that exist. Rows of deleted lectures are harmless and left out."""
    columns = (getattr(LectureAnalytics, name) for name in ("started_count", "completed_count", "watch_total"))
    statement = (
        select(LectureAnalytics.course_id, LectureAnalytics.lecture_id, *columns)
        .join(Lecture, Lecture.id == LectureAnalytics.lecture_id)
        .where(LectureAnalytics.course_id.in_(KEYS), Lecture.deleted_at.is_(None))
    )
    return group_rows(
        fetch_rows(session, statement, {"keys": keys}), lambda row: LectureStatistics._make(row[1:]), by=0
    )


def _store_lectures(session: Session, keys: Sequence[int], computed: Mapping[int, list[LectureStatistics]]) -> None:
    session.execute(delete(LectureAnalytics).where(LectureAnalytics.course_id.in_(keys)))
    rows: list[dict[str, Any]] = [
        {
            "course_id": key,
            "lecture_id": statistics.lecture_key,
            "started_count": statistics.started_count,
            "completed_count": statistics.completed_count,
            "watch_total": statistics.watch_total,
        }
        for key in keys
        for statistics in computed.get(key, ())
    ]
    if rows:
        session.execute(insert(LectureAnalytics), rows)


def _transactions_changed(since: datetime, until: datetime) -> list[RowSelect]:
    return [select(Transaction.course_id).where(Transaction.updated_at >= since)]


def _store_revenue(session: Session, keys: Sequence[int], computed: Mapping[int, list[Revenue]]) -> None:
    session.execute(delete(CourseRevenue).where(CourseRevenue.course_id.in_(keys)))
    rows = [{"course_id": key, **revenue._asdict()} for key in keys for revenue in computed.get(key, ())]
    if rows:
        session.execute(insert(CourseRevenue), rows)


ROLLUPS: tuple[AnalyticsRollup, ...] = (
    AnalyticsRollup(
        changed=_enrollments_changed,
        compute=compute_course_statistics,
        stored=_stored_courses,
        store=_store_courses,
    ),
    AnalyticsRollup(
        changed=_lectures_changed,
        compute=compute_lecture_statistics,
        stored=_stored_lectures,
        store=_store_lectures,
    ),
    AnalyticsRollup(
        changed=_transactions_changed,
        compute=compute_revenue,
        stored=stored_revenue,
        store=_store_revenue,
    ),
)
