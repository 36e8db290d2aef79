"""Outbox of a running service: mail is sent soon after the commit, by one process, and is not logged."""

import email
import email.policy
import re
import threading
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import update
from sqlalchemy.orm import Session

from lms_graphql import settings
from lms_graphql.core import clock
from lms_graphql.core.database import Database
from lms_graphql.core.named_locks import NamedLock, try_lease
from lms_graphql.mail.delivery import DeliveryResult, deliver_due
from lms_graphql.mail.messages import render, to_mime
from lms_graphql.mail.models import MailStatus
from lms_graphql.mail.outbox import enqueue
from lms_graphql.mail.transports import FileTransport, create_transport
from lms_graphql.operations import background, maintenance
from tests.live_service import run_service
from tests.mail_servers import (
    REJECTED_EMAIL,
    SENDER,
    SITE_URLS,
    TEST_MAIL_KIND,
    TOKEN,
    Mailbox,
    OutboxHarness,
    run_silent_server,
    seconds_until_terminated,
    start_cli_process,
)
from tests.mariadb import free_port


def test_mail_is_sent_soon_after_commit(
    outbox: OutboxHarness, mail_server: tuple[Mailbox, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "FIRST_RUN_DELAY_SECONDS", 3_600)  # so that maintenance does not send it
    mailbox, url = mail_server
    with run_service(outbox.settings.model_copy(update={"smtp_url": url})) as service:

        def enqueue_slowly(session: Session) -> None:
            enqueue(session, TEST_MAIL_KIND, email="jane@example.com", name="Jane")
            session.flush()
            time.sleep(0.3)
            assert not mailbox.received, "the transaction is not committed yet"

        service.database.write_sync(enqueue_slowly)
        mailbox.wait_for(1)
        outbox.wait_until_sent()
    (message,) = mailbox.received
    assert (message["To"], message["From"]) == ("jane@example.com", SENDER)
    assert message["Subject"] == "Welcome, Jane"
    assert message["Auto-Submitted"] == "auto-generated"
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    link = f"http://127.0.0.1:8000/verify-email?token={TOKEN}"
    assert link in plain.get_content()
    assert f'href="{link}"' in html.get_content()


def test_mail_of_rolled_back_transaction_is_not_sent(outbox: OutboxHarness, mail_server: tuple[Mailbox, str]) -> None:
    mailbox, url = mail_server

    def fail(session: Session) -> None:
        enqueue(session, TEST_MAIL_KIND, email="jane@example.com")
        session.flush()
        raise LookupError

    with run_service(outbox.settings.model_copy(update={"smtp_url": url})) as service:
        with pytest.raises(LookupError):
            service.database.write_sync(fail)
        service.database.write_sync(partial(enqueue, kind=TEST_MAIL_KIND, email="second@example.com"))
        mailbox.wait_for(1)
    assert mailbox.recipients == ["second@example.com"]
    assert len(outbox.mails()) == 1


@pytest.mark.slow
def test_concurrent_sweeps_send_each_mail_once(
    outbox: OutboxHarness, mail_server: tuple[Mailbox, str], tmp_path: Path
) -> None:
    """Their output and log contain no email and no token."""
    mailbox, url = mail_server
    emails = [f"p{number}@canary.example" for number in range(40)]
    outbox.enqueue(*emails, REJECTED_EMAIL)
    environment = {"LMS_DATABASE_URL": outbox.url, "LMS_SMTP_URL": url}
    processes = [start_cli_process(tmp_path, "sweep", **environment) for _ in range(2)]
    outputs = [running_process.communicate(timeout=180) for running_process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert mailbox.recipients == sorted(emails)
    assert mailbox.recipient_counts[REJECTED_EMAIL] == 1
    lines = "".join(stdout for stdout, _ in outputs)
    assert sum(int(number) for number in re.findall(r"mail: (\d+) sent", lines)) == 40
    assert "1 failed" in lines
    captured_log = "".join(stderr for _, stderr in outputs)
    assert captured_log.count('"mail_sent"') == 40
    assert "SMTPRecipientsRefused 550" in captured_log
    assert "canary" not in lines + captured_log, "no email, and no token"
    third_process = start_cli_process(tmp_path, "sweep", **environment)
    assert third_process.communicate(timeout=180)[0] == "ok   Nothing to do.\n"


def test_mail_of_another_process_is_sent_by_maintenance(
    outbox: OutboxHarness, mail_server: tuple[Mailbox, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "FIRST_RUN_DELAY_SECONDS", 0.1)
    mailbox, url = mail_server
    outbox.enqueue("jane@example.com", "john@example.com")
    changed_settings = outbox.settings.model_copy(update={"smtp_url": url})
    with run_service(changed_settings), run_service(changed_settings):
        outbox.wait_until_sent()
    assert mailbox.recipients == ["jane@example.com", "john@example.com"]


def test_failing_task_stops_neither_maintenance_nor_thread(
    outbox: OutboxHarness, mail_server: tuple[Mailbox, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(context: maintenance.TaskContext) -> list[str]:
        raise LookupError

    outbox.enqueue("jane@example.com")
    monkeypatch.setattr(maintenance, "MAINTENANCE_TASKS", {"broken": fail, **maintenance.MAINTENANCE_TASKS})
    changed_settings = outbox.settings.model_copy(update={"smtp_url": mail_server[1]})
    results = maintenance.run_maintenance(outbox.database, changed_settings)
    assert [result.text for result in results] == [
        "broken: failed with LookupError. Look for maintenance_task_failed in the log.",
        "mail: 1 sent",
    ]
    assert [result.ok for result in results] == [False, True]
    runs = threading.Semaphore(0)

    def count_and_fail() -> None:
        runs.release()
        raise LookupError

    thread = background.BackgroundThread("test", count_and_fail, 0.01)
    thread.start()
    assert all(runs.acquire(timeout=30) for _ in range(3))
    thread.stop()
    assert thread.has_ended(30)


def test_development_writes_mails_to_files(
    outbox: OutboxHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outbox.enqueue("jane@example.com", "john@example.com")
    assert deliver_due(outbox.database, create_transport(outbox.settings), SITE_URLS, SENDER) == DeliveryResult(2, 0)
    parent = Path(outbox.settings.url.database or "").parent if outbox.database.is_sqlite else tmp_path
    folder = parent / "mail"
    assert folder.stat().st_mode & 0o777 == 0o700
    files = sorted(folder.iterdir())
    messages = [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]
    assert {file.suffix for file in files} == {".eml"}
    assert sorted(str(message["To"]) for message in messages) == ["jane@example.com", "john@example.com"]


def test_mail_stays_in_outbox_without_server_in_production(outbox: OutboxHarness) -> None:
    production = outbox.settings.model_copy(update={"env": settings.Environment.PRODUCTION})
    assert "ok mail: stays in the outbox" in outbox.mail_check_output(production)
    outbox.enqueue("jane@example.com")
    assert deliver_due(outbox.database, create_transport(production), SITE_URLS, SENDER) == DeliveryResult(0, 0)
    mail = outbox.mail()
    assert (mail.status, mail.attempts) == (MailStatus.PENDING, 0)
    assert "FAIL mail: stays in the outbox. Set LMS_SMTP_URL" in outbox.mail_check_output(production)


@pytest.mark.slow
def test_service_shuts_down_while_mail_server_hangs(
    outbox: OutboxHarness, tmp_path: Path, mail_server: tuple[Mailbox, str]
) -> None:
    outbox.enqueue("jane@canary.example")
    url = outbox.url
    with run_silent_server() as silent_server:
        server = start_cli_process(
            tmp_path, "serve", "--port", str(free_port()), LMS_DATABASE_URL=url, LMS_SMTP_URL=silent_server.url
        )
        assert silent_server.was_called.wait(60)
        assert seconds_until_terminated(server) < 8, "the mail server may hang for 10 seconds"
        _, captured_log = server.communicate()
    assert "canary" not in captured_log
    assert "Traceback" not in captured_log
    mail = outbox.mail()
    assert mail.status is MailStatus.PENDING
    outbox.make_mails_due()
    assert outbox.deliver(mail_server[1]) == DeliveryResult(1, 0)


def test_file_transport_writes_complete_files_only(tmp_path: Path) -> None:
    transport = FileTransport(tmp_path / "mail")
    message = to_mime(render("jane@example.com", "Hi", "Hello,", []), SENDER)
    with time_machine.travel(datetime(2026, 3, 1, tzinfo=UTC), tick=False):
        for _ in range(20):
            transport.send(message)
    assert len(list((tmp_path / "mail").glob("*.eml"))) == 20
    assert not list((tmp_path / "mail").glob("*.part"))


@pytest.mark.slow
def test_lease_is_taken_by_one_process(outbox: OutboxHarness) -> None:
    databases = [outbox.open_database() for _ in range(4)]
    has_lease: list[bool] = []

    def expire_leases() -> None:
        old = update(NamedLock).values(taken_at=clock.now() - timedelta(hours=2))
        outbox.database.write_sync(lambda session: session.execute(old) and None)

    barrier = threading.Barrier(len(databases), action=expire_leases)

    def try_leases(database: Database) -> None:
        for number in range(40):  # two races for each name: in the first, the row does not exist yet
            barrier.wait()
            has_lease.append(
                database.write_sync(partial(try_lease, name=f"race {number // 2}", interval=timedelta(hours=1)))
            )

    threads = [threading.Thread(target=try_leases, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for database in databases:
        database.dispose()
    assert (has_lease.count(True), len(has_lease)) == (40, 160)
