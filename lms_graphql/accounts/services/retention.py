"""What is kept for a while and then of no more use."""

from datetime import timedelta

from sqlalchemy import Delete, delete, select
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import AccountToken, RateLimitCounter, RefreshToken, UserSession
from lms_graphql.core import clock
from lms_graphql.core.statements import execute_dml

BATCH_SIZE = 1_000
RETENTION = timedelta(days=7)
"""After it has ended: long enough to tell somebody who asks."""


def purge_expired(session: Session, window_minutes: int) -> int:
    """Sessions and tokens that are long over, and throttles whose window has passed. How many, in small portions."""
    now = clock.now()
    over = select(UserSession.id).where(UserSession.expires_at < now - RETENTION).limit(BATCH_SIZE)
    sessions = list(session.scalars(over))
    portions: list[Delete] = [
        delete(RefreshToken).where(RefreshToken.session_id.in_(sessions)),
        delete(UserSession).where(UserSession.id.in_(sessions)),
    ]
    for column, before in (
        (AccountToken.expires_at, now - RETENTION),
        (RateLimitCounter.since, now - timedelta(minutes=window_minutes)),
    ):
        table = column.class_
        keys = list(session.scalars(select(table.id).where(column < before).limit(BATCH_SIZE)))
        portions.append(delete(table).where(table.id.in_(keys), column < before))
    return sum(execute_dml(session, portion) for portion in portions)
