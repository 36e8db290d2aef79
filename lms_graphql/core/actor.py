"""The actor of a request. Every read and every service gets one, and decides by it what is visible and allowed."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import BigInteger, bindparam


class Role(StrEnum):
    SUPER_ADMIN = "super_admin"
    INSTRUCTOR = "instructor"
    LEARNER = "learner"


class AccessLevel(StrEnum):
    """Amount of data that an actor may see. Statements are built once for each level."""

    ANONYMOUS = "anonymous"
    MEMBER = "member"
    SUPER_ADMIN = "super_admin"


@dataclass(frozen=True, slots=True)
class Actor:
    """The user who makes a request, or `ANONYMOUS`."""

    key: int | None
    role: Role | None
    session_key: int | None = None
    """Key of the session that authenticated the actor; None without one."""

    @property
    def is_signed_in(self) -> bool:
        return self.key is not None

    @property
    def is_super_admin(self) -> bool:
        return self.role is Role.SUPER_ADMIN

    @property
    def access_level(self) -> AccessLevel:
        if self.is_super_admin:
            return AccessLevel.SUPER_ADMIN
        return AccessLevel.MEMBER if self.is_signed_in else AccessLevel.ANONYMOUS

    @property
    def bind_params(self) -> dict[str, object]:
        """Parameters for executing a statement that contains `VIEWER`."""
        return {"viewer_id": self.key}


ANONYMOUS = Actor(key=None, role=None)
OPERATOR = Actor(key=None, role=Role.SUPER_ADMIN)
"""The operator at the command line, who has the rights of a super admin but no account."""

VIEWER = bindparam("viewer_id", type_=BigInteger)
"""The actor's key inside a statement. It is null for an anonymous actor, so that no comparison with it is true."""
