"""Passwords changed and reset, addresses shown to be somebody's."""

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit, password_policy, rate_limits
from lms_graphql.accounts.models import AccountToken, TokenPurpose, User
from lms_graphql.accounts.rate_limits import RateLimit
from lms_graphql.accounts.services.login import account_rate_limit, client_rate_limit, rate_limited
from lms_graphql.accounts.services.registration import MAX_MAILS_PER_WINDOW, VERIFY_EMAIL_MAIL, validate_email_field
from lms_graphql.accounts.services.sessions import AuthContext, IssuedSession, create_session, end_all_sessions
from lms_graphql.core import clock
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, DomainErrors, ErrorCode
from lms_graphql.core.signing import new_token, token_hash
from lms_graphql.core.statements import execute_dml
from lms_graphql.core.validation import Validator
from lms_graphql.mail.outbox import enqueue

RESET_PASSWORD = "reset_password"  # noqa: S105 - a kind of mail, not a password
PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a kind of mail, not a password
LIFETIMES = {TokenPurpose.VERIFY_EMAIL: timedelta(hours=24), TokenPurpose.RESET_PASSWORD: timedelta(hours=1)}


class PasswordCheck(NamedTuple):
    """Whose password it is, and the hash that it is checked against."""

    user_key: int
    password_hash: str | None
    throttle: str


def begin_password_change(
    session: Session, actor: Actor, desk: AuthContext, new_password: str
) -> PasswordCheck | DomainError:
    """Counts the try as failed, until the current password is known to be right."""
    assert actor.key is not None
    user = session.get_one(User, actor.key)
    if wrong := password_policy.password_errors(new_password, user.email, user.username, path="new_password"):
        raise DomainErrors(wrong)
    key = desk.signer.digest("password change", str(actor.key))
    limit = RateLimit(key, desk.settings.login_failures_per_account, desk.settings.login_window_minutes)
    if not rate_limits.consume(session, limit):
        return rate_limited(desk)
    return PasswordCheck(actor.key, user.password_hash, key)


def record_wrong_password(session: Session, actor: Actor, desk: AuthContext) -> DomainError:
    audit.record(
        session, "account.password_change_failed", actor=actor.key, subject=actor.key, client_ip=desk.client_ip
    )
    return DomainError(ErrorCode.INVALID_CREDENTIALS, "This is not your current password.", ("current_password",))


def change_password(
    session: Session, actor: Actor, desk: AuthContext, known: PasswordCheck, new_hash: str
) -> IssuedSession | DomainError:
    """Ends every session, and opens one for who has changed it."""
    kept = (User.id == known.user_key, User.password_hash == known.password_hash, User.is_active)
    if not execute_dml(session, update(User).where(*kept).values(password_hash=new_hash, updated_at=clock.now())):
        return record_wrong_password(session, actor, desk)
    rate_limits.refund(session, known.throttle)
    _after_a_new_password(session, desk, known.user_key, "account.password_changed")
    return create_session(session, desk, known.user_key, session.get_one(User, known.user_key).role)


def request_password_reset(session: Session, _actor: Actor, desk: AuthContext, email: str) -> bool | DomainError:
    """
    Writes down that a mail is wanted, for any address alike: whether there is an account, and who is behind it, is
    looked up when the mail is sent. So neither the answer nor its time tells.
    """
    form = Validator()
    address = validate_email_field(form, email)
    form.raise_errors()
    if not rate_limits.consume(session, client_rate_limit(desk, "password reset")):
        return rate_limited(desk)
    limit = account_rate_limit(desk, address)
    key = desk.signer.digest("password reset account", limit.key)
    if rate_limits.consume(session, limit._replace(key=key, limit=MAX_MAILS_PER_WINDOW)):
        enqueue(session, RESET_PASSWORD, address=address)
    return True


def begin_password_reset(session: Session, _actor: Actor, token: str, new_password: str) -> None:
    """Refusals with all that is wrong, before anything is done for it."""
    good = _good(token, TokenPurpose.RESET_PASSWORD)
    owner = session.scalar(select(User).join(AccountToken, AccountToken.user_id == User.id).where(*good))
    wrong = [] if owner is not None else [_no_such_token()]
    names = (owner.email, owner.username) if owner is not None else ()
    if wrong := [*wrong, *password_policy.password_errors(new_password, *names, path="new_password")]:
        raise DomainErrors(wrong)


def reset_password(session: Session, _actor: Actor, desk: AuthContext, token: str, new_hash: str) -> bool:
    """Once for each token. Ends every session; what was wrong at sign-in before is forgotten."""
    user_key = _use(session, token, TokenPurpose.RESET_PASSWORD)
    there = update(User).where(User.id == user_key, User.deleted_at.is_(None))
    if not execute_dml(session, there.values(password_hash=new_hash, updated_at=clock.now())):
        raise _no_such_token()
    _after_a_new_password(session, desk, user_key, "account.password_reset")
    email = session.scalar(select(User.email).where(User.id == user_key))
    rate_limits.reset(session, account_rate_limit(desk, email or "").key)
    return True


def request_email_verification(session: Session, actor: Actor, desk: AuthContext) -> bool | DomainError:
    assert actor.key is not None
    if session.scalar(select(User.is_verified).where(User.id == actor.key)):
        return True
    key = desk.signer.digest("verification mail", str(actor.key))
    if not rate_limits.consume(session, RateLimit(key, MAX_MAILS_PER_WINDOW, desk.settings.login_window_minutes)):
        return rate_limited(desk)
    enqueue(session, VERIFY_EMAIL_MAIL, user_id=actor.key)
    return True


def verify_email(session: Session, _actor: Actor, desk: AuthContext, token: str) -> bool:
    user_key = _use(session, token, TokenPurpose.VERIFY_EMAIL)
    execute_dml(session, update(User).where(User.id == user_key).values(is_verified=True, updated_at=clock.now()))
    audit.record(session, "account.email_verified", subject=user_key, client_ip=desk.client_ip)
    return True


def make_token(session: Session, user_key: int, purpose: TokenPurpose) -> str:
    """A single-use token for a mail that is about to be sent."""
    token = new_token()
    expires_at = clock.now() + LIFETIMES[purpose]
    session.add(AccountToken(user_id=user_key, purpose=purpose, token_hash=token_hash(token), expires_at=expires_at))
    return token


def invalidate_tokens(session: Session, user_key: int, *purposes: TokenPurpose) -> None:
    """Those that were not used are of no more use."""
    open_ones = (AccountToken.user_id == user_key, AccountToken.purpose.in_(purposes), AccountToken.used_at.is_(None))
    execute_dml(session, update(AccountToken).where(*open_ones).values(used_at=clock.now()))


def _use(session: Session, token: str, purpose: TokenPurpose) -> int:
    """Whose token it is. Of several uses at once, one gets past here."""
    if not execute_dml(session, update(AccountToken).where(*_good(token, purpose)).values(used_at=clock.now())):
        raise _no_such_token()
    owner = select(AccountToken.user_id).where(AccountToken.token_hash == token_hash(token))
    user_key: int = session.scalars(owner).one()
    return user_key


def _good(token: str, purpose: TokenPurpose) -> tuple[ColumnElement[bool], ...]:
    return (
        AccountToken.token_hash == token_hash(token),
        AccountToken.purpose == purpose,
        AccountToken.used_at.is_(None),
        AccountToken.expires_at > clock.now(),
    )


def _after_a_new_password(session: Session, desk: AuthContext, user_key: int, what: str) -> None:
    end_all_sessions(session, user_key)
    invalidate_tokens(session, user_key, TokenPurpose.RESET_PASSWORD)
    audit.record(session, what, actor=user_key, subject=user_key, client_ip=desk.client_ip)
    enqueue(session, PASSWORD_CHANGED, user_id=user_key)


def _no_such_token() -> DomainError:
    message = "This link is used up, expired or not whole. Ask for a new one."
    return DomainError(ErrorCode.INVALID_TOKEN, message, ("token",))
