"""Passwords changed and reset, addresses shown to be somebody's."""

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit, passwords, throttling
from lms_graphql.accounts.models import AccountToken, TokenPurpose, User
from lms_graphql.accounts.service.registering import MOST_MAILS, VERIFY_EMAIL, email_of
from lms_graphql.accounts.service.sessions import Desk, Opened, end_sessions, open_session
from lms_graphql.accounts.service.signing_in import account_limit, address_limit, too_often
from lms_graphql.accounts.throttling import Allowed
from lms_graphql.core import clock
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import ErrorCode, Refusal, Refusals
from lms_graphql.core.forms import Form
from lms_graphql.core.signing import new_token, token_hash
from lms_graphql.core.statements import changed
from lms_graphql.mail.service import post

RESET_PASSWORD = "reset_password"  # noqa: S105 - a kind of mail, not a password
PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a kind of mail, not a password
LIFETIMES = {TokenPurpose.VERIFY_EMAIL: timedelta(hours=24), TokenPurpose.RESET_PASSWORD: timedelta(hours=1)}


class Known(NamedTuple):
    """Whose password it is, and the hash that it is checked against."""

    user_key: int
    password_hash: str | None
    throttle: str


def begin_password_change(session: Session, actor: Actor, desk: Desk, new_password: str) -> Known | Refusal:
    """Counts the try as failed, until the current password is known to be right."""
    assert actor.id is not None
    user = session.get_one(User, actor.id)
    if wrong := passwords.faults(new_password, user.email, user.username, path="new_password"):
        raise Refusals(wrong)
    key = desk.signer.digest("password change", str(actor.id))
    limit = Allowed(key, desk.settings.login_failures_per_account, desk.settings.login_window_minutes)
    if not throttling.count(session, limit):
        return too_often(desk)
    return Known(actor.id, user.password_hash, key)


def wrong_password(session: Session, actor: Actor, desk: Desk) -> Refusal:
    audit.record(session, "account.password_change_failed", actor=actor.id, subject=actor.id, origin=desk.origin)
    return Refusal(ErrorCode.INVALID_CREDENTIALS, "This is not your current password.", ("current_password",))


def change_password(session: Session, actor: Actor, desk: Desk, known: Known, new_hash: str) -> Opened | Refusal:
    """Ends every session, and opens one for who has changed it."""
    kept = (User.id == known.user_key, User.password_hash == known.password_hash, User.is_active)
    if not changed(session, update(User).where(*kept).values(password_hash=new_hash, updated_at=clock.now())):
        return wrong_password(session, actor, desk)
    throttling.give_back(session, known.throttle)
    _after_a_new_password(session, desk, known.user_key, "account.password_changed")
    return open_session(session, desk, known.user_key, session.get_one(User, known.user_key).role)


def request_password_reset(session: Session, _actor: Actor, desk: Desk, email: str) -> bool | Refusal:
    """
    Writes down that a mail is wanted, for any address alike: whether there is an account, and who is behind it, is
    looked up when the mail is sent. So neither the answer nor its time tells.
    """
    form = Form()
    address = email_of(form, email)
    form.done()
    if not throttling.count(session, address_limit(desk, "password reset")):
        return too_often(desk)
    limit = account_limit(desk, address)
    key = desk.signer.digest("password reset account", limit.key)
    if throttling.count(session, limit._replace(key=key, failures=MOST_MAILS)):
        post(session, RESET_PASSWORD, address=address)
    return True


def begin_password_reset(session: Session, _actor: Actor, token: str, new_password: str) -> None:
    """Refusals with all that is wrong, before anything is done for it."""
    good = _good(token, TokenPurpose.RESET_PASSWORD)
    owner = session.scalar(select(User).join(AccountToken, AccountToken.user_id == User.id).where(*good))
    wrong = [] if owner is not None else [_no_such_token()]
    names = (owner.email, owner.username) if owner is not None else ()
    if wrong := [*wrong, *passwords.faults(new_password, *names, path="new_password")]:
        raise Refusals(wrong)


def reset_password(session: Session, _actor: Actor, desk: Desk, token: str, new_hash: str) -> bool:
    """Once for each token. Ends every session; what was wrong at sign-in before is forgotten."""
    user_key = _use(session, token, TokenPurpose.RESET_PASSWORD)
    there = update(User).where(User.id == user_key, User.deleted_at.is_(None))
    if not changed(session, there.values(password_hash=new_hash, updated_at=clock.now())):
        raise _no_such_token()
    _after_a_new_password(session, desk, user_key, "account.password_reset")
    email = session.scalar(select(User.email).where(User.id == user_key))
    throttling.forget(session, account_limit(desk, email or "").key)
    return True


def request_email_verification(session: Session, actor: Actor, desk: Desk) -> bool | Refusal:
    assert actor.id is not None
    if session.scalar(select(User.is_verified).where(User.id == actor.id)):
        return True
    key = desk.signer.digest("verification mail", str(actor.id))
    if not throttling.count(session, Allowed(key, MOST_MAILS, desk.settings.login_window_minutes)):
        return too_often(desk)
    post(session, VERIFY_EMAIL, user_id=actor.id)
    return True


def verify_email(session: Session, _actor: Actor, desk: Desk, token: str) -> bool:
    user_key = _use(session, token, TokenPurpose.VERIFY_EMAIL)
    changed(session, update(User).where(User.id == user_key).values(is_verified=True, updated_at=clock.now()))
    audit.record(session, "account.email_verified", subject=user_key, origin=desk.origin)
    return True


def make_token(session: Session, user_key: int, purpose: TokenPurpose) -> str:
    """A single-use token for a mail that is about to be sent."""
    token = new_token()
    expires_at = clock.now() + LIFETIMES[purpose]
    session.add(AccountToken(user_id=user_key, purpose=purpose, token_hash=token_hash(token), expires_at=expires_at))
    return token


def void_tokens(session: Session, user_key: int, *purposes: TokenPurpose) -> None:
    """Those that were not used are of no more use."""
    open_ones = (AccountToken.user_id == user_key, AccountToken.purpose.in_(purposes), AccountToken.used_at.is_(None))
    changed(session, update(AccountToken).where(*open_ones).values(used_at=clock.now()))


def _use(session: Session, token: str, purpose: TokenPurpose) -> int:
    """Whose token it is. Of several uses at once, one gets past here."""
    if not changed(session, update(AccountToken).where(*_good(token, purpose)).values(used_at=clock.now())):
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


def _after_a_new_password(session: Session, desk: Desk, user_key: int, what: str) -> None:
    end_sessions(session, user_key)
    void_tokens(session, user_key, TokenPurpose.RESET_PASSWORD)
    audit.record(session, what, actor=user_key, subject=user_key, origin=desk.origin)
    post(session, PASSWORD_CHANGED, user_id=user_key)


def _no_such_token() -> Refusal:
    message = "This link is used up, expired or not whole. Ask for a new one."
    return Refusal(ErrorCode.INVALID_TOKEN, message, ("token",))
