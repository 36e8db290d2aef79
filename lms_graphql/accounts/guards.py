"""The rules about all accounts together, which hold only because those who might break them take turns."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User
from lms_graphql.core.actor import Role

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
