"""Sessions: the actor of an access token, as the database knows them at this moment, and sessions as rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from lms_graphql.accounts.access_tokens import CLOCK_SKEW, Claims
from lms_graphql.accounts.models import SigningKey, User, UserSession
from lms_graphql.accounts.policies import sessions_visible_to
from lms_graphql.core import clock
from lms_graphql.core.actor import AccessLevel, Actor
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.statements import KEYS, NOW, RowSelect, fetch_rows, group_rows

MAX_SESSIONS = 100
"""Sessions in the list of a user."""

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


@with_global_id("UserSession")
class SessionRow(NamedTuple):
    key: int
    user_key: int
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    client_ip: str | None
    user_agent: str | None
    is_current: bool


COLUMNS = (
    UserSession.id,
    UserSession.user_id,
    UserSession.created_at,
    UserSession.last_used_at,
    UserSession.expires_at,
    UserSession.client_ip,
    UserSession.user_agent,
)


@cache
def _active_sessions(access_level: AccessLevel) -> RowSelect:
    is_active = (UserSession.ended_at.is_(None), UserSession.expires_at > NOW)
    return select(*COLUMNS).where(*is_active, sessions_visible_to(access_level))


@cache
def _sessions_by_key(access_level: AccessLevel) -> RowSelect:
    return _active_sessions(access_level).where(UserSession.id.in_(KEYS))


@cache
def _sessions_by_user(access_level: AccessLevel) -> RowSelect:
    """Return a statement that numbers the sessions of each user, the last used first, and selects `MAX_SESSIONS`."""
    order = (UserSession.last_used_at.desc(), UserSession.id.desc())
    position = func.row_number().over(partition_by=UserSession.user_id, order_by=order).label("position")
    rows = _active_sessions(access_level).where(UserSession.user_id.in_(KEYS)).add_columns(position).subquery()
    columns = [rows.c[column.key] for column in COLUMNS]
    return select(*columns).where(rows.c.position <= MAX_SESSIONS).order_by(rows.c.user_id, rows.c.position)


def sessions_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, SessionRow]:
    """Return visible sessions that have neither ended nor expired."""
    rows = fetch_rows(session, _sessions_by_key(actor.access_level), _binds(actor, keys))
    return {row[0]: _to_row(row, actor) for row in rows}


def sessions_by_user(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, list[SessionRow]]:
    """Return the last used sessions of each user, at most `MAX_SESSIONS`. None has ended or expired."""
    rows = fetch_rows(session, _sessions_by_user(actor.access_level), _binds(actor, keys))
    return group_rows(rows, lambda row: _to_row(row, actor), by=1)


def _to_row(row: Any, actor: Actor) -> SessionRow:
    return SessionRow._make([*row, row[0] == actor.session_key])


def _binds(actor: Actor, keys: Sequence[int]) -> Mapping[str, Any]:
    return {**actor.bind_params, "keys": keys, "now": clock.now()}
