"""The table of mail to send."""

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
    """
    What is to be told to whom, not yet its words: they are made when it is sent, and so is a token that goes with
    them. `user_id` is no foreign key, because people live on a floor above; `address`: for those without an account.
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
