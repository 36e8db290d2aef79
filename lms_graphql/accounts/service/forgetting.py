"""What is kept for a while and then of no more use."""

from datetime import timedelta

from sqlalchemy import Delete, delete, select
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import AccountToken, RefreshToken, Throttle, UserSession
from lms_graphql.core import clock
from lms_graphql.core.statements import changed

AT_ONCE = 1_000
KEPT = timedelta(days=7)
"""After it has ended: long enough to tell somebody who asks."""


def forget_stale(session: Session, window_minutes: int) -> int:
    """Sessions and tokens that are long over, and throttles whose window has passed. How many, in small portions."""
    now = clock.now()
    over = select(UserSession.id).where(UserSession.expires_at < now - KEPT).limit(AT_ONCE)
    sessions = list(session.scalars(over))
    portions: list[Delete] = [
        delete(RefreshToken).where(RefreshToken.session_id.in_(sessions)),
        delete(UserSession).where(UserSession.id.in_(sessions)),
    ]
    for column, before in (
        (AccountToken.expires_at, now - KEPT),
        (Throttle.since, now - timedelta(minutes=window_minutes)),
    ):
        table = column.class_
        keys = list(session.scalars(select(table.id).where(column < before).limit(AT_ONCE)))
        portions.append(delete(table).where(table.id.in_(keys), column < before))
    return sum(changed(session, portion) for portion in portions)
