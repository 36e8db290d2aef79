"""The outbox table."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from lms_graphql.core import clock
from lms_graphql.core.orm import TABLE_OPTIONS, Json, TimestampedModel, checked_enum, counter_column

ERROR_LENGTH = 500


class MailStatus(StrEnum):
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


class Mail(TimestampedModel):
    """A mail in the outbox: its kind, its recipient and the facts of its text.

    The text is rendered when the mail is sent. Tokens are created then, too, so that the outbox stores none.
    `user_id` is no foreign key, because `accounts` is a layer above. `address` is for recipients without an account.
    """

    __tablename__ = "mails"
    __table_args__ = (
        CheckConstraint("attempts >= 0", name="attempts"),
        Index(None, "status", "next_attempt_at", "id"),
        Index(None, "user_id", "status"),
        TABLE_OPTIONS,
    )

    kind: Mapped[str] = mapped_column(String(40))
    user_id: Mapped[int | None] = mapped_column(BigInteger)
    address: Mapped[str | None] = mapped_column(String(254))
    data: Mapped[Any] = mapped_column(Json, default=dict)
    status: Mapped[MailStatus] = mapped_column(checked_enum(MailStatus, "status"), default=MailStatus.PENDING)
    attempts: Mapped[int] = counter_column()
    next_attempt_at: Mapped[datetime] = mapped_column(default=clock.now)
    sent_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(ERROR_LENGTH))
