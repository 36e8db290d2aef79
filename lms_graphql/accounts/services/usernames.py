"""Usernames: changes by users themselves, at most one within some days."""

from datetime import timedelta

from sqlalchemy import or_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit
from lms_graphql.accounts.models import User
from lms_graphql.accounts.services.registration import already_taken
from lms_graphql.core import clock
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.statements import execute_dml
from lms_graphql.settings import settings_of


def change_username(session: Session, user: User, username: str) -> None:
    """Give the user another username. The caller indexes the user afterwards.

    Among concurrent changes, one meets the condition of the UPDATE. Raise RATE_LIMITED if the last change was too
    recent, or ALREADY_EXISTS if the username is taken.
    """
    days, now = settings_of(session).username_change_days, clock.now()
    is_due = or_(User.username_changed_at.is_(None), User.username_changed_at <= now - timedelta(days=days))
    names = {"username": username, "username_key": username.casefold()}
    values = {**names, "username_changed_at": now, "updated_at": now}
    try:
        is_changed = execute_dml(session, update(User).where(User.id == user.id, is_due).values(values))
    except IntegrityError:  # the key belongs to another user
        raise already_taken("username") from None
    session.refresh(user)
    if not is_changed:
        raise _changed_too_recently(user, days)
    audit.record(session, "account.username_changed", actor=user.id, subject=user.id)


def _changed_too_recently(user: User, days: int) -> DomainError:
    assert user.username_changed_at is not None
    due_at = user.username_changed_at + timedelta(days=days)
    message = f"You can change your username once in {days} days. The next change is possible on {due_at:%Y-%m-%d}."
    return DomainError(ErrorCode.RATE_LIMITED, message, ("username",), limit=days)
