"""What time it is: one place, so that tests can move it."""

from datetime import UTC, datetime


def now() -> datetime:
    """The instant, aware and in UTC, with the microseconds that the database keeps."""
    return datetime.now(UTC)
