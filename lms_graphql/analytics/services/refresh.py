"""Refresh of the stored statistics of the courses and instructors that changed. The maintenance command runs it.

Statistics are computed by reads outside of the transaction that stores them, so that learners never wait for it. If
two refreshes run at once, both do the work, and the later result for a course is stored.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import func, literal, or_, select, union, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import InstrumentedAttribute, Session

from lms_graphql.accounts.models import User
from lms_graphql.analytics.models import CourseAnalytics, InstructorAnalytics
from lms_graphql.analytics.reads.analytics import ANALYTICS_WATERMARK
from lms_graphql.analytics.reads.live_analytics import compute_instructor_statistics
from lms_graphql.analytics.services.rollups import ROLLUPS
from lms_graphql.catalog.former_instructors import FormerInstructor
from lms_graphql.catalog.models import Course
from lms_graphql.core import clock, db_errors, named_locks
from lms_graphql.core.database import Database
from lms_graphql.core.database_clock import CLOCK_TOLERANCE
from lms_graphql.core.orm import UtcDateTime
from lms_graphql.core.statements import fetch_rows, insert_ignore

COMMIT_LAG = timedelta(minutes=1)
"""Longest time between `updated_at` of a change and its commit, which makes it visible. Later ones can be missed."""

MAX_BATCH_COURSES, MAX_BATCH_ENROLLMENTS = 50, 10_000
"""Limits of a batch: courses or instructors, and their enrollments. A single course may have more enrollments."""

MAX_QUERY_KEYS = 5_000


def refresh_analytics(database: Database, *, all_courses: bool = False) -> int:
    """Refresh the statistics of courses that may have changed since the last refresh, or of all courses.

    Return the number of courses. If a batch failed, raise its error after the other batches: the watermark stays, so
    that the next refresh tries again.
    """
    until = clock.now()
    courses = database.read_sync(
        lambda session: _all_courses(session) if all_courses else stale_courses(session, until)
    )
    error = _for_each_batch(database, _batches(database, Course.id, courses), _refresh_courses)
    instructors = database.read_sync(lambda session: _instructors_of(session, courses))
    batches = _batches(database, Course.instructor_id, instructors)
    error = _for_each_batch(database, batches, _refresh_instructors) or error
    if error is not None:
        raise error
    database.write_sync(lambda session: named_locks.advance_watermark(session, ANALYTICS_WATERMARK, until))
    return len(courses)


def stale_courses(session: Session, until: datetime) -> list[int]:
    """Return the keys of courses to refresh: those that changed, and those without stored statistics."""
    since = named_locks.watermark(session, ANALYTICS_WATERMARK)
    if since == named_locks.EPOCH:
        return _all_courses(session)
    statements = [select(Course.id).where(Course.id.not_in(select(CourseAnalytics.course_id)))]
    for rollup in ROLLUPS:
        statements += rollup.changed(since - COMMIT_LAG, until)
    transferred = FormerInstructor.updated_at >= since - COMMIT_LAG
    statements.append(select(FormerInstructor.course_id).where(transferred))
    return sorted(session.scalars(union(*statements)))


def analytics_state(session: Session) -> tuple[datetime | None, int]:
    """
    Return the watermark (None before the first refresh) and the number of stale courses. Changes committed before
    this instant are counted, except a change whose commit came more than COMMIT_LAG after it.
    """
    watermark = named_locks.watermark(session, ANALYTICS_WATERMARK)
    return None if watermark == named_locks.EPOCH else watermark, len(stale_courses(session, clock.now()))


def find_analytics_drift(session: Session) -> list[str]:
    """Return a line for each kind of drift: stored statistics are wrong, and no refresh is due to correct them."""
    now = clock.now()
    courses: set[int] = set()
    for keys in _chunks(list(session.scalars(select(CourseAnalytics.course_id)))):
        for rollup in ROLLUPS:
            computed, stored = rollup.compute(session, keys, now), rollup.stored(session, keys)
            courses |= {key for key in keys if _comparable(computed.get(key)) != _comparable(stored.get(key))}
    stale = stale_courses(session, clock.now())
    courses -= set(stale)
    instructors = _drifted_instructors(session, now) - set(_instructors_of(session, stale))
    drifted = {"courses": len(courses), "instructors": len(instructors)}
    return [f"analytics: wrong for {number} {kind}" for kind, number in drifted.items() if number]


def _drifted_instructors(session: Session, now: datetime) -> set[int]:
    columns = (
        InstructorAnalytics.instructor_id,
        InstructorAnalytics.learner_count,
        InstructorAnalytics.completion_count,
    )
    stored = {row[0]: tuple(row[1:]) for row in fetch_rows(session, select(*columns))}
    computed: dict[int, Any] = {}
    for keys in _chunks(list(stored)):
        computed |= compute_instructor_statistics(session, keys, now)
    return {key for key, statistics in stored.items() if statistics != computed[key]}


def _comparable(statistics: Any) -> Any:
    """Return statistics so that equal ones compare equal: lists in one order, and None for an empty list."""
    return sorted(statistics) or None if isinstance(statistics, list) else statistics


def _refresh_courses(database: Database, keys: Sequence[int]) -> None:
    now = clock.now()
    computed = database.read_sync(lambda session: [rollup.compute(session, keys, now) for rollup in ROLLUPS])

    def store(session: Session) -> None:
        claimed = _claim(session, CourseAnalytics.course_id, Course.id, keys, now)
        for rollup, statistics in zip(ROLLUPS, computed, strict=True):
            if claimed:
                rollup.store(session, claimed, statistics)

    database.write_sync(store)


def _refresh_instructors(database: Database, keys: Sequence[int]) -> None:
    now = clock.now()
    computed = database.read_sync(lambda session: compute_instructor_statistics(session, keys, now))

    def store(session: Session) -> None:
        for key in _claim(session, InstructorAnalytics.instructor_id, User.id, keys, now):
            row = update(InstructorAnalytics).where(InstructorAnalytics.instructor_id == key)
            session.execute(row.values(computed[key]._asdict()))

    database.write_sync(store)


def _claim(
    session: Session,
    column: InstrumentedAttribute[int],
    source: InstrumentedAttribute[int],
    keys: Sequence[int],
    as_of: datetime,
) -> list[int]:
    """Set `as_of` in the rows of these keys and return the keys of which nothing newer is stored.

    `column` is the key of the statistics, `source` the key of the courses or users. Missing rows are inserted,
    except for courses that were deleted in between. The rows of the returned keys are locked.
    """
    table: Any = column.class_
    is_older = or_(table.as_of < as_of, table.as_of > clock.now() + CLOCK_TOLERANCE)  # the future is a wrong clock
    session.execute(update(table).where(column.in_(keys), is_older).values(as_of=as_of))
    stored = _stored_as_of(session, column, keys)
    if missing := [key for key in keys if key not in stored]:
        rows = select(source, literal(as_of, UtcDateTime())).where(source.in_(missing))
        session.execute(insert_ignore(table).from_select([column.key, "as_of"], rows))
        stored |= _stored_as_of(session, column, missing)
    return [key for key in keys if stored.get(key) == as_of]


def _stored_as_of(session: Session, column: InstrumentedAttribute[int], keys: Sequence[int]) -> dict[int, datetime]:
    rows = session.execute(select(column, column.class_.as_of).where(column.in_(keys)))
    return {key: as_of for key, as_of in rows}  # noqa: C416 - dict() does not accept rows


def _for_each_batch(
    database: Database, batches: Iterable[Sequence[int]], refresh: Callable[[Database, Sequence[int]], None]
) -> DBAPIError | None:
    """Refresh each batch and return the last error. Raise at once if the database is unreachable."""
    last_error = None
    for keys in batches:
        try:
            refresh(database, keys)
        except DBAPIError as error:
            if db_errors.is_connect_error(error):
                raise
            last_error = error
    return last_error


def _batches(database: Database, column: InstrumentedAttribute[int], keys: Sequence[int]) -> Iterator[list[int]]:
    """Yield the keys in batches within the limits. `column` is the key of courses or of their instructors."""
    sizes = select(column, func.sum(Course.enrollment_count)).group_by(column)
    batch: list[int] = []
    enrollments = 0
    for chunk in _chunks(keys):
        statement = sizes.where(column.in_(chunk))
        sizes_by_key = {row[0]: int(row[1]) for row in database.read_sync(partial(fetch_rows, statement=statement))}
        for key in chunk:
            size = sizes_by_key.get(key, 0)  # instructors may have no courses any more
            if batch and (len(batch) == MAX_BATCH_COURSES or enrollments + size > MAX_BATCH_ENROLLMENTS):
                yield batch
                batch, enrollments = [], 0
            batch.append(key)
            enrollments += size
    if batch:
        yield batch


def _chunks(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    return (keys[start : start + MAX_QUERY_KEYS] for start in range(0, len(keys), MAX_QUERY_KEYS))


def _all_courses(session: Session) -> list[int]:
    return list(session.scalars(select(Course.id).order_by(Course.id)))


def _instructors_of(session: Session, courses: Sequence[int]) -> list[int]:
    """Return the instructors of the courses, and their former ones, whose statistics a transfer changes, too."""
    instructors: set[int] = set()
    for chunk in _chunks(courses):
        present = select(Course.instructor_id).where(Course.id.in_(chunk))
        former = select(FormerInstructor.user_id).where(FormerInstructor.course_id.in_(chunk))
        instructors |= set(session.scalars(union(present, former)))
    return sorted(instructors)
