"""Writing mail down, in the transaction of what causes it. Nothing is sent from here."""

from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from lms_graphql.mail.models import Mail, MailStatus

MAIL_ENQUEUED = "mail was posted"
"""A mark on a Session: when it has committed, the outbox is told."""


def enqueue(
    session: Session, kind: str, *, user_id: int | None = None, address: str | None = None, **data: Any
) -> Mail:
    """
    A mail of this kind to a person or an address, once the transaction is committed. `data` are the small facts that
    the letter needs: never a secret, never a token. The writer of this kind is one of `mail.openings.writers`.
    """
    mail = Mail(kind=kind, user_id=user_id, address=address, data=data)
    session.add(mail)
    session.info[MAIL_ENQUEUED] = True
    return mail


def cancel_mails_of(session: Session, user_id: int) -> None:
    """Nothing more is written to this person, and what was about to be said is forgotten."""
    theirs = update(Mail).where(Mail.user_id == user_id, Mail.status == MailStatus.PENDING)
    nothing: dict[str, Any] = {}
    session.execute(
        theirs.values(status=MailStatus.DROPPED, address=None, data=nothing),
        execution_options={"synchronize_session": False},
    )
