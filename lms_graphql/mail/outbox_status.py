"""Status of the outbox, for `lms-graphql db check` and the metrics."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms_graphql.mail.models import Mail, MailStatus


class OutboxStatus(NamedTuple):
    """Pending and failed mails: their numbers and the latest error of each.

    `oldest` is when the oldest pending mail was enqueued, `failed_at` when the last one failed for good.
    """

    waiting: int
    oldest: datetime | None
    waiting_error: str | None
    failed: int
    failed_at: datetime | None
    failed_error: str | None


def waiting_mails(session: Session) -> tuple[int, datetime | None]:
    """Return the number of pending mails, and when the oldest was enqueued."""
    statement = select(func.count(), func.min(Mail.created_at)).where(Mail.status == MailStatus.PENDING)
    waiting, oldest = session.execute(statement).one()
    return waiting, oldest


def outbox_status(session: Session) -> OutboxStatus:
    waiting, oldest = waiting_mails(session)
    statement = select(func.count(), func.max(Mail.updated_at)).where(Mail.status == MailStatus.FAILED)
    failed, failed_at = session.execute(statement).one()
    return OutboxStatus(
        waiting,
        oldest,
        _last_error(session, MailStatus.PENDING),
        failed,
        failed_at,
        _last_error(session, MailStatus.FAILED),
    )


def _last_error(session: Session, status: MailStatus) -> str | None:
    with_error = (Mail.status == status) & Mail.last_error.is_not(None)
    return session.scalar(
        select(Mail.last_error).where(with_error).order_by(Mail.updated_at.desc(), Mail.id).limit(1)
    )
