"""Dates of the demo data, relative to a fixed date, so that the same seed gives the same data."""

from datetime import UTC, datetime, timedelta
from random import Random

TODAY = datetime(2026, 1, 1, tzinfo=UTC)
START = TODAY - timedelta(days=3 * 365)

REVIEW_TIME = timedelta(days=2)
"""Time between the creation and the publication of a course."""

_LATEST_COURSE = TODAY - timedelta(days=45)
"""Creation of the newest course. It leaves learners time to enroll and to finish."""


def random_time(rng: Random, start: datetime, end: datetime) -> datetime:
    """Return a whole second from `start` (included) to `end` (excluded)."""
    return start + timedelta(seconds=rng.randrange(max(1, int((end - start).total_seconds()))))


def new_course_time(rng: Random, taken: set[datetime]) -> datetime:
    """Return a unique creation time, so that the order of the newest courses is unambiguous."""
    while (created_at := random_time(rng, START, _LATEST_COURSE)) in taken:
        pass
    taken.add(created_at)
    return created_at
