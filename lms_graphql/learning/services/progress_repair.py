"""
What `db check` finds wrong with progress, and how `db repair` makes it right: figures of courses that are not what
the lectures and quizzes say, and those who have done everything and are not completed.
"""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Enrollment
from lms_graphql.core.statements import execute_dml
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


class CourseDrift(NamedTuple):
    """In one course: the rows that keep something else than what is there, and the people to be completed."""

    course_key: int
    counts: dict[int, ProgressCounts]
    to_complete: int


def find_progress_drift(session: Session) -> list[str]:
    """A line for each kind of figure that is wrong anywhere, with how often."""
    found = list(_wrong(session))
    rows, people = sum(len(one.counts) for one in found), sum(one.to_complete for one in found)
    stretches = len(list(_wrong_stretches(session)))
    told = {
        f"course_progress: wrong in {rows} rows": rows,
        f"enrollments: {people} have done everything and are not completed": people,
        f"lecture_progress.watched_ranges: broken in {stretches} rows": stretches,
    }
    return [line for line, number in told.items() if number]


def repair_progress(session: Session) -> list[str]:
    """
    Makes every figure right, and tells what was changed. Who is to be completed is left to the sweep, with the
    certificates that this takes.
    """
    lines = []
    for key, merged, watched in list(_wrong_stretches(session)):
        mended = {"watched_ranges": merged, "watch_time": watched}
        execute_dml(session, update(LectureProgress).where(LectureProgress.id == key).values(mended))
        lines.append(f"lecture_progress {key}: stretches merged")
    found = list(_wrong(session))
    for one in found:
        if one.counts:
            set_counts(session, one.counts)
    if rows := sum(len(one.counts) for one in found):
        lines.append(f"course_progress: {rows} rows mended")
    if waiting := [one.course_key for one in found if one.to_complete]:
        schedule_recount(session, waiting)
        lines.append(f"enrollments: those of {len(waiting)} courses are completed by the next sweep")
    return lines


def _wrong(session: Session) -> Iterator[CourseDrift]:
    """Not of courses that wait for the sweep, which will count them anyway."""
    waiting = select(CourseRequirements.course_id).where(CourseRequirements.recounted_to.is_not(None))
    courses = select(Enrollment.course_id).where(Enrollment.course_id.not_in(waiting)).distinct()
    for course in session.scalars(courses.order_by(Enrollment.course_id)).all():
        people = select(CourseProgress.user_id).where(CourseProgress.course_id == course)
        for users in batched(session.scalars(people.order_by(CourseProgress.id)).all(), BATCH_SIZE):
            counts, kept = compute_counts(session, course, users), stored_counts(session, course, users)
            wrong = {kept[user].key: counts[user] for user in users if kept[user].counts != counts[user]}
            to_complete = pending_completions(session, course, counts)
            if wrong or to_complete:
                yield CourseDrift(course, wrong, len(to_complete))


def _wrong_stretches(session: Session) -> Iterator[tuple[int, list[list[int]], int]]:
    """
    Not merged, or more than what is told: the row, and what should be there. Less is right: what was watched once
    counts for good.
    """
    last = 0
    there = select(LectureProgress.id, LectureProgress.watched_ranges, LectureProgress.watch_time)
    there = there.order_by(LectureProgress.id).limit(BATCH_SIZE)
    while rows := session.execute(there.where(LectureProgress.id > last)).all():
        last = rows[-1].id
        for key, ranges, watched in rows:
            merged = merge(ranges)
            if merged != ranges or total_seconds(merged) > watched:
                yield key, merged, max(watched, total_seconds(merged))
