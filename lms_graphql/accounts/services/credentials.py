"""Credentials: change and reset of passwords, verification of email addresses."""

from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit, password_policy, rate_limits
from lms_graphql.accounts.models import AccountToken, TokenPurpose, User
from lms_graphql.accounts.rate_limits import RateLimit
from lms_graphql.accounts.services.account_tokens import invalid_token, invalidate_tokens, use_token, valid_token
from lms_graphql.accounts.services.current_password import PasswordCheck, begin_password_check, record_wrong_password
from lms_graphql.accounts.services.email_changes import cancel_email_change
from lms_graphql.accounts.services.login import account_rate_limits, client_rate_limit, rate_limit_error
from lms_graphql.accounts.services.registration import MAX_MAILS_PER_WINDOW, VERIFY_EMAIL_MAIL, validate_email_field
from lms_graphql.accounts.services.sessions import AuthContext, IssuedSession, create_session, end_all_sessions
from lms_graphql.core import clock
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, DomainErrors
from lms_graphql.core.signing import token_hash
from lms_graphql.core.statements import execute_dml
from lms_graphql.core.validation import Validator
from lms_graphql.mail.outbox import enqueue

RESET_PASSWORD_MAIL = "reset_password"  # noqa: S105 - a kind of mail, not a password
PASSWORD_CHANGED_MAIL = "password_changed"  # noqa: S105 - a kind of mail, not a password
PASSWORD_CHANGE_FAILED = "account.password_change_failed"  # noqa: S105 - an audit action, not a password
"""Audit action of a password change with a wrong current password."""


def begin_password_change(
    session: Session, actor: Actor, auth: AuthContext, new_password: str
) -> PasswordCheck | DomainError:
    """Count the attempt as failed until the current password is known to be right.

    Return RATE_LIMITED at the limit. Raise DomainErrors if the new password violates the policy.
    """
    user = session.get_one(User, actor.key)
    if errors := password_policy.password_errors(new_password, user.email, user.username, path="new_password"):
        raise DomainErrors(errors)
    return begin_password_check(session, actor, auth)


def change_password(
    session: Session, actor: Actor, auth: AuthContext, check: PasswordCheck, new_hash: str
) -> IssuedSession | DomainError:
    """Store the new hash, end all sessions of the user and return a new one.

    Return INVALID_CREDENTIALS if the stored hash has changed since it was verified.
    """
    values = {"password_hash": new_hash, "updated_at": clock.now()}
    if not execute_dml(session, update(User).where(*check.is_unchanged).values(values)):
        return record_wrong_password(session, actor, auth, PASSWORD_CHANGE_FAILED)
    rate_limits.refund(session, check.limit_key)
    _complete_password_change(session, auth, check.user_key, "account.password_changed")
    return create_session(session, auth, check.user_key, session.get_one(User, check.user_key).role)


def request_password_reset(session: Session, _actor: Actor, auth: AuthContext, email: str) -> bool | DomainError:
    """Enqueue the mail with the reset link, and return True or RATE_LIMITED.

    All email addresses take the same path: whether one has an account is looked up when the mail is sent. So neither
    the answer nor its time reveals it.
    """
    validator = Validator()
    valid_email = validate_email_field(validator, email)
    validator.raise_errors()
    if not rate_limits.consume(session, client_rate_limit(auth, "password reset")):
        return rate_limit_error(auth)
    _, limit = account_rate_limits(auth, valid_email)
    key = auth.signer.digest("password reset account", limit.key)
    if rate_limits.consume(session, limit._replace(key=key, limit=MAX_MAILS_PER_WINDOW)):
        enqueue(session, RESET_PASSWORD_MAIL, email=valid_email)
    return True


def begin_password_reset(
    session: Session, _actor: Actor, auth: AuthContext, token: str, new_password: str
) -> str | None:
    """Raise DomainErrors with all problems of the token and the new password. Write nothing.

    Return None, or for a token that has just been used the password hash that is stored now.
    """
    is_valid = valid_token(token, TokenPurpose.RESET_PASSWORD)
    user = session.scalar(select(User).join(AccountToken, AccountToken.user_id == User.id).where(*is_valid))
    if user is None and (stored_hash := _hash_after_recent_reset(session, auth, token)) is not None:
        return stored_hash
    errors = [] if user is not None else [invalid_token()]
    names = (user.email, user.username) if user is not None else ()
    errors += password_policy.password_errors(new_password, *names, path="new_password")
    if errors:
        raise DomainErrors(errors)
    return None


def reset_password(session: Session, _actor: Actor, auth: AuthContext, token: str, new_hash: str) -> str | None:
    """Use up the token, store the new hash and end all sessions of the user.

    The limit of failed logins starts from zero for the account, and for the account in the client's network. A token
    works once, also in concurrent requests. Return None, or the stored hash if another request has just used the
    token. Raise INVALID_TOKEN.
    """
    user_key = use_token(session, token, TokenPurpose.RESET_PASSWORD)
    if user_key is None:
        if (stored_hash := _hash_after_recent_reset(session, auth, token)) is None:
            raise invalid_token()
        return stored_hash
    store = update(User).where(User.id == user_key, User.deleted_at.is_(None))
    if not execute_dml(session, store.values(password_hash=new_hash, updated_at=clock.now())):
        raise invalid_token()
    _complete_password_change(session, auth, user_key, "account.password_reset")
    email = session.scalar(select(User.email).where(User.id == user_key))
    for limit in account_rate_limits(auth, email or ""):
        rate_limits.reset(session, limit.key)
    return None


def _hash_after_recent_reset(session: Session, auth: AuthContext, token: str) -> str | None:
    """Return the stored password hash of the user whose reset token this is, if it has just been used.

    The caller verifies the presented password against it. That reveals nothing to the owner of the mailbox, who can
    set any password with another mail.
    """
    used_since = clock.now() - timedelta(seconds=auth.settings.token_reuse_seconds)
    statement = select(User.password_hash).join(AccountToken, AccountToken.user_id == User.id)
    return session.scalar(
        statement.where(
            AccountToken.token_hash == token_hash(token),
            AccountToken.purpose == TokenPurpose.RESET_PASSWORD,
            AccountToken.used_at >= used_since,
        )
    )


def request_email_verification(session: Session, actor: Actor, auth: AuthContext) -> bool | DomainError:
    """Enqueue the verification mail unless the email address is verified. Return True or RATE_LIMITED."""
    assert actor.key is not None
    if session.scalar(select(User.is_verified).where(User.id == actor.key)):
        return True
    key = auth.signer.digest("verification mail", str(actor.key))
    if not rate_limits.consume(session, RateLimit(key, MAX_MAILS_PER_WINDOW, auth.settings.login_window_minutes)):
        return rate_limit_error(auth)
    enqueue(session, VERIFY_EMAIL_MAIL, user_key=actor.key)
    return True


def verify_email(session: Session, _actor: Actor, auth: AuthContext, token: str) -> bool:
    """Use up the token and mark its user's email address as verified. Raise INVALID_TOKEN."""
    user_key = use_token(session, token, TokenPurpose.VERIFY_EMAIL)
    if user_key is None:
        raise invalid_token()
    execute_dml(session, update(User).where(User.id == user_key).values(is_verified=True, updated_at=clock.now()))
    audit.record(session, "account.email_verified", subject=user_key, client_ip=auth.client_ip)
    return True


def _complete_password_change(session: Session, auth: AuthContext, user_key: int, action: str) -> None:
    """End all sessions, invalidate reset tokens, cancel an email change, record the action and notify the user."""
    end_all_sessions(session, user_key)
    invalidate_tokens(session, user_key, TokenPurpose.RESET_PASSWORD)
    cancel_email_change(session, user_key)
    audit.record(session, action, actor=user_key, subject=user_key, client_ip=auth.client_ip)
    enqueue(session, PASSWORD_CHANGED_MAIL, user_key=user_key)
