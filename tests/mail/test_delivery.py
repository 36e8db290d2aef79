"""Delivering: each mail once, again with growing pauses where it fails, and one's fault is not the others'."""

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
from lms_graphql.mail.outbox import cancel_mails_of, enqueue
from lms_graphql.mail.templates import TEMPLATES, FrontendUrls
from lms_graphql.mail.transports import SmtpTransport
from tests.mail_servers import (
    DEADLY,
    KIND,
    LINKS,
    REFUSED,
    SENDER,
    OutboxUnderTest,
    Postbox,
    certified,
    post_office,
    silent_server,
)


@pytest.mark.slow
def test_several_deliveries_at_once_send_each_mail_once(outbox: OutboxUnderTest, office: tuple[Postbox, str]) -> None:
    box, url = office
    everyone = [f"p{number}@example.com" for number in range(60)]
    others = [outbox.another() for _ in range(3)]
    barrier = threading.Barrier(len(others))
    faults: list[Exception] = []

    def send(own: Database) -> None:
        try:
            barrier.wait()
            for _ in range(20):
                if not any(outbox.deliver(url, own)):
                    return
        except Exception as error:
            faults.append(error)

    for start in range(0, 60, 20):
        outbox.post(*everyone[start : start + 20])
        threads = [threading.Thread(target=send, args=(own,)) for own in others]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for own in others:
        own.dispose()
    assert not faults
    assert box.addresses == sorted(everyone)
    assert {(mail.status, mail.attempts) for mail in outbox.mails()} == {(MailStatus.SENT, 1)}


def test_a_refused_mail_is_tried_again_with_growing_pauses_and_given_up_at_last(
    outbox: OutboxUnderTest, office: tuple[Postbox, str]
) -> None:
    box, url = office
    with time_machine.travel(datetime(2026, 3, 1, tzinfo=UTC), tick=False) as moved:
        outbox.post(REFUSED, "jane@example.com", DEADLY, "john@example.com")
        assert outbox.deliver(url) == DeliveryResult(2, 2)
        assert box.addresses == ["jane@example.com", "john@example.com"], "the others go"
        assert "2 waiting, the oldest since 2026-03-01 00:00 UTC; the last error: SMTP" in outbox.checked()
        outbox.database.write_sync(
            lambda session: session.execute(delete(Mail).where(Mail.address.is_distinct_from(REFUSED))) and None
        )
        pauses = []
        for _ in range(1, MAX_ATTEMPTS):
            mail = outbox.mail()
            assert (mail.status, mail.last_error) == (MailStatus.PENDING, "SMTPRecipientsRefused 550")
            pauses.append(mail.next_attempt_at - clock.now())
            moved.move_to(mail.next_attempt_at - timedelta(seconds=1))
            assert outbox.deliver(url) == DeliveryResult(0, 0), "not before its time"
            moved.move_to(mail.next_attempt_at)
            assert outbox.deliver(url) == DeliveryResult(0, 1)
        assert pauses == (RETRY_DELAYS + [RETRY_DELAYS[-1]] * MAX_ATTEMPTS)[: MAX_ATTEMPTS - 1]
        assert outbox.mail().status is MailStatus.FAILED
        assert "FAIL mail: 1 failed" in outbox.checked()
        assert "SMTPRecipientsRefused 550" in outbox.checked()
        moved.shift(timedelta(days=40))
        assert outbox.deliver(url) == DeliveryResult(0, 0)
        assert "ok mail: 1 failed" in outbox.checked(), "long ago"
    assert box.came[REFUSED] == MAX_ATTEMPTS


def test_a_server_that_dies_midway_gets_the_mail_again(outbox: OutboxUnderTest, office: tuple[Postbox, str]) -> None:
    box, url = office
    outbox.post(DEADLY)
    for tries in (1, 2):
        assert outbox.deliver(url) == DeliveryResult(0, 1)
        mail = outbox.mail()
        assert (mail.status, mail.attempts, mail.last_error) == (
            MailStatus.PENDING,
            tries,
            "SMTPServerDisconnected",
        )
        outbox.make_due()
    assert box.came[DEADLY] == 2


def test_a_server_that_is_away_or_hangs_costs_few_tries(
    outbox: OutboxUnderTest, monkeypatch: pytest.MonkeyPatch, office: tuple[Postbox, str]
) -> None:
    monkeypatch.setattr(transports, "SOCKET_TIMEOUT_SECONDS", 0.2)
    outbox.post(*[f"p{number}@example.com" for number in range(6)])
    with silent_server() as silent:
        assert outbox.deliver(silent.url) == DeliveryResult(0, 3), "then the round is ended"
    assert outbox.deliver(silent.url) == DeliveryResult(0, 3), "nobody listens there any more"
    assert [mail.attempts for mail in outbox.mails()] == [1] * 6
    assert {mail.last_error for mail in outbox.mails()} == {
        "SMTPServerDisconnected (TimeoutError)",
        "ConnectionRefusedError",
    }
    outbox.make_due()
    assert outbox.deliver(office[1]) == DeliveryResult(6, 0)
    assert {mail.last_error for mail in outbox.mails()} == {None}


def test_a_server_that_goes_on_and_on_is_cut(outbox: OutboxUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transports, "SEND_TIMEOUT_SECONDS", 0.3)
    outbox.post("jane@example.com")
    with silent_server() as silent:
        began = time.monotonic()
        assert outbox.deliver(silent.url) == DeliveryResult(0, 1)
        assert time.monotonic() - began < 3


def test_a_process_that_dies_while_sending_only_delays_the_mail(
    outbox: OutboxUnderTest, office: tuple[Postbox, str]
) -> None:
    class Dies:
        def send(self, message: object) -> None:
            raise SystemExit

        def stop(self) -> None: ...

    outbox.post("jane@example.com")
    with pytest.raises(SystemExit):
        deliver_due(outbox.database, Dies(), LINKS, SENDER)
    assert outbox.deliver(office[1]) == DeliveryResult(0, 0)
    outbox.make_due()
    assert outbox.deliver(office[1]) == DeliveryResult(1, 0)


def test_a_kind_that_nobody_words_and_a_writer_that_fails_stop_no_other(
    outbox: OutboxUnderTest, office: tuple[Postbox, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(session: Session, mail: Mail, links: FrontendUrls) -> RenderedMail | None:
        session.add(NamedLock(name="token", taken_at=clock.now()))
        session.flush()
        raise KeyError(mail.address)

    monkeypatch.setitem(TEMPLATES, "fails", fails)
    outbox.post("a@example.com", kind="unheard_of")
    outbox.post("b@example.com", kind="fails")
    outbox.post(None)
    outbox.post("no address\r\nBcc: evil@example.com", "two@example.com, three@example.com", "jane@example.com")
    assert outbox.deliver(office[1]) == DeliveryResult(1, 3)
    unheard, failing, nobody, *rest = outbox.mails()
    assert (unheard.status, unheard.last_error) == (MailStatus.FAILED, "Nothing words mails of kind unheard_of.")
    assert (failing.status, failing.last_error) == (MailStatus.PENDING, "KeyError")
    assert nobody.status is MailStatus.DROPPED
    assert [(mail.status, mail.last_error) for mail in rest] == [
        (MailStatus.PENDING, "ValueError"),
        (MailStatus.PENDING, "ValueError"),
        (MailStatus.SENT, None),
    ]
    assert office[0].came == Counter(["jane@example.com"])
    assert outbox.database.read_sync(lambda session: session.scalar(select(NamedLock.id))) is None, (
        "no token without its letter"
    )
    assert "kind unheard_of" in outbox.checked()


def test_mail_to_somebody_who_left_is_dropped(outbox: OutboxUnderTest, office: tuple[Postbox, str]) -> None:
    for user in (7, 8):
        letter = partial(enqueue, kind=KIND, user_id=user, address=f"{user}@example.com", name="J")
        outbox.database.write_sync(letter)
    outbox.database.write_sync(lambda session: cancel_mails_of(session, 7))
    assert outbox.deliver(office[1]) == DeliveryResult(1, 0)
    assert [(mail.status, mail.address, mail.data) for mail in outbox.mails()] == [
        (MailStatus.DROPPED, None, {}),
        (MailStatus.SENT, None, {}),
    ]


def test_a_password_goes_over_no_unencrypted_link(
    office: tuple[Postbox, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    message = to_mime(render("jane@example.com", "Hi", "Hello,", []), SENDER)
    monkeypatch.setattr(transports, "LOOPBACK", set())
    with pytest.raises(transports.InsecureTransportError):
        SmtpTransport(office[1].replace("//", "//roko:secret@")).send(message)
    SmtpTransport(office[1]).send(message)
    assert len(office[0].taken) == 1


def test_name_and_password_are_decoded_and_checked(outbox: OutboxUnderTest) -> None:
    make: list[tuple[bytes, bytes]] = []

    def check(server: SMTP, session: object, envelope: object, mechanism: str, login: object) -> AuthResult:
        assert isinstance(login, LoginPassword)
        make.append((login.login, login.password))
        return AuthResult(success=login.password == b"p@ss/word", handled=False)

    outbox.post("jane@example.com")
    with post_office(authenticator=check, auth_require_tls=False) as (box, url):
        assert outbox.deliver(url.replace("//", "//me%40example.com:wrong@")) == DeliveryResult(0, 1)
        assert outbox.mail().last_error == "SMTPAuthenticationError 535"
        outbox.make_due()
        assert outbox.deliver(url.replace("//", "//me%40example.com:p%40ss%2Fword@")) == DeliveryResult(1, 0)
    assert set(make) == {(b"me@example.com", b"wrong"), (b"me@example.com", b"p@ss/word")}
    assert len(box.taken) == 1


@pytest.mark.slow
def test_the_link_is_encrypted_where_the_server_can(
    office: tuple[Postbox, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = certified(tmp_path)
    message = to_mime(render("jane@example.com", "Hi", "Hello,", []), SENDER)
    with post_office(tls_context=context, require_starttls=True) as (box, url):
        SmtpTransport(url).send(message)
        assert len(box.taken) == 1
        monkeypatch.setattr(transports, "LOOPBACK", set())
        with pytest.raises(ssl.SSLCertVerificationError):
            SmtpTransport(url).send(message)
        monkeypatch.undo()
    with post_office(ssl_context=context) as (box, url):
        SmtpTransport(url.replace("smtp:", "smtps:")).send(message)
        assert len(box.taken) == 1
