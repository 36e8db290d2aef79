"""Tables of accounts: users, sessions, tokens, rate limits, instructor applications and audit events."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, validates

from lms_graphql.accounts import email_addresses, roles
from lms_graphql.core import clock
from lms_graphql.core.actor import Role
from lms_graphql.core.orm import (
    TABLE_OPTIONS,
    BigIntKey,
    Json,
    Model,
    TimestampedModel,
    case_sensitive,
    checked_enum,
    counter_column,
    false_column,
    long_text,
    true_column,
)
from lms_graphql.core.search_terms import MAX_TERM_LENGTH
from lms_graphql.core.text import sort_key

DELETED_NAME = "Deleted user"
HASH_LENGTH = 64
MAX_USER_AGENT_LENGTH = 300
NEVER = "1970-01-01 00:00:00.000000"
"""Last use of a session that an older version of the service creates while it is being replaced."""


class TokenPurpose(StrEnum):
    """The one operation that a mailed single-use token allows."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a purpose, not a password


class ApplicationStatus(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class User(TimestampedModel):
    """A user. Deletion erases personal data but not the row, because transactions and courses refer to it."""

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("email_key"),
        UniqueConstraint("username_key"),
        Index(None, "role", "created_at", "id"),
        Index(None, "created_at", "id"),
        Index(None, "name_key", "id"),
        TABLE_OPTIONS,
    )

    email: Mapped[str | None] = mapped_column(String(254))
    email_key: Mapped[str | None] = mapped_column(case_sensitive(254))
    username: Mapped[str] = mapped_column(String(30))
    username_key: Mapped[str] = mapped_column(case_sensitive(30))
    first_name: Mapped[str] = mapped_column(String(100))
    last_name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(case_sensitive(200), default="", server_default="")
    password_hash: Mapped[str | None] = mapped_column(case_sensitive(255))
    role: Mapped[Role] = mapped_column(checked_enum(Role, "role"), default=Role.LEARNER)
    is_active: Mapped[bool] = true_column()
    is_verified: Mapped[bool] = false_column()
    profile_image: Mapped[str | None] = mapped_column(String(2000))
    bio: Mapped[str | None] = mapped_column(long_text())
    last_login: Mapped[datetime | None]
    username_changed_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]

    @validates("email")
    def _set_email_key(self, _: str, value: str | None) -> str | None:
        self.email_key = None if value is None else email_addresses.normalize_email(value)
        return value

    @validates("username")
    def _set_username_key(self, _: str, value: str) -> str:
        self.username_key = value.casefold()
        return value

    @validates("first_name", "last_name")
    def _set_name_key(self, name: str, value: str) -> str:
        first, last = (value, self.last_name) if name == "first_name" else (self.first_name, value)
        self.name_key = sort_key(f"{first or ''} {last or ''}")
        return value

    @property
    def full_name(self) -> str:
        return full_name(self.first_name, self.last_name, self.deleted_at)

    def has_permission(self, permission: str) -> bool:
        """Return whether the user's role allows this `area:action`. Inactive users have no permissions."""
        return self.is_active and self.deleted_at is None and roles.allows(self.role, permission)


def full_name(first_name: str, last_name: str, deleted_at: datetime | None) -> str:
    return DELETED_NAME if deleted_at is not None else f"{first_name} {last_name}".strip()


class UserTerm(Model):
    """A word by which super admins find a user.

    `is_name` is true for words of the first or last name. Course staff find learners by these alone.
    """

    __tablename__ = "user_terms"
    __table_args__ = (Index(None, "user_id"), TABLE_OPTIONS)

    term: Mapped[str] = mapped_column(case_sensitive(MAX_TERM_LENGTH), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    is_name: Mapped[bool] = false_column()


class SigningKey(TimestampedModel):
    """The id of a key that signs access tokens. The key is derived from the secret and this id, and is not stored."""

    __tablename__ = "signing_keys"
    __table_args__ = (UniqueConstraint("key_id"), TABLE_OPTIONS)

    key_id: Mapped[str] = mapped_column(case_sensitive(20))
    retired_at: Mapped[datetime | None]


class UserSession(TimestampedModel):
    """A user logged in on a device: the family of refresh tokens that one login started.

    `last_used_at`, `client_ip` and `user_agent` are those of the login or of the last refresh.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        Index(None, "user_id", "ended_at", "last_used_at", "id"),
        Index(None, "expires_at", "id"),
        TABLE_OPTIONS,
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=NEVER)
    client_ip: Mapped[str | None] = mapped_column(case_sensitive(45))
    user_agent: Mapped[str | None] = mapped_column(String(MAX_USER_AGENT_LENGTH))


class RefreshToken(TimestampedModel):
    """A refresh token, valid once. The row outlives its use so that a second use is detected."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (UniqueConstraint("token_hash"), Index(None, "session_id"), TABLE_OPTIONS)

    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id"))
    token_hash: Mapped[str] = mapped_column(case_sensitive(HASH_LENGTH))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class AccountToken(TimestampedModel):
    """A mailed single-use token."""

    __tablename__ = "account_tokens"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        Index(None, "user_id", "purpose"),
        Index(None, "expires_at", "id"),
        TABLE_OPTIONS,
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    purpose: Mapped[TokenPurpose] = mapped_column(checked_enum(TokenPurpose, "purpose"))
    token_hash: Mapped[str] = mapped_column(case_sensitive(HASH_LENGTH))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class EmailChange(TimestampedModel):
    """A requested change of a user's email address, until it is confirmed, replaced or cancelled.

    `session_id` is the session that requested it. It is no foreign key, because sessions may be deleted earlier.
    """

    __tablename__ = "email_changes"
    __table_args__ = (UniqueConstraint("user_id"), Index(None, "created_at", "id"), TABLE_OPTIONS)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    email: Mapped[str] = mapped_column(String(254))
    session_id: Mapped[int | None] = mapped_column(BigInteger)


class EmailChangeToken(TimestampedModel):
    """A mailed token that confirms a change of an email address. It is valid while the row of the change exists."""

    __tablename__ = "email_change_tokens"
    __table_args__ = (UniqueConstraint("token_hash"), Index(None, "email_change_id"), TABLE_OPTIONS)

    email_change_id: Mapped[int] = mapped_column(ForeignKey("email_changes.id", ondelete="CASCADE"))
    token_hash: Mapped[str] = mapped_column(case_sensitive(HASH_LENGTH))
    expires_at: Mapped[datetime]


class RateLimitCounter(TimestampedModel):
    """Number of failures in a window that began at `since`. `key` is a digest that identifies no user."""

    __tablename__ = "rate_limit_counters"
    __table_args__ = (
        UniqueConstraint("key"),
        Index(None, "since", "id"),
        CheckConstraint("failures >= 0", name="failures_not_negative"),
        TABLE_OPTIONS,
    )

    key: Mapped[str] = mapped_column(case_sensitive(HASH_LENGTH))
    failures: Mapped[int] = counter_column()
    since: Mapped[datetime]


class InstructorApplication(TimestampedModel):
    """A learner's application to teach.

    `pending_of` is the learner's key while the application is pending, so that a learner has at most one.
    """

    __tablename__ = "instructor_applications"
    __table_args__ = (
        UniqueConstraint("pending_of"),
        Index(None, "status", "created_at", "id"),
        Index(None, "user_id", "created_at", "id"),
        Index(None, "created_at", "id"),
        TABLE_OPTIONS,
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    pending_of: Mapped[int | None] = mapped_column(BigInteger)
    motivation: Mapped[str] = mapped_column(long_text())
    experience: Mapped[str] = mapped_column(long_text())
    status: Mapped[ApplicationStatus] = mapped_column(
        checked_enum(ApplicationStatus, "status"), default=ApplicationStatus.PENDING
    )
    review_note: Mapped[str | None] = mapped_column(long_text())
    reviewed_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    reviewed_at: Mapped[datetime | None]


class AuditEvent(Model):
    """An action with its actor and its subject, written in the same transaction: see `audit`.

    `subject_kind` and `subject_id` are the kind and the key in the subject's global id. Events from before the kind
    was stored may have no kind: then it is unknown what their `subject_id` is a key of.
    """

    __tablename__ = "audit_events"
    __table_args__ = (
        Index(None, "happened_at", "id"),
        Index(None, "action", "happened_at", "id"),
        Index(None, "actor_id", "happened_at", "id"),
        Index(None, "subject_kind", "subject_id", "happened_at", "id"),
        TABLE_OPTIONS,
    )

    id: Mapped[int] = mapped_column(BigIntKey, primary_key=True)
    happened_at: Mapped[datetime]
    action: Mapped[str] = mapped_column(case_sensitive(60))
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    subject_kind: Mapped[str | None] = mapped_column(case_sensitive(40))
    subject_id: Mapped[int | None] = mapped_column(BigInteger)
    client_ip: Mapped[str | None] = mapped_column(case_sensitive(45))
    details: Mapped[Any] = mapped_column(Json, default=dict)
