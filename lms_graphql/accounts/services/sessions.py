"""Sessions: issue, refresh and end them; signing keys of access tokens."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit
from lms_graphql.accounts.access_tokens import Claims, encode_token
from lms_graphql.accounts.models import RefreshToken, SigningKey, User, UserSession
from lms_graphql.core import clock, global_ids, named_locks
from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.errors import DomainError, ErrorCode, RequestError, RequestErrorCode, not_found
from lms_graphql.core.signing import Signer, new_token, token_hash
from lms_graphql.core.statements import NOW, execute_dml, insert_ignore, insert_returning_key
from lms_graphql.settings import Settings

SIGNING_KEYS_LOCK = "signing keys"
USED_TOKEN_RETENTION_DAYS = 7
"""Used tokens are deleted later, because a device that is always online uses a hundred a day.

A deleted token stays invalid.
"""
_DELETE_USED_TOKENS = delete(RefreshToken).where(
    RefreshToken.session_id == bindparam("session_key"), RefreshToken.used_at < NOW
)


class IssuedSession(NamedTuple):
    """A session with a pair of tokens. Only the hash of the refresh token is stored."""

    actor: Actor
    access_token: str
    access_token_expires_at: datetime
    refresh_token: str
    refresh_token_expires_at: datetime


class TokenFamily(NamedTuple):
    """A session as far as its tokens need it: user, role and expiry time."""

    key: int
    user_key: int
    role: Role
    expires_at: datetime


class AuthContext(NamedTuple):
    """Inputs for issuing tokens: signer, settings, client IP and user agent."""

    signer: Signer
    settings: Settings
    client_ip: str
    user_agent: str | None = None


_INSERT_SESSION, _INSERT_REFRESH_TOKEN = insert(UserSession), insert(RefreshToken)


def create_session(session: Session, auth: AuthContext, user_key: int, role: Role) -> IssuedSession:
    """Create a session of the user and issue its first pair of tokens."""
    now = clock.now()
    expires_at = now + timedelta(days=auth.settings.refresh_token_days)
    values = {"user_id": user_key, "created_at": now, "expires_at": expires_at, **_details(auth, now)}
    key = insert_returning_key(session, _INSERT_SESSION, values)
    family, refresh_token = TokenFamily(key, user_key, role, expires_at), new_token()
    _store_refresh_token(session, family, refresh_token)
    return _issue(session, auth, family, refresh_token)


def refresh_session(session: Session, _actor: Actor, auth: AuthContext, token: str) -> IssuedSession | DomainError:
    """Use up a refresh token and return the next pair, or INVALID_TOKEN.

    The next refresh token is derived from the presented one. So concurrent refreshes with one token, and a repetition
    within `token_reuse_seconds` because the answer was lost, return the same one. Reuse that is later, or after the
    next token was used, ends the session.
    """
    now, hashed = clock.now(), token_hash(token)
    is_unused = (RefreshToken.token_hash == hashed, RefreshToken.used_at.is_(None), RefreshToken.expires_at > now)
    was_unused = execute_dml(session, update(RefreshToken).where(*is_unused).values(used_at=now))
    presented = session.scalar(select(RefreshToken).where(RefreshToken.token_hash == hashed))
    if presented is None or (not was_unused and presented.used_at is None):  # unknown or expired
        return _invalid_token()
    successor = auth.signer.successor_of(token)
    if not was_unused:
        next_token = session.scalar(select(RefreshToken).where(RefreshToken.token_hash == token_hash(successor)))
        if _is_stolen(auth, presented, next_token, now):
            _end_stolen_session(session, auth, presented.session_id, now)
            return _invalid_token()
        if next_token is None:  # the secret key has just been replaced
            return _invalid_token()
    family = _active_family(session, presented)
    if family is None:
        return _invalid_token()
    if was_unused:
        family = _extend(session, auth, family, now)
        _store_refresh_token(session, family, successor)
    return _issue(session, auth, family, successor)


def end_session_by_token(session: Session, actor: Actor, auth: AuthContext, token: str) -> bool | DomainError:
    """End the session of a refresh token and return True, or return INVALID_TOKEN for an unknown token.

    A used token is valid here, and so is one whose session has ended: its session is over, as the caller wants.
    """
    refresh_token = session.scalar(select(RefreshToken).where(RefreshToken.token_hash == token_hash(token)))
    if refresh_token is None:
        return _invalid_token()
    user_session = session.get_one(UserSession, refresh_token.session_id)
    if _end_session(session, user_session.id, clock.now()):
        user_key = user_session.user_id
        audit.record(session, "session.ended", actor=actor.key, subject=user_key, client_ip=auth.client_ip)
    return True


def end_all_sessions(session: Session, user_key: int, except_key: int | None = None) -> int:
    """End all sessions of the user, except one if it is named. Return their number.

    Their access tokens become invalid at once.
    """
    is_active = [UserSession.user_id == user_key, UserSession.ended_at.is_(None)]
    if except_key is not None:
        is_active.append(UserSession.id != except_key)
    return execute_dml(session, update(UserSession).where(*is_active).values(ended_at=clock.now()))


def erase_session_details(session: Session, user_key: int) -> None:
    """Erase the client IPs and user agents of the user's sessions, because the account is erased."""
    details = {"client_ip": None, "user_agent": None}
    execute_dml(session, update(UserSession).where(UserSession.user_id == user_key).values(details))


def end_own_session(session: Session, actor: Actor, auth: AuthContext, session_id: str) -> int:
    """End a session of the actor, and return its key. Ending it again changes nothing.

    Raise NOT_FOUND, or FORBIDDEN for a session of another user that a super admin sees.
    """
    key = global_ids.decode_key("UserSession", session_id) or global_ids.NO_KEY
    now = clock.now()
    if _end_session(session, key, now, UserSession.user_id == actor.key):
        audit.record(session, "session.ended", actor=actor.key, subject=actor.key, client_ip=auth.client_ip)
        return key
    user_session = session.get(UserSession, key)
    if user_session is not None and user_session.user_id == actor.key:
        return key
    is_active = user_session is not None and user_session.ended_at is None and user_session.expires_at > now
    if is_active and actor.is_super_admin:
        message = "You can end your own sessions only. To end those of another user, suspend the account."
        raise RequestError(RequestErrorCode.FORBIDDEN, message)
    raise not_found("session_id")


def require_active_session(session: Session, actor: Actor, started_at: datetime) -> None:
    """Raise RequestError UNAUTHENTICATED if the actor's session had ended before this transaction began.

    This is the last step of every write of a logged-in actor, because the session may have ended after the request
    was authenticated. It is an UPDATE that changes nothing, so that it and a transaction that ends the session wait
    for each other. A transaction that ends the actor's own session passes.
    """
    if actor.session_key is None:
        return
    if not execute_dml(session, _TOUCH_ACTIVE_SESSION, {"session_key": actor.session_key, "now": started_at}):
        raise RequestError(RequestErrorCode.UNAUTHENTICATED, "This session has ended. Log in again.")


_TOUCH_ACTIVE_SESSION = (
    update(UserSession)
    .where(
        UserSession.id == bindparam("session_key"), or_(UserSession.ended_at.is_(None), UserSession.ended_at >= NOW)
    )
    .values(ended_at=UserSession.ended_at, updated_at=UserSession.updated_at)
)


def end_own_sessions(session: Session, actor: Actor, auth: AuthContext) -> bool:
    """End all sessions of the actor, including the current one."""
    assert actor.key is not None
    ended = end_all_sessions(session, actor.key)
    audit.record(
        session, "session.ended_everywhere", actor=actor.key, subject=actor.key, client_ip=auth.client_ip, ended=ended
    )
    return True


def _active_family(session: Session, token: RefreshToken) -> TokenFamily | None:
    """Return the session of a token; None if it has ended or its user may not log in."""
    user_session = session.get_one(UserSession, token.session_id)
    user = session.get_one(User, user_session.user_id)
    if user_session.ended_at is not None or not user.is_active or user.deleted_at is not None:
        return None
    return TokenFamily(user_session.id, user.id, user.role, user_session.expires_at)


def _extend(session: Session, auth: AuthContext, family: TokenFamily, now: datetime) -> TokenFamily:
    """Extend the session because it was used, and delete its oldest used tokens."""
    expires_at = now + timedelta(days=auth.settings.refresh_token_days)
    values = {"expires_at": expires_at, **_details(auth, now)}
    execute_dml(session, update(UserSession).where(UserSession.id == family.key).values(values))
    oldest = now - timedelta(days=USED_TOKEN_RETENTION_DAYS)
    execute_dml(session, _DELETE_USED_TOKENS, {"session_key": family.key, "now": oldest})
    return family._replace(expires_at=expires_at)


def _details(auth: AuthContext, now: datetime) -> dict[str, Any]:
    """Return the columns of a session that each login and each refresh sets."""
    return {"last_used_at": now, "client_ip": auth.client_ip, "user_agent": auth.user_agent}


def _store_refresh_token(session: Session, family: TokenFamily, token: str) -> None:
    values = {"session_id": family.key, "token_hash": token_hash(token), "expires_at": family.expires_at}
    execute_dml(session, _INSERT_REFRESH_TOKEN, values)


def _issue(session: Session, auth: AuthContext, family: TokenFamily, refresh_token: str) -> IssuedSession:
    """Return the session with this refresh token and a new access token."""
    claims = Claims(family.user_key, family.key, family.role, current_key_id(session), clock.now())
    access_token, expires_at = encode_token(auth.signer, claims, auth.settings.access_token_minutes)
    actor = Actor(family.user_key, family.role, family.key)
    return IssuedSession(actor, access_token, expires_at, refresh_token, family.expires_at)


def current_key_id(session: Session) -> str:
    """Return the id of the current signing key. Create the first key when it is needed."""
    session.flush()
    if (key_id := session.connection().scalar(_NEWEST_KEY)) is None:
        now = clock.now()
        session.execute(insert_ignore(SigningKey), {"key_id": "k1", "created_at": now, "updated_at": now})
        key_id = "k1"
    return key_id


def rotate_keys(session: Session) -> str:
    """Create a new signing key, retire the others and return its id.

    Tokens that a retired key has signed stay valid until they expire.
    """
    named_locks.lock(session, SIGNING_KEYS_LOCK)
    number = (session.scalar(select(func.count()).select_from(SigningKey)) or 0) + 1
    retire = update(SigningKey).where(SigningKey.retired_at.is_(None))
    execute_dml(session, retire.values(retired_at=clock.now()))
    key = SigningKey(key_id=f"k{number}")
    session.add(key)
    audit.record(session, "keys.rotated", key=key.key_id)
    return key.key_id


_NEWEST_KEY = select(SigningKey.key_id).where(SigningKey.retired_at.is_(None)).order_by(SigningKey.id.desc()).limit(1)


def _is_stolen(auth: AuthContext, used: RefreshToken, successor: RefreshToken | None, now: datetime) -> bool:
    """Return whether a used token that is presented again must be a copy.

    Within `token_reuse_seconds`, while the successor is unused, it may be that an answer was lost, or another tab.
    """
    assert used.used_at is not None
    is_late = now - used.used_at > timedelta(seconds=auth.settings.token_reuse_seconds)
    return is_late or (successor is not None and successor.used_at is not None)


def _end_stolen_session(session: Session, auth: AuthContext, key: int, now: datetime) -> None:
    if _end_session(session, key, now):
        user_key = session.scalar(select(UserSession.user_id).where(UserSession.id == key))
        audit.record(session, "session.token_reused", subject=user_key, client_ip=auth.client_ip)


def _end_session(session: Session, key: int, now: datetime, *conditions: ColumnElement[bool]) -> bool:
    """End a session that meets the conditions, and return whether it was active."""
    is_active = (UserSession.id == key, UserSession.ended_at.is_(None), *conditions)
    return execute_dml(session, update(UserSession).where(*is_active).values(ended_at=now)) == 1


def _invalid_token() -> DomainError:
    message = "This refresh token is no longer valid. Log in again."
    return DomainError(ErrorCode.INVALID_TOKEN, message, ("refresh_token",))
