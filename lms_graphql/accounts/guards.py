"""Rules about many rows ("the last active super admin stays") hold only if those who might break them take turns."""

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import Guard, User
from lms_graphql.core.actor import Role
from lms_graphql.core.statements import changed, insert_unless_there

SUPER_ADMINS = "super_admins"


def hold(session: Session, name: str) -> None:
    """
    From here to the end of the transaction nobody else passes. To be called before anything is read: what was read
    before may be stale by now. On a cluster the later one of two fails at its commit, and runs again.
    """
    taken = update(Guard).where(Guard.name == name).values(taken=Guard.taken + 1)
    if not changed(session, taken):
        session.execute(insert_unless_there(Guard), {"name": name, "taken": 0})
        changed(session, taken)


def is_last_super_admin(session: Session, user: User) -> bool:
    """Whether nobody would look after the platform without this one. Asked while the guard is held."""
    if user.role is not Role.SUPER_ADMIN or not user.is_active or user.deleted_at is not None:
        return False
    others = select(func.count()).where(
        User.role == Role.SUPER_ADMIN, User.is_active, User.deleted_at.is_(None), User.id != user.id
    )
    return not session.scalar(others)
