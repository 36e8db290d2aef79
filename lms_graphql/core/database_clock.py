"""The clock of the database server, which decides between processes on machines whose clocks differ."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from lms_graphql.core import clock

CLOCK_TOLERANCE = timedelta(seconds=5)
"""Difference of two clocks that does no harm. A stored time beyond it, in the future, is wrong."""


def database_now(session: Session) -> datetime:
    """Return the time of the database server. It reads no table, so it does not fix the snapshot of a transaction."""
    if session.get_bind().dialect.name == "sqlite":
        value = session.execute(text("SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')")).scalar_one()
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    now: datetime = session.execute(text("SELECT UTC_TIMESTAMP(6)")).scalar_one()
    return now.replace(tzinfo=UTC)


def seconds_ahead(session: Session) -> float:
    """Return how far this machine's clock is ahead of the database's. It is negative if the clock is behind."""
    return (clock.now() - database_now(session)).total_seconds()


def differs(seconds: float) -> bool:
    """Return whether a difference of clocks is larger than the tolerance."""
    return abs(seconds) > CLOCK_TOLERANCE.total_seconds()
