"""Retention: deletion of old sessions, tokens, changes of email, rate limit counters and idempotency keys."""

from datetime import timedelta

from sqlalchemy import Delete, delete, select
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import AccountToken, EmailChange, RateLimitCounter, RefreshToken, UserSession
from lms_graphql.core import clock
from lms_graphql.core.idempotency import IdempotencyKey
from lms_graphql.core.statements import execute_dml

BATCH_SIZE = 1_000
RETENTION = timedelta(days=7)
"""How long expired sessions and tokens are stored, so that questions about them can be answered.

Idempotency keys are stored as long: clients may rely on 72 hours. So are requested changes of email: a mail is sent
within 90 hours, and its link is valid for 24.
"""


def purge_expired(session: Session, window_minutes: int) -> int:
    """Delete rate limit counters after their window, and the other rows after their retention.

    Return the number of deleted rows. One call deletes at most one batch of each kind.
    """
    now = clock.now()
    expired = select(UserSession.id).where(UserSession.expires_at < now - RETENTION).limit(BATCH_SIZE)
    session_keys = list(session.scalars(expired))
    statements: list[Delete] = [
        delete(RefreshToken).where(RefreshToken.session_id.in_(session_keys)),
        delete(UserSession).where(UserSession.id.in_(session_keys)),
    ]
    for column, before in (
        (AccountToken.expires_at, now - RETENTION),
        (EmailChange.created_at, now - RETENTION),
        (RateLimitCounter.since, now - timedelta(minutes=window_minutes)),
        (IdempotencyKey.created_at, now - RETENTION),
    ):
        table = column.class_
        keys = list(session.scalars(select(table.id).where(column < before).limit(BATCH_SIZE)))
        statements.append(delete(table).where(table.id.in_(keys), column < before))
    return sum(execute_dml(session, statement) for statement in statements)
