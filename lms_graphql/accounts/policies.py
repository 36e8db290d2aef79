"""Who sees whom."""

from sqlalchemy import ColumnElement, false, or_, true

from lms_graphql.accounts import hooks
from lms_graphql.accounts.models import InstructorApplication
from lms_graphql.core.actor import VIEWER, AccessLevel, Actor


def visible_to(scope: AccessLevel) -> ColumnElement[bool]:
    """Everyone signed in sees everyone's public fields; anonymous viewers see those who are publicly known."""
    if scope is not AccessLevel.ANONYMOUS:
        return true()
    return or_(false(), *(clause() for clause in hooks.public_user_filters))


def is_self(actor: Actor, user_key: int) -> bool:
    """Whether this is the actor's own account, or the actor looks after all of them."""
    return actor.is_admin or (actor.is_signed_in and actor.key == user_key)


def applications_visible_to(scope: AccessLevel) -> ColumnElement[bool]:
    """The applicant's own; super admins see all."""
    return true() if scope is AccessLevel.ADMIN else InstructorApplication.user_id == VIEWER
