"""Who an access token speaks for, as things stand now."""

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from lms_graphql.accounts.access_tokens import CLOCK_SKEW, Claims
from lms_graphql.accounts.models import SigningKey, User, UserSession
from lms_graphql.core.actor import Actor
from lms_graphql.core.statements import fetch_rows

_LIVE = (
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
"""One statement a request: a session that was ended is over on every process with the next request."""


def find_actor(session: Session, claims: Claims) -> Actor | None:
    """The actor; None where the session, the account or the key is no longer good."""
    binds = {"key_id": claims.key_id, "session_key": claims.session_key, "user_key": claims.user_key}
    rows = fetch_rows(session, _LIVE, binds)
    if not rows:
        return None
    key, role, retired_at = rows[0]
    if role is not claims.role:
        return None
    if retired_at is not None and claims.issued_at > retired_at + CLOCK_SKEW:
        return None  # signed with a key that had been retired by then: whoever has it is not us
    return Actor(key, role, claims.session_key)
