"""Tables of invitations: email addresses that course staff invited, and how many on a day."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms_graphql.accounts.models import HASH_LENGTH
from lms_graphql.catalog.models import Course, Enrollment
from lms_graphql.core.orm import (
    TABLE_OPTIONS,
    BigIntKey,
    TimestampedModel,
    case_sensitive,
    checked_enum,
    counter_column,
)


class InvitationStatus(StrEnum):
    PENDING = "pending"
    ACCEPTED = "accepted"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Invitation(TimestampedModel):
    """An invitation of an email address into a course, whether it has an account or not.

    - `pending_email_key` is the normal form of the address while PENDING is stored. So an address has at most one
      pending invitation into a course.
    - `mail_number` counts the mails, of which only the newest is valid.
    - `token_hash` is the hash of the token in the newest mail. It is null until that mail is rendered.
    """

    __tablename__ = "invitations"
    __table_args__ = (
        UniqueConstraint("course_id", "pending_email_key"),
        UniqueConstraint("token_hash"),
        CheckConstraint("(status = 'pending') = (pending_email_key IS NOT NULL)", name="pending_email_key"),
        CheckConstraint("(status = 'accepted') = (enrollment_id IS NOT NULL)", name="enrollment_id"),
        CheckConstraint("mail_number >= 0", name="mail_number"),
        Index(None, "course_id", "created_at", "id"),
        Index(None, "course_id", "status", "created_at", "id"),
        Index(None, "status", "expires_at", "id"),
        Index(None, "enrollment_id"),
        TABLE_OPTIONS,
    )

    course_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("courses.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(String(254))
    pending_email_key: Mapped[str | None] = mapped_column(case_sensitive(254))
    status: Mapped[InvitationStatus] = mapped_column(
        checked_enum(InvitationStatus, "status"), default=InvitationStatus.PENDING
    )
    access_expires_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    mail_number: Mapped[int] = counter_column()
    token_hash: Mapped[str | None] = mapped_column(case_sensitive(HASH_LENGTH))
    enrollment_id: Mapped[int | None] = mapped_column(BigIntKey, ForeignKey("enrollments.id"))

    course: Mapped[Course] = relationship(lazy="raise")
    enrollment: Mapped[Enrollment | None] = relationship(lazy="raise")


class InvitationCounter(TimestampedModel):
    """Number of a course's invitations on a day. It enforces the limit, because every invitation updates this row."""

    __tablename__ = "invitation_counters"
    __table_args__ = (
        UniqueConstraint("course_id"),
        CheckConstraint("invitation_count >= 0", name="invitation_count"),
        TABLE_OPTIONS,
    )

    course_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("courses.id", ondelete="CASCADE"))
    day: Mapped[date]
    invitation_count: Mapped[int] = counter_column()

    course: Mapped[Course] = relationship(lazy="raise")
