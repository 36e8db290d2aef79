"""Who asks. Every read and every service is told, and decides by it what is there."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import BigInteger, bindparam


class Role(StrEnum):
    SUPER_ADMIN = "super_admin"
    INSTRUCTOR = "instructor"
    LEARNER = "learner"


class AccessLevel(StrEnum):
    """How much someone may see. Statements are built once for each scope."""

    ANONYMOUS = "anonymous"
    MEMBER = "member"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Actor:
    """The viewer: a signed-in person, or `ANONYMOUS`."""

    key: int | None
    role: Role | None
    session_key: int | None = None
    """Of the session by which they are signed in, where it is by one."""

    @property
    def is_signed_in(self) -> bool:
        return self.key is not None

    @property
    def is_admin(self) -> bool:
        return self.role is Role.SUPER_ADMIN

    @property
    def access_level(self) -> AccessLevel:
        if self.is_admin:
            return AccessLevel.ADMIN
        return AccessLevel.MEMBER if self.is_signed_in else AccessLevel.ANONYMOUS

    @property
    def bind_params(self) -> dict[str, object]:
        """What a statement that names `VIEWER` is executed with."""
        return {"viewer_id": self.key}


ANONYMOUS = Actor(key=None, role=None)

VIEWER = bindparam("viewer_id", type_=BigInteger)
"""The viewer's id inside a statement; null for an anonymous viewer, so that it equals nothing."""
