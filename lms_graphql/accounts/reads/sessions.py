"""Sessions: the actor of an access token, as the database knows them at this moment."""

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from lms_graphql.accounts.access_tokens import CLOCK_SKEW, Claims
from lms_graphql.accounts.models import SigningKey, User, UserSession
from lms_graphql.core.actor import Actor
from lms_graphql.core.statements import fetch_rows

_ACTIVE_SESSION = (
    select(User.id, User.role, SigningKey.retired_at)
    .join(UserSession, UserSession.user_id == User.id)
    .join(SigningKey, SigningKey.key_id == bindparam("key_id"))
    .where(
        UserSession.id == bindparam("session_key"),
        UserSession.ended_at.is_(None),
        User.id == bindparam("user_key"),
        User.is_active,
        User.deleted_at.is_(None),
    )
)
"""One statement in each request, so that a session which ends is over on every process at the next request."""


def find_actor(session: Session, claims: Claims) -> Actor | None:
    """Return the actor. Return None if session, user, role or signing key are no longer valid."""
    binds = {"key_id": claims.key_id, "session_key": claims.session_key, "user_key": claims.user_key}
    rows = fetch_rows(session, _ACTIVE_SESSION, binds)
    if not rows:
        return None
    key, role, retired_at = rows[0]
    if role is not claims.role:
        return None
    if retired_at is not None and claims.issued_at > retired_at + CLOCK_SKEW:
        return None  # forged: this service no longer signed with this key at that time
    return Actor(key, role, claims.session_key)
