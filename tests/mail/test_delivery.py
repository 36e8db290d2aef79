"""Delivery: exactly one message per mail, retries with growing delays, and independence of failures."""

import ssl
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import time_machine
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from lms_graphql.core import clock
from lms_graphql.core.database import Database
from lms_graphql.core.named_locks import NamedLock
from lms_graphql.mail import transports
from lms_graphql.mail.delivery import MAX_ATTEMPTS, RETRY_DELAYS, DeliveryResult, deliver_due
from lms_graphql.mail.messages import RenderedMail, render, to_mime
from lms_graphql.mail.models import Mail, MailStatus
from lms_graphql.mail.outbox import cancel_mails_of_user, enqueue, enqueue_many
from lms_graphql.mail.templates import TEMPLATES, SiteUrls
from lms_graphql.mail.transports import SmtpTransport
from tests.mail_servers import (
    ABORTING_EMAIL,
    REJECTED_EMAIL,
    SENDER,
    SITE_URLS,
    TEST_MAIL_KIND,
    Mailbox,
    OutboxHarness,
    run_mail_server,
    run_silent_server,
    server_tls_context,
)


def test_single_mail_overtakes_bulk_mails(outbox: OutboxHarness, mail_server: tuple[Mailbox, str]) -> None:
    mailbox, url = mail_server
    outbox.database.write_sync(lambda session: enqueue_many(session, TEST_MAIL_KIND, [{}, {}]))
    outbox.enqueue("jane@example.com")
    deliver_due(outbox.database, SmtpTransport(url), SITE_URLS, SENDER, limit=1)
    assert mailbox.recipients == ["jane@example.com"]
    assert [mail.status for mail in outbox.mails()] == [MailStatus.PENDING, MailStatus.PENDING, MailStatus.SENT]
    outbox.deliver(url)
    assert [mail.attempts for mail in outbox.mails()] == [1, 1, 1], "bulk mails wait for nothing else"


@pytest.mark.slow
def test_concurrent_deliveries_send_each_mail_once(outbox: OutboxHarness, mail_server: tuple[Mailbox, str]) -> None:
    mailbox, url = mail_server
    emails = [f"p{number}@example.com" for number in range(60)]
    databases = [outbox.open_database() for _ in range(3)]
    barrier = threading.Barrier(len(databases))
    errors: list[Exception] = []

    def send(database: Database) -> None:
        try:
            barrier.wait()
            for _ in range(20):
                if not any(outbox.deliver(url, database)):
                    return
        except Exception as error:
            errors.append(error)

    for start in range(0, 60, 20):
        outbox.enqueue(*emails[start : start + 20])
        threads = [threading.Thread(target=send, args=(database,)) for database in databases]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for database in databases:
        database.dispose()
    assert not errors
    assert mailbox.recipients == sorted(emails)
    assert {(mail.status, mail.attempts) for mail in outbox.mails()} == {(MailStatus.SENT, 1)}


def test_rejected_mail_is_retried_with_growing_delays(
    outbox: OutboxHarness, mail_server: tuple[Mailbox, str]
) -> None:
    mailbox, url = mail_server
    with time_machine.travel(datetime(2026, 3, 1, tzinfo=UTC), tick=False) as traveller:
        outbox.enqueue(REJECTED_EMAIL, "jane@example.com", ABORTING_EMAIL, "john@example.com")
        assert outbox.deliver(url) == DeliveryResult(2, 2)
        assert mailbox.recipients == ["jane@example.com", "john@example.com"], "the other mails are sent"
        assert "2 waiting, the oldest since 2026-03-01 00:00 UTC; the last error: SMTP" in outbox.mail_check_output()
        outbox.database.write_sync(
            lambda session: (
                session.execute(delete(Mail).where(Mail.address.is_distinct_from(REJECTED_EMAIL))) and None
            )
        )
        delays = []
        for _ in range(1, MAX_ATTEMPTS):
            mail = outbox.mail()
            assert (mail.status, mail.last_error) == (MailStatus.PENDING, "SMTPRecipientsRefused 550")
            delays.append(mail.next_attempt_at - clock.now())
            traveller.move_to(mail.next_attempt_at - timedelta(seconds=1))
            assert outbox.deliver(url) == DeliveryResult(0, 0), "the retry is not due yet"
            traveller.move_to(mail.next_attempt_at)
            assert outbox.deliver(url) == DeliveryResult(0, 1)
        assert delays == (RETRY_DELAYS + [RETRY_DELAYS[-1]] * MAX_ATTEMPTS)[: MAX_ATTEMPTS - 1]
        assert outbox.mail().status is MailStatus.FAILED
        assert "FAIL mail: 1 failed" in outbox.mail_check_output()
        assert "SMTPRecipientsRefused 550" in outbox.mail_check_output()
        traveller.shift(timedelta(days=40))
        assert outbox.deliver(url) == DeliveryResult(0, 0)
        assert "ok mail: 1 failed" in outbox.mail_check_output(), "an old failure is only reported"
    assert mailbox.recipient_counts[REJECTED_EMAIL] == MAX_ATTEMPTS


def test_mail_is_retried_after_server_disconnects(outbox: OutboxHarness, mail_server: tuple[Mailbox, str]) -> None:
    mailbox, url = mail_server
    outbox.enqueue(ABORTING_EMAIL)
    for attempts in (1, 2):
        assert outbox.deliver(url) == DeliveryResult(0, 1)
        mail = outbox.mail()
        assert (mail.status, mail.attempts, mail.last_error) == (
            MailStatus.PENDING,
            attempts,
            "SMTPServerDisconnected",
        )
        outbox.make_mails_due()
    assert mailbox.recipient_counts[ABORTING_EMAIL] == 2


def test_delivery_stops_after_three_consecutive_outages(
    outbox: OutboxHarness, monkeypatch: pytest.MonkeyPatch, mail_server: tuple[Mailbox, str]
) -> None:
    outbox.enqueue(*[f"p{number}@example.com" for number in range(6)])
    with run_silent_server() as silent_server, monkeypatch.context() as patch:
        patch.setattr(transports, "SOCKET_TIMEOUT_SECONDS", 0.2)
        assert outbox.deliver(silent_server.url) == DeliveryResult(0, 3), "the server hangs"
    assert outbox.deliver(silent_server.url) == DeliveryResult(0, 3), "the port is closed"
    assert [mail.attempts for mail in outbox.mails()] == [1] * 6
    assert {mail.last_error for mail in outbox.mails()} == {
        "SMTPServerDisconnected (TimeoutError)",
        "ConnectionRefusedError",
    }
    outbox.make_mails_due()
    assert outbox.deliver(mail_server[1]) == DeliveryResult(6, 0)
    assert {mail.last_error for mail in outbox.mails()} == {None}


def test_slow_server_is_aborted_after_time_limit(outbox: OutboxHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transports, "SEND_TIMEOUT_SECONDS", 0.3)
    outbox.enqueue("jane@example.com")
    with run_silent_server() as silent_server:
        started = time.monotonic()
        assert outbox.deliver(silent_server.url) == DeliveryResult(0, 1)
        assert time.monotonic() - started < 8, "without the limit it takes 10 seconds"


def test_crash_while_sending_only_delays_the_mail(outbox: OutboxHarness, mail_server: tuple[Mailbox, str]) -> None:
    class CrashingTransport:
        def send(self, message: object) -> None:
            raise SystemExit

        def stop(self) -> None: ...

    outbox.enqueue("jane@example.com")
    with pytest.raises(SystemExit):
        deliver_due(outbox.database, CrashingTransport(), SITE_URLS, SENDER)
    assert outbox.deliver(mail_server[1]) == DeliveryResult(0, 0)
    outbox.make_mails_due()
    assert outbox.deliver(mail_server[1]) == DeliveryResult(1, 0)


def test_failing_template_does_not_stop_other_mails(
    outbox: OutboxHarness, mail_server: tuple[Mailbox, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing_template(session: Session, mail: Mail, urls: SiteUrls) -> RenderedMail | None:
        session.add(NamedLock(name="token", taken_at=clock.now()))
        session.flush()
        raise KeyError(mail.address)

    monkeypatch.setitem(TEMPLATES, "failing", failing_template)
    outbox.enqueue("a@example.com", kind="unknown_kind")
    outbox.enqueue("b@example.com", kind="failing")
    outbox.enqueue(None)
    outbox.enqueue("no address\r\nBcc: evil@example.com", "two@example.com, three@example.com", "jane@example.com")
    assert outbox.deliver(mail_server[1]) == DeliveryResult(1, 3)
    unknown, failing, without_recipient, *rest = outbox.mails()
    assert unknown.status is MailStatus.FAILED
    assert unknown.last_error == "There is no template for mails of kind unknown_kind."
    assert (failing.status, failing.last_error) == (MailStatus.PENDING, "KeyError")
    assert without_recipient.status is MailStatus.DROPPED
    assert [(mail.status, mail.last_error) for mail in rest] == [
        (MailStatus.PENDING, "ValueError"),
        (MailStatus.PENDING, "ValueError"),
        (MailStatus.SENT, None),
    ]
    assert mail_server[0].recipient_counts == Counter(["jane@example.com"])
    assert outbox.database.read_sync(lambda session: session.scalar(select(NamedLock.id))) is None, (
        "the failed transaction was rolled back"
    )
    assert "kind unknown_kind" in outbox.mail_check_output()


def test_cancelled_mails_are_dropped_and_erased(outbox: OutboxHarness, mail_server: tuple[Mailbox, str]) -> None:
    for user in (7, 8):
        work = partial(enqueue, kind=TEST_MAIL_KIND, user_key=user, email=f"{user}@example.com", name="J")
        outbox.database.write_sync(work)
    outbox.database.write_sync(lambda session: cancel_mails_of_user(session, 7))
    assert outbox.deliver(mail_server[1]) == DeliveryResult(1, 0)
    assert [(mail.status, mail.address, mail.data) for mail in outbox.mails()] == [
        (MailStatus.DROPPED, None, {}),
        (MailStatus.SENT, None, {}),
    ]


def test_password_is_not_sent_unencrypted(mail_server: tuple[Mailbox, str], monkeypatch: pytest.MonkeyPatch) -> None:
    message = to_mime(render("jane@example.com", "Hi", "Hello,", []), SENDER)
    monkeypatch.setattr(transports, "LOOPBACK", set())
    with pytest.raises(transports.InsecureTransportError):
        SmtpTransport(mail_server[1].replace("//", "//roko:secret@")).send(message)
    SmtpTransport(mail_server[1]).send(message)
    assert len(mail_server[0].received) == 1


def test_credentials_in_url_are_percent_decoded(outbox: OutboxHarness) -> None:
    credentials: list[tuple[bytes, bytes]] = []

    def check(server: SMTP, session: object, envelope: object, mechanism: str, login: object) -> AuthResult:
        assert isinstance(login, LoginPassword)
        credentials.append((login.login, login.password))
        return AuthResult(success=login.password == b"p@ss/word", handled=False)

    outbox.enqueue("jane@example.com")
    with run_mail_server(authenticator=check, auth_require_tls=False) as (mailbox, url):
        assert outbox.deliver(url.replace("//", "//me%40example.com:wrong@")) == DeliveryResult(0, 1)
        assert outbox.mail().last_error == "SMTPAuthenticationError 535"
        outbox.make_mails_due()
        assert outbox.deliver(url.replace("//", "//me%40example.com:p%40ss%2Fword@")) == DeliveryResult(1, 0)
    assert set(credentials) == {(b"me@example.com", b"wrong"), (b"me@example.com", b"p@ss/word")}
    assert len(mailbox.received) == 1


@pytest.mark.slow
def test_connection_is_encrypted_if_server_supports_it(
    mail_server: tuple[Mailbox, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = server_tls_context(tmp_path)
    message = to_mime(render("jane@example.com", "Hi", "Hello,", []), SENDER)
    with run_mail_server(tls_context=context, require_starttls=True) as (mailbox, url):
        SmtpTransport(url).send(message)
        assert len(mailbox.received) == 1
        monkeypatch.setattr(transports, "LOOPBACK", set())
        with pytest.raises(ssl.SSLCertVerificationError):
            SmtpTransport(url).send(message)
        monkeypatch.undo()
    with run_mail_server(ssl_context=context) as (mailbox, url):
        SmtpTransport(url.replace("smtp:", "smtps:")).send(message)
        assert len(mailbox.received) == 1
