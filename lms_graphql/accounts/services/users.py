"""User accounts: profiles, roles, suspension and deletion."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit, hooks, search_index
from lms_graphql.accounts.models import TokenPurpose, User
from lms_graphql.accounts.policies import is_self_or_super_admin
from lms_graphql.accounts.services.account_tokens import invalidate_tokens
from lms_graphql.accounts.services.email_changes import cancel_email_change
from lms_graphql.accounts.services.instructor_applications import withdraw_applications
from lms_graphql.accounts.services.registration import MAX_NAME_LENGTH, validate_username_field
from lms_graphql.accounts.services.sessions import end_all_sessions, erase_session_details
from lms_graphql.accounts.services.usernames import change_username
from lms_graphql.core import clock, global_ids, named_locks
from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.errors import DomainError, ErrorCode, RequestError, RequestErrorCode
from lms_graphql.core.validation import Validator
from lms_graphql.mail.outbox import cancel_mails_of_user

MAX_BIO_LENGTH = 1_000
SUPER_ADMINS_LOCK = "super_admins"
"""Named lock of all changes of roles and states, so that two super admins cannot remove each other at once."""


def update_profile(session: Session, actor: Actor, changes: Mapping[str, Any]) -> int:
    """Change the given fields of the actor's profile, and return the actor's key.

    Raise ALREADY_EXISTS if the username is taken, and RATE_LIMITED if it was changed too recently.
    """
    validator, values = Validator(), dict(changes)
    username = None
    if "username" in values:
        username = validate_username_field(validator, values.pop("username"))
    for name in ("first_name", "last_name"):
        if name in values:
            values[name] = validator.single_line(name, values[name], max_length=MAX_NAME_LENGTH)
    if "bio" in values:
        values["bio"] = validator.multi_line("bio", values["bio"], max_length=MAX_BIO_LENGTH)
    if "profile_image_url" in values:
        values["profile_image"] = validator.url("profile_image_url", values.pop("profile_image_url"))
    validator.raise_errors()
    user = session.get_one(User, actor.key, with_for_update=True)  # locked: `name_key` is made of two columns
    if (
        user.deleted_at is not None
    ):  # deleted since the request was authenticated: the row stays without personal data
        raise RequestError(RequestErrorCode.UNAUTHENTICATED, "This account has been deleted.")
    if username is not None and username != user.username:
        change_username(session, user, username)
    for name, value in values.items():
        setattr(user, name, value)
    session.flush()
    search_index.index_user(session, user)
    return user.id


def set_user_role(session: Session, actor: Actor, user_id: str, role: Role) -> int:
    """Change the role of another user, and return their key. A changed role ends all their sessions.

    Raise FORBIDDEN for the actor's own role, NOT_FOUND, or INVALID_TRANSITION for a deleted user and for the last
    active super admin.
    """
    named_locks.lock(session, SUPER_ADMINS_LOCK)
    user = _get_user(session, user_id)
    if user.id == actor.key:
        message = "You cannot change your own role. Ask another super admin."
        raise RequestError(RequestErrorCode.FORBIDDEN, message)
    _require_not_deleted(user)
    if user.role is role:
        return user.id
    _require_other_super_admin(session, user)
    audit.record(
        session, "account.role_changed", actor=actor.key, subject=user.id, old=user.role.value, new=role.value
    )
    user.role = role
    session.flush()
    end_all_sessions(session, user.id)
    return user.id


def suspend_user(session: Session, actor: Actor, user_id: str) -> int:
    """Suspend a user, end all their sessions and return their key. Suspending a suspended user changes nothing.

    Raise NOT_FOUND, or INVALID_TRANSITION for a deleted user and for the last active super admin.
    """
    named_locks.lock(session, SUPER_ADMINS_LOCK)
    user = _get_user(session, user_id)
    _require_not_deleted(user)
    if user.is_active:
        _require_other_super_admin(session, user)
        user.is_active = False
        session.flush()
        end_all_sessions(session, user.id)
        cancel_email_change(session, user.id)
        audit.record(session, "account.suspended", actor=actor.key, subject=user.id)
    return user.id


def activate_user(session: Session, actor: Actor, user_id: str) -> int:
    """Activate a suspended user and return their key. Activating an active user changes nothing.

    Raise NOT_FOUND, or INVALID_TRANSITION for a deleted user.
    """
    named_locks.lock(session, SUPER_ADMINS_LOCK)  # because suspension and deletion lock it too
    user = _get_user(session, user_id)
    _require_not_deleted(user)
    if not user.is_active:
        user.is_active = True
        audit.record(session, "account.activated", actor=actor.key, subject=user.id)
    return user.id


def delete_user(session: Session, actor: Actor, user_id: str) -> int:
    """Erase all personal data of an account for good, and return its key. Deleting it again changes nothing.

    Transactions, courses and certificates stay and belong to a "Deleted user". Raise NOT_FOUND, FORBIDDEN, or
    INVALID_TRANSITION for the last active super admin.
    """
    named_locks.lock(session, SUPER_ADMINS_LOCK)
    user = _get_user(session, user_id)
    if not is_self_or_super_admin(actor, user.id):
        message = "Only super admins can delete the accounts of other users."
        raise RequestError(RequestErrorCode.FORBIDDEN, message)
    if user.deleted_at is None:
        _require_other_super_admin(session, user)
        _erase(user)
        session.flush()
        search_index.remove_user(session, user.id)
        end_all_sessions(session, user.id)
        erase_session_details(session, user.id)
        invalidate_tokens(session, user.id, *TokenPurpose)
        cancel_email_change(session, user.id)
        cancel_mails_of_user(session, user.id)
        withdraw_applications(session, user.id)
        for erase_data in hooks.account_erased:
            erase_data(session, user.id)
        audit.erase_client_ips(session, user.id)
        audit.record(session, "account.deleted", actor=actor.key, subject=user.id)
    return user.id


def _erase(user: User) -> None:
    user.email = None
    user.username = f"deleted~{user.id}"  # not a valid username, so registrations cannot take it
    user.first_name = user.last_name = ""
    user.bio = user.profile_image = user.password_hash = user.last_login = None
    user.is_active = user.is_verified = False
    user.deleted_at = clock.now()


def _get_user(session: Session, user_id: str) -> User:
    key = global_ids.decode_key("User", user_id)
    user = session.get(User, key) if key is not None else None
    if user is None:
        raise DomainError(ErrorCode.NOT_FOUND, "There is no user with this id.", ("user_id",))
    return user


def _require_not_deleted(user: User) -> None:
    if user.deleted_at is not None:
        message = "This account was deleted and cannot be changed."
        raise DomainError(ErrorCode.INVALID_TRANSITION, message, ("user_id",))


def _require_other_super_admin(session: Session, user: User) -> None:
    if _is_last_super_admin(session, user):
        message = "This is the last active super admin. Make another user a super admin first."
        raise DomainError(ErrorCode.INVALID_TRANSITION, message, ("user_id",))


def _is_last_super_admin(session: Session, user: User) -> bool:
    """Return whether this is the only active super admin. The caller has locked `SUPER_ADMINS_LOCK`."""
    if user.role is not Role.SUPER_ADMIN or not user.is_active or user.deleted_at is not None:
        return False
    others = select(func.count()).where(
        User.role == Role.SUPER_ADMIN, User.is_active, User.deleted_at.is_(None), User.id != user.id
    )
    return not session.scalar(others)
