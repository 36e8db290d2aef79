"""How the outbox stands."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms_graphql.mail.models import Mail, MailStatus


class OutboxStatus(NamedTuple):
    """`oldest`: since when the first of those waiting does. The errors are the latest of their kind."""

    waiting: int
    oldest: datetime | None
    waiting_error: str | None
    failed: int
    failed_at: datetime | None
    failed_error: str | None


def outbox_status(session: Session) -> OutboxStatus:
    figures = select(func.count(), func.min(Mail.created_at), func.max(Mail.updated_at))
    waiting, oldest, _ = session.execute(figures.where(Mail.status == MailStatus.PENDING)).one()
    failed, _, failed_at = session.execute(figures.where(Mail.status == MailStatus.FAILED)).one()
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
