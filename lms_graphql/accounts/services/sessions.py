"""Sessions: opened, carried on, ended."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit
from lms_graphql.accounts.access_tokens import Claims, encode_token
from lms_graphql.accounts.models import RefreshToken, SigningKey, User, UserSession
from lms_graphql.core import clock, named_locks
from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.errors import DomainError, ErrorCode, RequestError, RequestErrorCode
from lms_graphql.core.signing import Signer, new_token, token_hash
from lms_graphql.core.statements import NOW, execute_dml, insert_ignore, insert_returning_key
from lms_graphql.settings import Settings

REUSE_SECONDS = 10
"""Two tabs may present the same token at once. Later than this, somebody has a token that is not theirs."""

USED_TOKEN_RETENTION_DAYS = 7
"""A device that never rests uses a hundred tokens a day. One that is forgotten is still of no use to anybody."""
_FORGET_USED = delete(RefreshToken).where(RefreshToken.session_id == bindparam("of"), RefreshToken.used_at < NOW)


class IssuedSession(NamedTuple):
    """A session with the one pair of tokens that nobody will see again."""

    actor: Actor
    access_token: str
    access_token_expires_at: datetime
    refresh_token: str
    refresh_token_expires_at: datetime


class TokenFamily(NamedTuple):
    """A session, whose it is, and until when it may be carried on."""

    key: int
    user_key: int
    role: Role
    expires_at: datetime


class AuthContext(NamedTuple):
    """What it takes to hand out tokens, and from where they were asked for."""

    signer: Signer
    settings: Settings
    client_ip: str


_OPEN, _HAND_OUT = insert(UserSession), insert(RefreshToken)


def create_session(session: Session, desk: AuthContext, user_key: int, role: Role) -> IssuedSession:
    expires_at = clock.now() + timedelta(days=desk.settings.refresh_token_days)
    key = insert_returning_key(session, _OPEN, {"user_id": user_key, "expires_at": expires_at})
    return _hand_out(session, desk, TokenFamily(key, user_key, role, expires_at))


def refresh_session(session: Session, _actor: Actor, desk: AuthContext, token: str) -> IssuedSession | DomainError:
    """The next pair for this token, which is used up. Of several at once exactly one gets it."""
    now, hashed = clock.now(), token_hash(token)
    unused = (RefreshToken.token_hash == hashed, RefreshToken.used_at.is_(None), RefreshToken.expires_at > now)
    used = execute_dml(session, update(RefreshToken).where(*unused).values(used_at=now))
    known = session.scalar(select(RefreshToken).where(RefreshToken.token_hash == hashed))
    if not used:
        if known is not None and known.used_at is not None:
            _watch_reuse(session, desk, known, now)
        return _no_such_token()
    assert known is not None
    family = session.get_one(UserSession, known.session_id)
    user = session.get_one(User, family.user_id)
    if family.ended_at is not None or not user.is_active or user.deleted_at is not None:
        return _no_such_token()
    family.expires_at = now + timedelta(days=desk.settings.refresh_token_days)
    execute_dml(session, _FORGET_USED, {"of": family.id, "now": now - timedelta(days=USED_TOKEN_RETENTION_DAYS)})
    return _hand_out(session, desk, TokenFamily(family.id, user.id, user.role, family.expires_at))


def end_session_by_token(session: Session, actor: Actor, desk: AuthContext, token: str) -> bool | DomainError:
    """Signs out the device that has this token. It may be used up or ended already: the wish is true then."""
    known = session.scalar(select(RefreshToken).where(RefreshToken.token_hash == token_hash(token)))
    if known is None:
        return _no_such_token()
    family = session.get_one(UserSession, known.session_id)
    end = update(UserSession).where(UserSession.id == family.id, UserSession.ended_at.is_(None))
    if execute_dml(session, end.values(ended_at=clock.now())):
        audit.record(session, "session.ended", actor=actor.key, subject=family.user_id, client_ip=desk.client_ip)
    return True


def end_all_sessions(session: Session, user_key: int) -> int:
    """All sessions of someone, at once and for access tokens too. How many there were."""
    live = (UserSession.user_id == user_key, UserSession.ended_at.is_(None))
    return execute_dml(session, update(UserSession).where(*live).values(ended_at=clock.now()))


def require_active_session(session: Session, actor: Actor, began: datetime) -> None:
    """
    The last thing in every transaction of somebody signed in: RequestError where their session had ended when it
    began, though it had not when the request came. An UPDATE, and of nothing, so that whoever ends the session waits,
    or is waited for. What ends one's own session passes.
    """
    if actor.session_key is None:
        return
    if not execute_dml(session, _TOUCH_LIVE, {"of": actor.session_key, "now": began}):
        raise RequestError(RequestErrorCode.UNAUTHENTICATED, "This session has ended. Sign in again.")


_TOUCH_LIVE = (
    update(UserSession)
    .where(UserSession.id == bindparam("of"), or_(UserSession.ended_at.is_(None), UserSession.ended_at >= NOW))
    .values(ended_at=UserSession.ended_at, updated_at=UserSession.updated_at)
)


def end_own_sessions(session: Session, actor: Actor, desk: AuthContext) -> bool:
    assert actor.key is not None
    ended = end_all_sessions(session, actor.key)
    audit.record(
        session, "session.ended_everywhere", actor=actor.key, subject=actor.key, client_ip=desk.client_ip, ended=ended
    )
    return True


def _hand_out(session: Session, desk: AuthContext, of: TokenFamily) -> IssuedSession:
    token = new_token()
    execute_dml(
        session, _HAND_OUT, {"session_id": of.key, "token_hash": token_hash(token), "expires_at": of.expires_at}
    )
    claims = Claims(of.user_key, of.key, of.role, current_key_id(session), clock.now())
    access_token, expires_at = encode_token(desk.signer, claims, desk.settings.access_token_minutes)
    return IssuedSession(Actor(of.user_key, of.role, of.key), access_token, expires_at, token, of.expires_at)


def current_key_id(session: Session) -> str:
    """The id of the key that signs now. The first one is made when it is first needed."""
    session.flush()
    if (key_id := session.connection().scalar(_NEWEST_KEY)) is None:
        now = clock.now()
        session.execute(insert_ignore(SigningKey), {"key_id": "k1", "created_at": now, "updated_at": now})
        key_id = "k1"
    return key_id


def rotate_keys(session: Session) -> str:
    """A new signing key. What the old ones have signed stays good until it expires."""
    named_locks.lock(session, "signing keys")
    number = (session.scalar(select(func.count()).select_from(SigningKey)) or 0) + 1
    retire = update(SigningKey).where(SigningKey.retired_at.is_(None))
    execute_dml(session, retire.values(retired_at=clock.now()))
    key = SigningKey(key_id=f"k{number}")
    session.add(key)
    audit.record(session, "keys.rotated", key=key.key_id)
    return key.key_id


_NEWEST_KEY = select(SigningKey.key_id).where(SigningKey.retired_at.is_(None)).order_by(SigningKey.id.desc()).limit(1)


def _watch_reuse(session: Session, desk: AuthContext, known: RefreshToken, now: datetime) -> None:
    assert known.used_at is not None
    if now - known.used_at <= timedelta(seconds=REUSE_SECONDS):
        return
    end = update(UserSession).where(UserSession.id == known.session_id, UserSession.ended_at.is_(None))
    if execute_dml(session, end.values(ended_at=now)):
        owner = session.scalar(select(UserSession.user_id).where(UserSession.id == known.session_id))
        audit.record(session, "session.token_reused", subject=owner, client_ip=desk.client_ip)


def _no_such_token() -> DomainError:
    return DomainError(
        ErrorCode.INVALID_TOKEN, "This token is not valid any more. Sign in again.", ("refresh_token",)
    )
