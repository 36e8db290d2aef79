"""
Access that has run out is kept as EXPIRED, by the sweep.

It reads so from its instant on, swept or not: nothing hangs on when this happens, or whether. What it is good for is
whoever reads the table by other ways than this service, and figures, which are found to be due by `updated_at`.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Enrollment, EnrollmentStatus
from lms_graphql.core import clock
from lms_graphql.core.database import Database
from lms_graphql.core.statements import execute_dml
from lms_graphql.learning.enrollment_status import has_expired

BATCH_SIZE = 500
"""A transaction is short, so that nobody waits long who comes back to a course meanwhile."""


def expire_access(database: Database) -> int:
    """How many places were kept as open until now. Portion by portion: one that is interrupted leaves whole ones."""
    now, total = clock.now(), 0
    while keys := database.read_sync(partial(_due, now=now)):
        total += database.write_sync(partial(_expire, keys=keys, now=now))
    return total


def _due(session: Session, now: datetime) -> list[int]:
    """In their order, so that two sweeps at once wait for each other, and not for good."""
    return sorted(session.scalars(select(Enrollment.id).where(has_expired(now)).limit(BATCH_SIZE)))


def _expire(session: Session, keys: Sequence[int], now: datetime) -> int:
    """
    Those of which it still holds: whom staff have given more time meanwhile keeps it, and of two sweeps the later one
    finds them done.
    """
    due = update(Enrollment).where(Enrollment.id.in_(keys), has_expired(now))
    return execute_dml(session, due.values(status=EnrollmentStatus.EXPIRED, updated_at=now))
