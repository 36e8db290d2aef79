"""The table of certificates."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Course
from lms_graphql.core import clock
from lms_graphql.core.orm import (
    TABLE_OPTIONS,
    BigIntKey,
    TimestampedModel,
    case_sensitive,
    checked_enum,
    long_text,
)


class RevocationReason(StrEnum):
    MISCONDUCT = "misconduct"
    ERROR = "error"
    REFUND = "refund"


class Certificate(TimestampedModel):
    """A certificate of completion. Names and titles are those at issue and do not follow later changes."""

    __tablename__ = "certificates"
    __table_args__ = (
        UniqueConstraint("user_id", "course_id"),
        UniqueConstraint("serial"),
        UniqueConstraint("verification_code"),
        Index(None, "course_id"),
        Index(None, "user_id", "issued_at", "id"),
        TABLE_OPTIONS,
    )

    user_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("users.id"))
    course_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("courses.id"))
    serial: Mapped[str] = mapped_column(case_sensitive(40))
    verification_code: Mapped[str] = mapped_column(case_sensitive(64))
    title: Mapped[str] = mapped_column(String(300))
    learner_name: Mapped[str] = mapped_column(String(201))
    course_title: Mapped[str] = mapped_column(String(200))
    instructor_name: Mapped[str] = mapped_column(String(201))
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revocation_reason: Mapped[RevocationReason | None] = mapped_column(
        checked_enum(RevocationReason, "revocation_reason")
    )
    revocation_note: Mapped[str | None] = mapped_column(long_text())

    user: Mapped[User] = relationship(lazy="raise")
    course: Mapped[Course] = relationship(lazy="raise")

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= clock.now()
