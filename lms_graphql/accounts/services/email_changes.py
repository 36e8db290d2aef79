"""Changes of email addresses: a request, which mails a link to the new address, and its confirmation."""

from datetime import timedelta
from functools import partial
from typing import NamedTuple

from sqlalchemy import ColumnElement, ColumnExpressionArgument, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit, email_addresses, rate_limits, search_index
from lms_graphql.accounts.models import EmailChange, EmailChangeToken, TokenPurpose, User
from lms_graphql.accounts.rate_limits import RateLimit
from lms_graphql.accounts.services.account_tokens import invalid_token, invalidate_tokens
from lms_graphql.accounts.services.current_password import PasswordCheck, record_wrong_password
from lms_graphql.accounts.services.login import client_rate_limit, rate_limit_error
from lms_graphql.accounts.services.registration import MAX_MAILS_PER_WINDOW, validate_email_field
from lms_graphql.accounts.services.sessions import AuthContext, end_all_sessions
from lms_graphql.core import clock
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError
from lms_graphql.core.signing import new_token, token_hash
from lms_graphql.core.statements import execute_dml, fetch_rows, peek
from lms_graphql.core.validation import Validator
from lms_graphql.mail.outbox import enqueue

EMAIL_CHANGE_MAIL = "email_change"
"""Kind of the mail to the new address, with the link that confirms it."""
EMAIL_CHANGE_NOTICE_MAIL = "email_change_notice"
"""Kind of the mail to the current address, which has no link."""
EMAIL_CHANGE_FAILED = "account.email_change_failed"
"""Audit action of a request with a wrong password."""
TOKEN_LIFETIME = timedelta(hours=24)


class RequestedChange(NamedTuple):
    """A requested change to which a valid token belongs."""

    key: int
    user_key: int
    email: str
    session_key: int | None


def validate_new_email(new_email: str) -> str:
    """Return the address as it is stored. Raise DomainErrors if it is invalid."""
    validator = Validator()
    email = validate_email_field(validator, new_email, name="new_email")
    validator.raise_errors()
    return email


def request_email_change(
    session: Session, actor: Actor, auth: AuthContext, check: PasswordCheck, email: str
) -> bool | DomainError:
    """Replace the requested change of the actor's address, and enqueue the mails to the new and the current one.

    All new addresses take the same path: whether one is taken is looked up when its mail is sent. So neither the
    answer nor its time reveals it. A request for the current address only cancels the former one.

    Return True, or RATE_LIMITED, or INVALID_CREDENTIALS if the stored hash has changed since it was verified.
    """
    # The lock comes before anything is read. Every change of a user's request begins with it.
    if not _lock_user(session, *check.is_unchanged):
        return record_wrong_password(session, actor, auth, EMAIL_CHANGE_FAILED)
    rate_limits.refund(session, check.limit_key)
    current_email = session.scalar(select(User.email).where(User.id == check.user_key))
    if email == current_email:
        cancel_email_change(session, check.user_key)
        return True
    if not _consume_request(session, auth, check.user_key):
        return rate_limit_error(auth)
    _replace_request(session, actor, auth, check.user_key, email)
    enqueue(session, EMAIL_CHANGE_NOTICE_MAIL, user_key=check.user_key, email=current_email)
    audit.record(
        session, "account.email_change_requested", actor=actor.key, subject=actor.key, client_ip=auth.client_ip
    )
    return True


def confirm_email_change(session: Session, actor: Actor, auth: AuthContext, token: str) -> bool:
    """Give the user of the token the new address, verified, and end all their other sessions.

    The session that goes on is that of the actor if it is the same user, else the one that requested the change.
    Tokens that were mailed to the former address become invalid. A token works once, also in concurrent requests.

    Raise INVALID_TOKEN, also if the address is taken. Return True.
    """
    change = peek(session, partial(_find_change, token))
    if change is None:
        raise invalid_token()
    if not _lock_user(session, User.id == change.user_key, User.is_active, User.deleted_at.is_(None)):
        raise invalid_token()
    if not execute_dml(session, delete(EmailChange).where(EmailChange.id == change.key)):
        raise invalid_token()  # another request has confirmed, replaced or cancelled it
    user = session.get_one(User, change.user_key)
    user.email, user.is_verified = change.email, True
    try:
        session.flush()
    except IntegrityError:  # the address belongs to another account
        raise invalid_token() from None
    search_index.index_user(session, user)
    current = actor.session_key if actor.key == user.id else None
    end_all_sessions(session, user.id, except_key=current or change.session_key)
    invalidate_tokens(session, user.id, TokenPurpose.VERIFY_EMAIL, TokenPurpose.RESET_PASSWORD)
    audit.record(session, "account.email_changed", actor=user.id, subject=user.id, client_ip=auth.client_ip)
    return True


def make_email_change_token(session: Session, change: EmailChange) -> str:
    """Return a new token for the mail to the new address, and store its hash."""
    token, expires_at = new_token(), clock.now() + TOKEN_LIFETIME
    session.add(EmailChangeToken(email_change_id=change.id, token_hash=token_hash(token), expires_at=expires_at))
    return token


def is_taken_by_another(change: EmailChange) -> ColumnElement[bool]:
    """Return the condition for users, other than the one of this change, who have its address."""
    return (User.email_key == email_addresses.normalize_email(change.email)) & (User.id != change.user_id)


def cancel_email_change(session: Session, user_key: int) -> None:
    """Delete the requested change of the user's address with its tokens, if there is one."""
    execute_dml(session, delete(EmailChange).where(EmailChange.user_id == user_key))


def _lock_user(session: Session, *conditions: ColumnExpressionArgument[bool]) -> bool:
    """Lock the user who meets the conditions, by an UPDATE that changes nothing. Return False if there is none."""
    return execute_dml(session, update(User).where(*conditions).values(updated_at=User.updated_at)) == 1


def _consume_request(session: Session, auth: AuthContext, user_key: int) -> bool:
    """Count a request of the user and of the client's network. Return False at a limit."""
    key = auth.signer.digest("email change mail", str(user_key))
    limits = (
        RateLimit(key, MAX_MAILS_PER_WINDOW, auth.settings.login_window_minutes),
        client_rate_limit(auth, "email change"),
    )
    return all(rate_limits.consume(session, limit) for limit in limits)


def _replace_request(session: Session, actor: Actor, auth: AuthContext, user_key: int, email: str) -> None:
    """Store the request, and enqueue the mail with the link unless the mailbox got too many mails."""
    # Deleted by key, because a DELETE by user without a match would lock a gap, in which other users insert.
    former_key = session.scalar(select(EmailChange.id).where(EmailChange.user_id == user_key))
    if former_key is not None:
        execute_dml(session, delete(EmailChange).where(EmailChange.id == former_key))
    change = EmailChange(user_id=user_key, email=email, session_id=actor.session_key)
    session.add(change)
    session.flush()
    mailbox = auth.signer.digest("mailbox", email_addresses.mailbox_key(email))
    if rate_limits.consume(session, RateLimit(mailbox, MAX_MAILS_PER_WINDOW, auth.settings.login_window_minutes)):
        enqueue(session, EMAIL_CHANGE_MAIL, user_key=user_key, email_change=change.id)


def _find_change(token: str, session: Session) -> RequestedChange | None:
    columns = (EmailChange.id, EmailChange.user_id, EmailChange.email, EmailChange.session_id)
    statement = select(*columns).join(EmailChangeToken, EmailChangeToken.email_change_id == EmailChange.id)
    is_valid = (EmailChangeToken.token_hash == token_hash(token), EmailChangeToken.expires_at > clock.now())
    rows = fetch_rows(session, statement.where(*is_valid))
    return RequestedChange._make(rows[0]) if rows else None
