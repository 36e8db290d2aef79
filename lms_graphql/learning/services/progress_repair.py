"""Check and repair of progress for `db check` and `db repair`.

It finds course counters that do not match the lectures and quizzes, and percentages of enrollments that do not match
the counters. It also finds users who have done everything but are not completed, and broken watched ranges.
"""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Enrollment
from lms_graphql.core.derived_columns import DerivedColumn, find_drift, repair_drift
from lms_graphql.core.statements import execute_dml
from lms_graphql.learning.completion_percent import percent_hundredths_sql
from lms_graphql.learning.models import CourseProgress, CourseRequirements, LectureProgress
from lms_graphql.learning.services.completion import pending_completions
from lms_graphql.learning.services.progress_counters import (
    ProgressCounts,
    batched,
    compute_counts,
    set_counts,
    stored_counts,
)
from lms_graphql.learning.services.progress_recount import schedule_recount
from lms_graphql.learning.watched_ranges import merge, total_seconds

BATCH_SIZE = 1_000
PROGRESS_HUNDREDTHS = DerivedColumn(
    Enrollment.progress_hundredths,
    select(
        func.coalesce(
            func.max(
                percent_hundredths_sql(
                    CourseProgress.completed_lectures + CourseProgress.passed_quizzes,
                    CourseProgress.total_lectures + CourseProgress.total_quizzes,
                )
            ),
            0,  # no progress was counted
        )
    )
    .where(CourseProgress.user_id == Enrollment.user_id, CourseProgress.course_id == Enrollment.course_id)
    .correlate(Enrollment)
    .scalar_subquery(),
)


class CourseDrift(NamedTuple):
    """Drift in one course: the right counts by key of their row, and the number of users to complete."""

    course_key: int
    counts: dict[int, ProgressCounts]
    completion_count: int


def find_progress_drift(session: Session) -> list[str]:
    """Return a line for each kind of drift, with the number of rows."""
    courses = list(_find_course_drift(session))
    counter_rows = sum(len(course.counts) for course in courses)
    users = sum(course.completion_count for course in courses)
    range_rows = len(list(_find_broken_ranges(session)))
    percentages = len(find_drift(session, PROGRESS_HUNDREDTHS))
    lines = {
        f"course_progress: wrong in {counter_rows} rows": counter_rows,
        f"enrollments: {users} have everything done but are not completed": users,
        f"{PROGRESS_HUNDREDTHS.name}: wrong in {percentages} rows": percentages,
        f"lecture_progress.watched_ranges: wrong in {range_rows} rows": range_rows,
    }
    return [line for line, number in lines.items() if number]


def repair_progress(session: Session) -> list[str]:
    """Repair all drift. Return a line for each change.

    Completions are left to the next maintenance run, which also issues the certificates.
    """
    lines = []
    for key, ranges, seconds in list(_find_broken_ranges(session)):
        values = {"watched_ranges": ranges, "watch_time": seconds}
        execute_dml(session, update(LectureProgress).where(LectureProgress.id == key).values(values))
        lines.append(f"lecture_progress {key}: watched ranges merged")
    courses = list(_find_course_drift(session))
    for course in courses:
        if course.counts:
            set_counts(session, course.counts)
    if rows := sum(len(course.counts) for course in courses):
        lines.append(f"course_progress: {rows} rows repaired")
    if percentages := find_drift(session, PROGRESS_HUNDREDTHS):  # after the counters were repaired
        repair_drift(session, PROGRESS_HUNDREDTHS, percentages)
        lines.append(f"{PROGRESS_HUNDREDTHS.name}: {len(percentages)} rows repaired")
    if pending := [course.course_key for course in courses if course.completion_count]:
        schedule_recount(session, pending)
        lines.append(f"enrollments: the next maintenance run completes those of {len(pending)} courses")
    return lines


def _find_course_drift(session: Session) -> Iterator[CourseDrift]:
    """Yield the drift of each course, except of courses that wait for maintenance to recount them."""
    marked = select(CourseRequirements.course_id).where(CourseRequirements.recounted_to.is_not(None))
    courses = select(Enrollment.course_id).where(Enrollment.course_id.not_in(marked)).distinct()
    for course_key in session.scalars(courses.order_by(Enrollment.course_id)).all():
        statement = select(CourseProgress.user_id).where(CourseProgress.course_id == course_key)
        for users in batched(session.scalars(statement.order_by(CourseProgress.id)).all(), BATCH_SIZE):
            counts, stored = compute_counts(session, course_key, users), stored_counts(session, course_key, users)
            drifted_counts = {stored[user].key: counts[user] for user in users if stored[user].counts != counts[user]}
            pending = pending_completions(session, course_key, counts)
            if drifted_counts or pending:
                yield CourseDrift(course_key, drifted_counts, len(pending))


def _find_broken_ranges(session: Session) -> Iterator[tuple[int, list[list[int]], int]]:
    """Yield (row key, right ranges, right seconds) of rows whose ranges are not merged or exceed `watch_time`.

    A `watch_time` that exceeds the ranges is right, because seconds that were credited once are never taken away.
    """
    last_key = 0
    statement = select(LectureProgress.id, LectureProgress.watched_ranges, LectureProgress.watch_time)
    statement = statement.order_by(LectureProgress.id).limit(BATCH_SIZE)
    while rows := session.execute(statement.where(LectureProgress.id > last_key)).all():
        last_key = rows[-1].id
        for key, ranges, seconds in rows:
            merged = merge(ranges)
            if merged != ranges or total_seconds(merged) > seconds:
                yield key, merged, max(seconds, total_seconds(merged))
