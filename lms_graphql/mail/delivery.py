"""Delivery of due mails: at least once, each by one process at a time, and independent of each other."""

import smtplib
import traceback
from datetime import timedelta
from pathlib import PurePath
from typing import Any, NamedTuple

import structlog
from sqlalchemy import Update, or_, select, update
from sqlalchemy.orm import Session

from lms_graphql.core import clock
from lms_graphql.core.database import Database
from lms_graphql.core.database_clock import CLOCK_TOLERANCE
from lms_graphql.core.db_errors import CommitUnknownError
from lms_graphql.mail.messages import RenderedMail, signed, to_mime
from lms_graphql.mail.models import ERROR_LENGTH, Mail, MailStatus
from lms_graphql.mail.templates import TEMPLATES, SiteUrls
from lms_graphql.mail.transports import InsecureTransportError, Transport, TransportStoppedError

log = structlog.get_logger()

RETRY_DELAYS = [*(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720)), timedelta(hours=24)]
MAX_ATTEMPTS = 10
"""These attempts take about 90 hours, which is longer than a weekend."""
SCRUBBED_VALUES: dict[str, Any] = {"address": None, "data": {}}
"""Recipient and facts are erased when a mail is sent or dropped."""
MAX_CONSECUTIVE_OUTAGES = 3
"""After this many outages in a row the server is down. The round ends, so that other mails lose no attempt."""


class DeliveryResult(NamedTuple):
    """The numbers of mails sent and of failed attempts. Most failed mails are tried again."""

    sent: int = 0
    failed: int = 0


class DueMail(NamedTuple):
    """A mail whose next attempt is due. `attempts` is the number of attempts begun."""

    key: int
    kind: str
    attempts: int


def deliver_due(
    database: Database,
    transport: Transport | None,
    urls: SiteUrls,
    sender: str,
    signature: str | None = None,
    limit: int = 100,
) -> DeliveryResult:
    """Deliver up to `limit` due mails in the order of their next attempts. Without a transport, do nothing.

    `signature` is the last line of each mail.

    Raise only errors of the database. Errors of single mails are recorded, and the mails are tried again later.
    """
    sent = failed = outages = 0
    if transport is None:
        return DeliveryResult()
    for mail in database.read_sync(lambda session: _due_mails(session, limit)):
        claimed = _claim(database, mail)
        if claimed is None:
            continue
        try:
            was_sent = _deliver(database, claimed, transport, urls, sender, signature)
        except TransportStoppedError:
            _release(database, claimed)
            break
        except Exception as error:  # whatever fails for one mail must not stop the others
            _record_failure(database, claimed, error)
            failed += 1
            outages = outages + 1 if _is_outage(error) else 0
            if outages == MAX_CONSECUTIVE_OUTAGES:
                break
        else:
            sent += was_sent
            outages = 0
    return DeliveryResult(sent, failed)


def _due_mails(session: Session, limit: int) -> list[DueMail]:
    """Return mails that are due. A mail that was never tried is due, and one whose time cannot be right as well."""
    now = clock.now()
    is_wrong = Mail.next_attempt_at > now + RETRY_DELAYS[-1] + CLOCK_TOLERANCE  # by a machine whose clock is ahead
    is_due = or_(Mail.next_attempt_at <= now, Mail.attempts == 0, is_wrong)
    mails = select(Mail.id, Mail.kind, Mail.attempts).where(Mail.status == MailStatus.PENDING, is_due)
    statement = mails.order_by(Mail.next_attempt_at, Mail.id).limit(limit)
    return [DueMail(*row) for row in session.execute(statement)]


def _claim(database: Database, mail: DueMail) -> DueMail | None:
    """Count an attempt and return the mail, or None if another process was first or no attempt is left.

    Several processes may read the same `attempts`, but only one UPDATE matches it. The time of the next attempt
    is set here, so that a crash delays a mail and does not lose it.
    """
    delay = RETRY_DELAYS[min(mail.attempts, len(RETRY_DELAYS) - 1)]
    if mail.attempts >= MAX_ATTEMPTS:  # the process crashed during the last attempt
        _try_update(database, mail, status=MailStatus.FAILED)
        return None
    try:
        is_claimed = _try_update(database, mail, attempts=mail.attempts + 1, next_attempt_at=clock.now() + delay)
    except CommitUnknownError:  # if the commit succeeded, the mail is due again after the delay
        return None
    return mail._replace(attempts=mail.attempts + 1) if is_claimed else None


def _deliver(
    database: Database, mail: DueMail, transport: Transport, urls: SiteUrls, sender: str, signature: str | None
) -> bool:
    """Render and send the mail. Return False if it has no recipient, no template, or was cancelled."""
    rendered = database.write_sync(lambda session: _render(session, mail, urls))
    if rendered is None:
        return False
    transport.send(to_mime(rendered if signature is None else signed(rendered, signature), sender))
    try:
        _mark_sent(database, mail)
    except CommitUnknownError:  # repeating it is harmless, but without it the mail would be sent twice
        _mark_sent(database, mail)
    log.info("mail_sent", mail=mail.key, kind=mail.kind, attempts=mail.attempts)
    return True


def _render(session: Session, due_mail: DueMail, urls: SiteUrls) -> RenderedMail | None:
    mail = session.get(Mail, due_mail.key)
    if mail is None or mail.status is not MailStatus.PENDING or mail.attempts != due_mail.attempts:
        return None  # cancelled since, e.g. because the account was deleted
    template = TEMPLATES.get(due_mail.kind)
    if template is None:
        error = f"There is no template for mails of kind {due_mail.kind}."
        session.execute(_update_claimed(due_mail, status=MailStatus.FAILED, last_error=error))
        log.error("mail_template_missing", mail=due_mail.key, kind=due_mail.kind)
        return None
    rendered = template(session, mail, urls)
    if rendered is None:
        session.execute(_update_claimed(due_mail, status=MailStatus.DROPPED, **SCRUBBED_VALUES))
    return rendered


def _mark_sent(database: Database, mail: DueMail) -> None:
    """Mark the mail as sent, even if another process has claimed it since. That process need not send it again."""
    pending = update(Mail).where(Mail.id == mail.key, Mail.status == MailStatus.PENDING)
    sent = pending.values(status=MailStatus.SENT, sent_at=clock.now(), last_error=None, **SCRUBBED_VALUES)
    database.write_sync(lambda session: session.connection().execute(sent).rowcount)


def _record_failure(database: Database, mail: DueMail, error: Exception) -> None:
    """Store and log the error without its message, because mail servers repeat addresses in their messages."""
    summary = _error_summary(error)
    is_last = mail.attempts >= MAX_ATTEMPTS
    status = MailStatus.FAILED if is_last else MailStatus.PENDING
    _try_update(database, mail, status=status, last_error=summary[:ERROR_LENGTH])
    frame = traceback.extract_tb(error.__traceback__)[-1]
    log.warning(
        "mail_failed",
        mail=mail.key,
        kind=mail.kind,
        attempts=mail.attempts,
        is_last=is_last,
        error=summary,
        location=f"{PurePath(frame.filename).name}:{frame.lineno}",
    )


def _error_summary(error: Exception) -> str:
    """Return the error's type and SMTP status codes, e.g. `SMTPRecipientsRefused 550`."""
    codes: list[int] = []
    if isinstance(error, smtplib.SMTPResponseException):
        codes = [error.smtp_code]
    elif isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
    parts = [type(error).__name__, *(str(code) for code in codes)]
    if isinstance(error.__context__, TimeoutError):  # smtplib reports a timeout as a disconnect
        parts.append("(TimeoutError)")
    return " ".join(parts)


def _is_outage(error: Exception) -> bool:
    """Return whether the next mail would fail in the same way. (Errors of smtplib are OSErrors, too.)"""
    if isinstance(error, smtplib.SMTPException):
        outages = smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError, smtplib.SMTPAuthenticationError
        return isinstance(error, outages)
    return isinstance(error, OSError | InsecureTransportError)


def _release(database: Database, mail: DueMail) -> None:
    """Undo the claim. Nothing was sent, so another process may try at once."""
    _try_update(database, mail, attempts=mail.attempts - 1, next_attempt_at=clock.now())


def _update_claimed(mail: DueMail, **values: Any) -> Update:
    """Return an UPDATE that matches only if the mail is still pending and has the same `attempts`."""
    unchanged = (Mail.id == mail.key) & (Mail.attempts == mail.attempts) & (Mail.status == MailStatus.PENDING)
    return update(Mail).where(unchanged).values(**values).execution_options(synchronize_session=False)


def _try_update(database: Database, mail: DueMail, **values: Any) -> bool:
    """Update the mail and return True, or return False if another process has changed it."""
    statement = _update_claimed(mail, **values)
    return database.write_sync(lambda session: session.connection().execute(statement).rowcount) == 1
