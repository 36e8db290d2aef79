"""The table of people."""

from datetime import datetime

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, validates

from lms_graphql.accounts import roles
from lms_graphql.core.actor import Role
from lms_graphql.core.orm import EVERYWHERE, Table, enum, exact, long_text, no, yes

DELETED_NAME = "Deleted user"


class User(Table):
    """A person. A deleted one keeps their row, emptied of what is personal: money and courses hang on it."""

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("email_key"),
        UniqueConstraint("username_key"),
        Index(None, "role", "created_at", "id"),
        Index(None, "created_at", "id"),
        EVERYWHERE,
    )

    email: Mapped[str | None] = mapped_column(String(254))
    email_key: Mapped[str | None] = mapped_column(exact(254))
    username: Mapped[str] = mapped_column(String(30))
    username_key: Mapped[str] = mapped_column(exact(30))
    first_name: Mapped[str] = mapped_column(String(100))
    last_name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str | None] = mapped_column(exact(255))
    role: Mapped[Role] = mapped_column(enum(Role, "role"), default=Role.LEARNER)
    is_active: Mapped[bool] = yes()
    is_verified: Mapped[bool] = no()
    profile_image: Mapped[str | None] = mapped_column(String(2000))
    bio: Mapped[str | None] = mapped_column(long_text())
    last_login: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]

    @validates("email", "username")
    def key_without_case(self, name: str, value: str | None) -> str | None:
        setattr(self, f"{name}_key", None if value is None else value.casefold())
        return value

    @property
    def full_name(self) -> str:
        return full_name(self.first_name, self.last_name, self.deleted_at)

    def has_permission(self, permission: str) -> bool:
        """Whether the person's role allows this `area:action`. Nobody inactive may do anything."""
        return self.is_active and self.deleted_at is None and roles.allows(self.role, permission)


def full_name(first_name: str, last_name: str, deleted_at: datetime | None) -> str:
    return DELETED_NAME if deleted_at is not None else f"{first_name} {last_name}".strip()
