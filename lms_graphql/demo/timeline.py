"""When everything happened: counted back from one fixed instant, so that the same seed makes the same data."""

from datetime import UTC, datetime, timedelta
from random import Random

TODAY = datetime(2026, 1, 1, tzinfo=UTC)
FIRST = TODAY - timedelta(days=3 * 365)

REVIEW = timedelta(days=2)
"""Between writing a course and publishing it."""

_NEWEST_COURSE = TODAY - timedelta(days=45)
"""Leaves time for someone to enroll and to finish."""


def between(rng: Random, start: datetime, end: datetime) -> datetime:
    """A whole second of the span, its start included."""
    return start + timedelta(seconds=rng.randrange(max(1, int((end - start).total_seconds()))))


def of_a_new_course(rng: Random, taken: set[datetime]) -> datetime:
    """One that no other course has, so that the newest courses have one order."""
    while (instant := between(rng, FIRST, _NEWEST_COURSE)) in taken:
        pass
    taken.add(instant)
    return instant
