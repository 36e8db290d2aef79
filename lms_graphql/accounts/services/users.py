"""Accounts looked after: profiles, roles, suspensions, deletions."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit, hooks, search_index
from lms_graphql.accounts.models import TokenPurpose, User
from lms_graphql.accounts.policies import is_self
from lms_graphql.accounts.services.credentials import invalidate_tokens
from lms_graphql.accounts.services.instructor_applications import withdraw_applications
from lms_graphql.accounts.services.registration import MAX_NAME_LENGTH
from lms_graphql.accounts.services.sessions import end_all_sessions
from lms_graphql.core import clock, global_ids, named_locks
from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.errors import DomainError, ErrorCode, RequestError, RequestErrorCode
from lms_graphql.core.validation import Validator
from lms_graphql.mail.outbox import cancel_mails_of

MAX_BIO_LENGTH = 1_000


def update_profile(session: Session, actor: Actor, changes: Mapping[str, Any]) -> int:
    """`changes`: what is not in it stays as it is. The actor's key."""
    form, checked = Validator(), dict(changes)
    for name in ("first_name", "last_name"):
        if name in checked:
            checked[name] = form.single_line(name, checked[name], most=MAX_NAME_LENGTH)
    if "bio" in checked:
        checked["bio"] = form.multi_line("bio", checked["bio"], most=MAX_BIO_LENGTH)
    if "profile_image_url" in checked:
        checked["profile_image"] = form.url("profile_image_url", checked.pop("profile_image_url"))
    form.raise_errors()
    user = session.get_one(User, actor.key, with_for_update=True)  # the name's key is made of two columns
    if user.deleted_at is not None:  # since the request came: an emptied account stays empty
        raise RequestError(RequestErrorCode.UNAUTHENTICATED, "This account was deleted.")
    for name, value in checked.items():
        setattr(user, name, value)
    session.flush()
    search_index.index_user(session, user)
    return user.id


def set_user_role(session: Session, actor: Actor, user_id: str, role: Role) -> int:
    """Signs the person out everywhere: what they may do is told anew when they sign in again."""
    named_locks.lock(session, SUPER_ADMINS_LOCK)
    user = _user(session, user_id)
    if user.id == actor.key:
        raise RequestError(RequestErrorCode.FORBIDDEN, "Nobody changes their own role: ask another super admin.")
    _refuse_deleted(user)
    if user.role is role:
        return user.id
    _refuse_last_super_admin(session, user)
    audit.record(
        session, "account.role_changed", actor=actor.key, subject=user.id, old=user.role.value, new=role.value
    )
    user.role = role
    session.flush()
    end_all_sessions(session, user.id)
    return user.id


def suspend_user(session: Session, actor: Actor, user_id: str) -> int:
    named_locks.lock(session, SUPER_ADMINS_LOCK)
    user = _user(session, user_id)
    _refuse_deleted(user)
    if user.is_active:
        _refuse_last_super_admin(session, user)
        user.is_active = False
        session.flush()
        end_all_sessions(session, user.id)
        audit.record(session, "account.suspended", actor=actor.key, subject=user.id)
    return user.id


def activate_user(session: Session, actor: Actor, user_id: str) -> int:
    named_locks.lock(session, SUPER_ADMINS_LOCK)  # as those do who suspend and delete
    user = _user(session, user_id)
    _refuse_deleted(user)
    if not user.is_active:
        user.is_active = True
        audit.record(session, "account.activated", actor=actor.key, subject=user.id)
    return user.id


def delete_user(session: Session, actor: Actor, user_id: str) -> int:
    """
    Empties the account of what is personal, for good. Money, courses and certificates stay, and hang on a "Deleted
    user". The key that was deleted.
    """
    named_locks.lock(session, SUPER_ADMINS_LOCK)
    user = _user(session, user_id)
    if not is_self(actor, user.id):
        raise RequestError(RequestErrorCode.FORBIDDEN, "Only super admins delete the accounts of others.")
    if user.deleted_at is None:
        _refuse_last_super_admin(session, user)
        _empty(user)
        session.flush()
        search_index.remove_user(session, user.id)
        end_all_sessions(session, user.id)
        invalidate_tokens(session, user.id, *TokenPurpose)
        cancel_mails_of(session, user.id)
        withdraw_applications(session, user.id)
        for tell in hooks.account_erased:
            tell(session, user.id)
        audit.record(session, "account.deleted", actor=actor.key, subject=user.id)
    return user.id


def _empty(user: User) -> None:
    user.email = None
    user.username = f"deleted~{user.id}"  # no name that anyone could register
    user.first_name = user.last_name = ""
    user.bio = user.profile_image = user.password_hash = user.last_login = None
    user.is_active = user.is_verified = False
    user.deleted_at = clock.now()


def _user(session: Session, user_id: str) -> User:
    key = global_ids.decode_key("User", user_id)
    user = session.get(User, key) if key is not None else None
    if user is None:
        raise DomainError(ErrorCode.NOT_FOUND, "There is no such user.", ("user_id",))
    return user


def _refuse_deleted(user: User) -> None:
    if user.deleted_at is not None:
        raise DomainError(ErrorCode.INVALID_TRANSITION, "This account was deleted, for good.", ("user_id",))


def _refuse_last_super_admin(session: Session, user: User) -> None:
    if is_last_super_admin(session, user):
        message = "This is the last active super admin. Make somebody else one first."
        raise DomainError(ErrorCode.INVALID_TRANSITION, message, ("user_id",))


SUPER_ADMINS_LOCK = "super_admins"
"""The turn to hold before a super admin becomes less."""


def is_last_super_admin(session: Session, user: User) -> bool:
    """Whether nobody would look after the platform without this one. Asked while the turn is held."""
    if user.role is not Role.SUPER_ADMIN or not user.is_active or user.deleted_at is not None:
        return False
    others = select(func.count()).where(
        User.role == Role.SUPER_ADMIN, User.is_active, User.deleted_at.is_(None), User.id != user.id
    )
    return not session.scalar(others)
