"""Outbox: mail is written in the transaction that causes it, and delivered after the commit by `delivery`."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from lms_graphql.core import clock
from lms_graphql.mail.models import Mail, MailStatus

MAIL_ENQUEUED = "mail_enqueued"
"""Key in `Session.info`. If it is set when the session commits, delivery starts at once."""
BULK_DELAY = timedelta(minutes=15)
"""Bulk mails are behind single mails that are enqueued this long after them. They do not wait if there are none."""


def enqueue(
    session: Session, kind: str, *, user_key: int | None = None, email: str | None = None, **data: Any
) -> Mail:
    """Add a mail to a user or an address to the outbox. It is sent after the commit, by the template of its kind.

    `data` are the facts that the template needs. They are stored, so they must not contain a secret or token.
    """
    mail = Mail(kind=kind, user_id=user_key, address=email, data=data)
    session.add(mail)
    session.info[MAIL_ENQUEUED] = True
    return mail


def enqueue_many(session: Session, kind: str, facts: Sequence[Mapping[str, Any]]) -> None:
    """Add a mail for each of these facts, like `enqueue`, in one statement. The template finds the recipients.

    They are due at once, because they were never tried, but later in the order of `delivery`. So hundreds of mails do
    not delay one that a user waits for, such as the link for a new password.
    """
    if facts:
        position = clock.now() + BULK_DELAY
        session.execute(
            insert(Mail), [{"kind": kind, "data": dict(data), "next_attempt_at": position} for data in facts]
        )
        session.info[MAIL_ENQUEUED] = True


def cancel_mails_of_user(session: Session, user_key: int) -> None:
    """Drop all pending mails of the user and erase their addresses and facts."""
    pending = update(Mail).where(Mail.user_id == user_key, Mail.status == MailStatus.PENDING)
    no_data: dict[str, Any] = {}
    session.execute(
        pending.values(status=MailStatus.DROPPED, address=None, data=no_data),
        execution_options={"synchronize_session": False},
    )
