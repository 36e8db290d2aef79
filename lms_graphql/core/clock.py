"""The current time. All code reads it here, so that tests can change it in one place."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the current time as an aware datetime in UTC, with microseconds as the database stores them."""
    return datetime.now(UTC)
