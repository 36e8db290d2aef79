"""
The roll-up of figures for instructors: what the sweep counts anew, because something changed, and keeps.

Counting is reading, outside of the transaction that writes: whoever learns meanwhile waits for nothing. Two sweeps at
once do the same twice, and of two countings of a course the later one stays.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import func, literal, select, union, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import InstrumentedAttribute, Session

from lms_graphql.accounts.models import User
from lms_graphql.analytics.models import CourseAnalytics, InstructorAnalytics
from lms_graphql.analytics.reads.analytics import ANALYTICS_WATERMARK
from lms_graphql.analytics.reads.live_analytics import compute_instructor_statistics
from lms_graphql.analytics.services.rollups import COURSE_ROLLUP, LECTURE_ROLLUP, REVENUE_ROLLUP, AnalyticsRollup
from lms_graphql.catalog.models import Course
from lms_graphql.core import clock, db_errors, named_locks
from lms_graphql.core.database import Database
from lms_graphql.core.orm import UtcDateTime
from lms_graphql.core.statements import fetch_rows, insert_ignore

COMMIT_LAG = timedelta(minutes=1)
"""A change bears the time at which it was made, and is seen when it is committed: later by no more than this."""

MAX_BATCH_COURSES, MAX_BATCH_ENROLLMENTS = 50, 10_000
"""Courses or instructors of one portion, and the enrollments in it unless a single one has more."""

BATCH_SIZE = 5_000

ROLLUPS: tuple[AnalyticsRollup, ...] = (COURSE_ROLLUP, LECTURE_ROLLUP, REVENUE_ROLLUP)


def refresh_analytics(database: Database, *, everything: bool = False) -> int:
    """Counts what may have changed since the last time, or all there is. How many courses that were."""
    until = clock.now()
    courses = database.read_sync(
        lambda session: _all_courses(session) if everything else stale_courses(session, until)
    )
    failed = _in_portions(database, _portions(database, Course.id, courses), _count_courses)
    instructors = database.read_sync(lambda session: _instructors_of(session, courses))
    failed = _in_portions(database, _portions(database, Course.instructor_id, instructors), _count_teaching) or failed
    if failed is not None:
        raise failed  # and what is due stays due
    database.write_sync(lambda session: named_locks.advance_watermark(session, ANALYTICS_WATERMARK, until))
    return len(courses)


def stale_courses(session: Session, until: datetime) -> list[int]:
    """The courses to be counted anew: those that changed, and those of which nothing is kept yet."""
    since = named_locks.watermark(session, ANALYTICS_WATERMARK)
    if since == named_locks.EPOCH:
        return _all_courses(session)
    found = [select(Course.id).where(Course.id.not_in(select(CourseAnalytics.course_id)))]
    for part in ROLLUPS:
        found += part.changed(since - COMMIT_LAG, until)
    return sorted(session.scalars(union(*found)))


def analytics_state(session: Session) -> tuple[datetime | None, int]:
    """Up to when every change is counted, and how many courses wait."""
    reached = named_locks.watermark(session, ANALYTICS_WATERMARK)
    return None if reached == named_locks.EPOCH else reached, len(stale_courses(session, clock.now()))


def find_analytics_drift(session: Session) -> list[str]:
    """A line where something else is kept than what is there, and no sweep would notice."""
    now = clock.now()
    found: set[int] = set()
    for keys in _in_batches(list(session.scalars(select(CourseAnalytics.course_id)))):
        for part in ROLLUPS:
            counted, kept = part.count(session, keys, now), part.stored(session, keys)
            found |= {key for key in keys if _in_order(counted.get(key)) != _in_order(kept.get(key))}
    waiting = stale_courses(session, clock.now())
    found -= set(waiting)
    teaching = _wrong_teaching(session, now) - set(_instructors_of(session, waiting))
    told = {"courses": len(found), "instructors": len(teaching)}
    return [f"figures for instructors: wrong for {number} {what}" for what, number in told.items() if number]


def _wrong_teaching(session: Session, now: datetime) -> set[int]:
    columns = (
        InstructorAnalytics.instructor_id,
        InstructorAnalytics.learner_count,
        InstructorAnalytics.completion_count,
    )
    kept = {row[0]: tuple(row[1:]) for row in fetch_rows(session, select(*columns))}
    counted: dict[int, Any] = {}
    for keys in _in_batches(list(kept)):
        counted |= compute_instructor_statistics(session, keys, now)
    return {key for key, figures in kept.items() if figures != counted[key]}


def _in_order(figures: Any) -> Any:
    """Nothing at all for a list without rows, and the same for two lists of the same rows."""
    return sorted(figures) or None if isinstance(figures, list) else figures


def _count_courses(database: Database, keys: Sequence[int]) -> None:
    now = clock.now()
    parts = ROLLUPS
    counted = database.read_sync(lambda session: [part.count(session, keys, now) for part in parts])

    def keep(session: Session) -> None:
        taken = _take(session, CourseAnalytics.course_id, Course.id, keys, now)
        for part, figures in zip(parts, counted, strict=True):
            if taken:
                part.store(session, taken, figures)

    database.write_sync(keep)


def _count_teaching(database: Database, keys: Sequence[int]) -> None:
    now = clock.now()
    counted = database.read_sync(lambda session: compute_instructor_statistics(session, keys, now))

    def keep(session: Session) -> None:
        for key in _take(session, InstructorAnalytics.instructor_id, User.id, keys, now):
            its_own = update(InstructorAnalytics).where(InstructorAnalytics.instructor_id == key)
            session.execute(its_own.values(counted[key]._asdict()))

    database.write_sync(keep)


def _take(
    session: Session,
    kept: InstrumentedAttribute[int],
    source: InstrumentedAttribute[int],
    keys: Sequence[int],
    as_of: datetime,
) -> list[int]:
    """
    Those of which nothing newer is kept. Their rows are locked from here on; one that was deleted meanwhile is not
    among them.
    """
    table: Any = kept.class_
    session.execute(update(table).where(kept.in_(keys), table.as_of < as_of).values(as_of=as_of))
    found = _kept_since(session, kept, keys)
    if missing := [key for key in keys if key not in found]:
        rows = select(source, literal(as_of, UtcDateTime())).where(source.in_(missing))
        session.execute(insert_ignore(table).from_select([kept.key, "as_of"], rows))
        found |= _kept_since(session, kept, missing)
    return [key for key in keys if found.get(key) == as_of]


def _kept_since(session: Session, kept: InstrumentedAttribute[int], keys: Sequence[int]) -> dict[int, datetime]:
    rows = session.execute(select(kept, kept.class_.as_of).where(kept.in_(keys)))
    return {key: as_of for key, as_of in rows}  # noqa: C416 - dict() takes no rows


def _in_portions(
    database: Database, portions: Iterable[Sequence[int]], count: Callable[[Database, Sequence[int]], None]
) -> DBAPIError | None:
    """What went wrong last. One portion that fails does not keep the others from being counted."""
    failed = None
    for keys in portions:
        try:
            count(database, keys)
        except DBAPIError as error:
            if db_errors.is_connect_error(error):
                raise
            failed = error
    return failed


def _portions(database: Database, of: InstrumentedAttribute[int], keys: Sequence[int]) -> Iterator[list[int]]:
    sizes = select(of, func.sum(Course.enrollment_count)).group_by(of)
    portion: list[int] = []
    total = 0
    for batch in _in_batches(keys):
        statement = sizes.where(of.in_(batch))
        for key, size in database.read_sync(partial(fetch_rows, statement=statement)):
            if portion and (len(portion) == MAX_BATCH_COURSES or total + size > MAX_BATCH_ENROLLMENTS):
                yield portion
                portion, total = [], 0
            portion.append(key)
            total += int(size)
    if portion:
        yield portion


def _in_batches(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    return (keys[start : start + BATCH_SIZE] for start in range(0, len(keys), BATCH_SIZE))


def _all_courses(session: Session) -> list[int]:
    return list(session.scalars(select(Course.id).order_by(Course.id)))


def _instructors_of(session: Session, courses: Sequence[int]) -> list[int]:
    found: set[int] = set()
    for batch in _in_batches(courses):
        found |= set(session.scalars(select(Course.instructor_id).where(Course.id.in_(batch)).distinct()))
    return sorted(found)
