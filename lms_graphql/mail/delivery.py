"""Sending what is due: at least once, by one process at a time, and each mail for itself."""

import smtplib
import traceback
from datetime import timedelta
from pathlib import PurePath
from typing import Any, NamedTuple

import structlog
from sqlalchemy import Update, select, update
from sqlalchemy.orm import Session

from lms_graphql.core import clock
from lms_graphql.core.database import Database
from lms_graphql.core.db_errors import CommitUnknownError
from lms_graphql.mail.messages import RenderedMail, to_mime
from lms_graphql.mail.models import ERROR_LENGTH, Mail, MailStatus
from lms_graphql.mail.templates import TEMPLATES, FrontendUrls
from lms_graphql.mail.transports import InsecureTransportError, Transport, TransportStoppedError

log = structlog.get_logger()

RETRY_DELAYS = [*(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720)), timedelta(hours=24)]
MAX_ATTEMPTS = 10
"""Over some 90 hours: longer than a weekend."""
SCRUBBED_VALUES: dict[str, Any] = {"address": None, "data": {}}
"""What is not kept of a mail that is done with: who it went to, and the facts it was made of."""
MAX_CONSECUTIVE_OUTAGES = 3
"""So many in a row that the server did not get to end a round: it is away, and the others keep their tries."""


class DeliveryResult(NamedTuple):
    """What a round did. `failed` counts tries: most of these mails are tried again."""

    sent: int = 0
    failed: int = 0


class DueMail(NamedTuple):
    """`attempts`: those that were begun, before and after it is claimed."""

    id: int
    kind: str
    attempts: int


def deliver_due(
    database: Database, carrier: Transport | None, links: FrontendUrls, sender: str, most: int = 100
) -> DeliveryResult:
    """One round over what is due, the longest due first. Raises only where the database itself fails."""
    sent = failed = away = 0
    if carrier is None:
        return DeliveryResult()
    for seen in database.read_sync(lambda session: _due(session, most)):
        due = _claimed(database, seen)
        if due is None:
            continue
        try:
            went = _send(database, due, carrier, links, sender)
        except TransportStoppedError:
            _give_back(database, due)
            break
        except Exception as error:  # one mail's fault, whatever it is, is not the others'
            _note_failure(database, due, error)
            failed += 1
            away = away + 1 if _is_away(error) else 0
            if away == MAX_CONSECUTIVE_OUTAGES:
                break
        else:
            sent += went
            away = 0
    return DeliveryResult(sent, failed)


def _due(session: Session, most: int) -> list[DueMail]:
    due = (Mail.status == MailStatus.PENDING) & (Mail.next_attempt_at <= clock.now())
    found = select(Mail.id, Mail.kind, Mail.attempts).where(due).order_by(Mail.next_attempt_at, Mail.id).limit(most)
    return [DueMail(*row) for row in session.execute(found)]


def _claimed(database: Database, seen: DueMail) -> DueMail | None:
    """
    Only one of those who saw it can raise `attempts` from what they saw. From then on the next try is already set, so
    that a crash delays a mail and does not lose it. None where it is another's, or has no try left.
    """
    pause = RETRY_DELAYS[min(seen.attempts, len(RETRY_DELAYS) - 1)]
    if seen.attempts >= MAX_ATTEMPTS:  # the last try ended with the process
        _change(database, seen, status=MailStatus.FAILED)
        return None
    try:
        is_ours = _change(database, seen, attempts=seen.attempts + 1, next_attempt_at=clock.now() + pause)
    except CommitUnknownError:  # if it is ours after all, it comes again after the pause
        return None
    return seen._replace(attempts=seen.attempts + 1) if is_ours else None


def _send(database: Database, due: DueMail, carrier: Transport, links: FrontendUrls, sender: str) -> bool:
    """Whether it was sent: not where there is nobody to write to, or no way to word it."""
    letter = database.write_sync(lambda session: _worded(session, due, links))
    if letter is None:
        return False
    carrier.send(to_mime(letter, sender))
    try:
        _mark_sent(database, due)
    except CommitUnknownError:  # the same again changes nothing more, and not to do it sends the mail twice
        _mark_sent(database, due)
    log.info("mail_sent", mail=due.id, kind=due.kind, tries=due.attempts)
    return True


def _worded(session: Session, due: DueMail, links: FrontendUrls) -> RenderedMail | None:
    mail = session.get(Mail, due.id)
    if mail is None or mail.status is not MailStatus.PENDING or mail.attempts != due.attempts:
        return None  # taken back since, e.g. with the account
    writer = TEMPLATES.get(due.kind)
    if writer is None:
        session.execute(
            _changed(due, status=MailStatus.FAILED, last_error=f"Nothing words mails of kind {due.kind}.")
        )
        log.error("mail_has_no_writer", mail=due.id, kind=due.kind)
        return None
    letter = writer(session, mail, links)
    if letter is None:
        session.execute(_changed(due, status=MailStatus.DROPPED, **SCRUBBED_VALUES))
    return letter


def _mark_sent(database: Database, due: DueMail) -> None:
    """Also where this process slept so long that another has claimed it since: that one need not send it any more."""
    pending = update(Mail).where(Mail.id == due.id, Mail.status == MailStatus.PENDING)
    sent = pending.values(status=MailStatus.SENT, sent_at=clock.now(), last_error=None, **SCRUBBED_VALUES)
    database.write_sync(lambda session: session.connection().execute(sent).rowcount)


def _note_failure(database: Database, due: DueMail, error: Exception) -> None:
    """What went wrong, without a word of what was to be sent, or to whom: errors of mail servers repeat addresses."""
    reason = _reason(error)
    is_last = due.attempts >= MAX_ATTEMPTS
    status = MailStatus.FAILED if is_last else MailStatus.PENDING
    _change(database, due, status=status, last_error=reason[:ERROR_LENGTH])
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{PurePath(frame.filename).name}:{frame.lineno}"
    log.warning(
        "mail_failed", mail=due.id, kind=due.kind, tries=due.attempts, is_last=is_last, error=reason, where=where
    )


def _reason(error: Exception) -> str:
    codes: list[int] = []
    if isinstance(error, smtplib.SMTPResponseException):
        codes = [error.smtp_code]
    elif isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
    words = [type(error).__name__, *(str(code) for code in codes)]
    if isinstance(error.__context__, TimeoutError):  # smtplib calls a server that hangs disconnected
        words.append("(TimeoutError)")
    return " ".join(words)


def _is_away(error: Exception) -> bool:
    """Whether the next mail would fare no better. (smtplib's errors are OSErrors, too.)"""
    if isinstance(error, smtplib.SMTPException):
        kinds = smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError, smtplib.SMTPAuthenticationError
        return isinstance(error, kinds)
    return isinstance(error, OSError | InsecureTransportError)


def _give_back(database: Database, due: DueMail) -> None:
    """Nothing has left, so another process may try at once."""
    _change(database, due, attempts=due.attempts - 1, next_attempt_at=clock.now())


def _changed(due: DueMail, **values: Any) -> Update:
    ours = (Mail.id == due.id) & (Mail.attempts == due.attempts) & (Mail.status == MailStatus.PENDING)
    return update(Mail).where(ours).values(**values).execution_options(synchronize_session=False)


def _change(database: Database, due: DueMail, **values: Any) -> bool:
    """Whether it was still as we left it."""
    change = _changed(due, **values)
    return database.write_sync(lambda session: session.connection().execute(change).rowcount) == 1
