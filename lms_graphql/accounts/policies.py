"""Policies of accounts: which users, sessions, applications and audit events an actor may see."""

from sqlalchemy import ColumnElement, false, or_, true

from lms_graphql.accounts import hooks
from lms_graphql.accounts.models import InstructorApplication, UserSession
from lms_graphql.core.actor import VIEWER, AccessLevel, Actor


def users_visible_to(access_level: AccessLevel) -> ColumnElement[bool]:
    """Return the clause for visible users: all if logged in, else those that a hook makes public."""
    if access_level is not AccessLevel.ANONYMOUS:
        return true()
    return or_(false(), *(clause() for clause in hooks.public_user_filters))


def is_self_or_super_admin(actor: Actor, user_key: int) -> bool:
    """Return whether the actor is this user or a super admin."""
    return actor.is_super_admin or (actor.is_signed_in and actor.key == user_key)


def applications_visible_to(access_level: AccessLevel) -> ColumnElement[bool]:
    """Return the clause for visible applications: all for super admins, else the viewer's own."""
    return true() if access_level is AccessLevel.SUPER_ADMIN else InstructorApplication.user_id == VIEWER


def sessions_visible_to(access_level: AccessLevel) -> ColumnElement[bool]:
    """Return the clause for visible sessions: all for super admins, else the viewer's own."""
    return true() if access_level is AccessLevel.SUPER_ADMIN else UserSession.user_id == VIEWER


def audit_events_visible_to(access_level: AccessLevel) -> ColumnElement[bool]:
    """Return the clause for visible audit events: all for super admins, none for others."""
    return true() if access_level is AccessLevel.SUPER_ADMIN else false()
