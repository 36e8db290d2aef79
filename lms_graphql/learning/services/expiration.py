"""Expiration of access: maintenance stores the status EXPIRED once access has ended.

Every read reports EXPIRED from that instant on, so no rule depends on when this runs. It serves readers of the table
outside this service, and analytics, which finds changed rows by `updated_at`.
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
"""Enrollments in one transaction. It is short, so that learners who return at the same time do not wait long."""


def expire_access(database: Database) -> int:
    """Expire all enrollments whose access has ended. Return their number.

    Each batch is a transaction, so an interrupted run leaves only whole batches.
    """
    now, total = clock.now(), 0
    while keys := database.read_sync(partial(_expired_keys, now=now)):
        total += database.write_sync(partial(_expire, keys=keys, now=now))
    return total


def _expired_keys(session: Session, now: datetime) -> list[int]:
    """Return the keys of a batch in ascending order, so that two runs at the same time cannot deadlock."""
    return sorted(session.scalars(select(Enrollment.id).where(has_expired(now)).limit(BATCH_SIZE)))


def _expire(session: Session, keys: Sequence[int], now: datetime) -> int:
    """Expire those enrollments that are still due. Return their number.

    The condition is checked again: staff may have extended the access, and another run may have been faster.
    """
    statement = update(Enrollment).where(Enrollment.id.in_(keys), has_expired(now))
    return execute_dml(session, statement.values(status=EnrollmentStatus.EXPIRED, updated_at=now))
