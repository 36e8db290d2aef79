"""How often something may fail, counted in the database, so that it holds across processes.

A try is counted before it is made and given back where it succeeds: counted afterwards, as many as come at once would
slip through.
"""

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import and_, case, delete, or_, update
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import Throttle
from lms_graphql.core import clock
from lms_graphql.core.statements import changed, insert_unless_there


class Allowed(NamedTuple):
    """At most so many failures of this key within so many minutes of the first."""

    key: str
    failures: int
    minutes: int


def count(session: Session, allowed: Allowed) -> bool:
    """Counts a try. False, and not counted, where there were too many."""
    if _counted(session, allowed):
        return True
    session.execute(insert_unless_there(Throttle), {"key": allowed.key, "failures": 0, "since": clock.now()})
    return _counted(session, allowed)


def give_back(session: Session, key: str) -> None:
    """The try did not fail."""
    row = and_(Throttle.key == key, Throttle.failures > 0)
    changed(session, update(Throttle).where(row).values(failures=Throttle.failures - 1))


def forget(session: Session, key: str) -> None:
    changed(session, delete(Throttle).where(Throttle.key == key))


def _counted(session: Session, allowed: Allowed) -> bool:
    now = clock.now()
    is_over = Throttle.since <= now - timedelta(minutes=allowed.minutes)
    counted = (
        update(Throttle)
        .where(Throttle.key == allowed.key, or_(is_over, Throttle.failures < allowed.failures))
        # MySQL assigns from left to right and would see a `since` that it has just set: `failures` comes first.
        .ordered_values(
            (Throttle.failures, case((is_over, 1), else_=Throttle.failures + 1)),
            (Throttle.since, case((is_over, now), else_=Throttle.since)),
        )
    )
    return changed(session, counted) == 1
