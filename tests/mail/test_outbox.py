"""The outbox in service: a mail is sent soon after the commit that caused it, and nothing of it is told elsewhere."""

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
from tests.live_service import running
from tests.mail_servers import (
    KIND,
    LINKS,
    REFUSED,
    SENDER,
    TOKEN,
    OutboxUnderTest,
    Postbox,
    process,
    silent_server,
    terminated_after,
)
from tests.mariadb import free_port


def test_a_mail_is_sent_soon_after_the_commit_that_caused_it(
    outbox: OutboxUnderTest, office: tuple[Postbox, str]
) -> None:
    box, url = office
    with running(outbox.settings.model_copy(update={"smtp_url": url})) as service:

        def hold(session: Session) -> None:
            enqueue(session, KIND, address="jane@example.com", name="Jane")
            session.flush()
            time.sleep(0.3)
            assert not box.taken, "it is not committed yet"

        service.database.write_sync(hold)
        began = time.monotonic()
        box.wait_for(1)
        assert time.monotonic() - began < 2, "before the sweep comes by"
        outbox.wait_until_sent()
    (message,) = box.taken
    assert (message["To"], message["From"]) == ("jane@example.com", SENDER)
    assert message["Subject"] == "Welcome, Jane"
    assert message["Auto-Submitted"] == "auto-generated"
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert rich is not None
    link = f"http://127.0.0.1:8000/verify-email?token={TOKEN}"
    assert link in plain.get_content()
    assert f'href="{link}"' in rich.get_content()


def test_nothing_is_sent_when_the_transaction_is_undone(outbox: OutboxUnderTest, office: tuple[Postbox, str]) -> None:
    box, url = office

    def undone(session: Session) -> None:
        enqueue(session, KIND, address="jane@example.com")
        session.flush()
        raise LookupError

    with running(outbox.settings.model_copy(update={"smtp_url": url})) as service:
        with pytest.raises(LookupError):
            service.database.write_sync(undone)
        service.database.write_sync(partial(enqueue, kind=KIND, address="second@example.com"))
        box.wait_for(1)
    assert box.addresses == ["second@example.com"]
    assert len(outbox.mails()) == 1


@pytest.mark.slow
def test_the_command_twice_at_once_sends_each_mail_once_and_tells_nobodys_address(
    outbox: OutboxUnderTest, office: tuple[Postbox, str], tmp_path: Path
) -> None:
    box, url = office
    everyone = [f"p{number}@canary.example" for number in range(40)]
    outbox.post(*everyone, REFUSED)
    environment = {"LMS_DATABASE_URL": outbox.url, "LMS_SMTP_URL": url}
    both = [process(tmp_path, "sweep", **environment) for _ in range(2)]
    told = [one.communicate(timeout=60) for one in both]
    assert [one.returncode for one in both] == [0, 0], told
    assert box.addresses == sorted(everyone)
    assert box.came[REFUSED] == 1
    lines = "".join(out for out, _ in told)
    assert sum(int(number) for number in re.findall(r"mail: (\d+) sent", lines)) == 40
    assert "1 failed" in lines
    logged = "".join(err for _, err in told)
    assert logged.count('"mail_sent"') == 40
    assert "SMTPRecipientsRefused 550" in logged
    assert "canary" not in lines + logged, "no address, and no token"
    again = process(tmp_path, "sweep", **environment)
    assert again.communicate(timeout=60)[0] == "ok   Nothing to do.\n"


def test_what_another_process_wrote_down_is_sent_by_the_sweep(
    outbox: OutboxUnderTest, office: tuple[Postbox, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "FIRST_RUN_DELAY_SECONDS", 0.1)
    box, url = office
    outbox.post("jane@example.com", "john@example.com")
    read = outbox.settings.model_copy(update={"smtp_url": url})
    with running(read), running(read):
        outbox.wait_until_sent()
    assert box.addresses == ["jane@example.com", "john@example.com"]


def test_a_fault_in_one_task_is_told_and_ends_neither_the_sweep_nor_the_loop(
    outbox: OutboxUnderTest, office: tuple[Postbox, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(means: maintenance.TaskContext) -> list[str]:
        raise LookupError

    outbox.post("jane@example.com")
    monkeypatch.setattr(maintenance, "MAINTENANCE_TASKS", {"broken": breaks, **maintenance.MAINTENANCE_TASKS})
    read = outbox.settings.model_copy(update={"smtp_url": office[1]})
    lines = maintenance.run_maintenance(outbox.database, read)
    failure = "broken: failed with LookupError. Look for maintenance_task_failed in the log."
    assert [line.text for line in lines] == [failure, "mail: 1 sent"]
    assert [line.ok for line in lines] == [False, True]
    worked = threading.Semaphore(0)

    def fails() -> None:
        worked.release()
        raise LookupError

    loop = background.BackgroundThread("a test's", fails, 0.01)
    loop.start()
    assert all(worked.acquire(timeout=5) for _ in range(3))
    loop.stop()
    assert loop.has_ended(5)


def test_in_development_each_mail_is_a_file(
    outbox: OutboxUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outbox.post("jane@example.com", "john@example.com")
    assert deliver_due(outbox.database, create_transport(outbox.settings), LINKS, SENDER) == DeliveryResult(2, 0)
    beside = Path(outbox.settings.url.database or "").parent if outbox.database.is_sqlite else tmp_path
    folder = beside / "mail"
    assert folder.stat().st_mode & 0o777 == 0o700
    files = sorted(folder.iterdir())
    read = [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]
    assert {file.suffix for file in files} == {".eml"}
    assert sorted(str(message["To"]) for message in read) == ["jane@example.com", "john@example.com"]


def test_production_without_a_mail_server_keeps_its_mail_and_says_so(outbox: OutboxUnderTest) -> None:
    production = outbox.settings.model_copy(update={"env": settings.Environment.PRODUCTION})
    assert "ok mail: stays in the outbox" in outbox.checked(production)
    outbox.post("jane@example.com")
    assert deliver_due(outbox.database, create_transport(production), LINKS, SENDER) == DeliveryResult(0, 0)
    mail = outbox.mail()
    assert (mail.status, mail.attempts) == (MailStatus.PENDING, 0)
    assert "FAIL mail: stays in the outbox. Set LMS_SMTP_URL" in outbox.checked(production)


@pytest.mark.slow
def test_a_mail_server_that_hangs_does_not_keep_the_service_from_ending(
    outbox: OutboxUnderTest, tmp_path: Path, office: tuple[Postbox, str]
) -> None:
    outbox.post("jane@canary.example")
    url = outbox.url
    with silent_server() as silent:
        serving = process(
            tmp_path, "serve", "--port", str(free_port()), LMS_DATABASE_URL=url, LMS_SMTP_URL=silent.url
        )
        assert silent.was_called.wait(30)
        assert terminated_after(serving) < 2
        _, logged = serving.communicate()
    assert "canary" not in logged
    assert "Traceback" not in logged
    mail = outbox.mail()
    assert mail.status is MailStatus.PENDING
    outbox.make_due()
    assert outbox.deliver(office[1]) == DeliveryResult(1, 0)


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    carrier = FileTransport(tmp_path / "mail")
    message = to_mime(render("jane@example.com", "Hi", "Hello,", []), SENDER)
    with time_machine.travel(datetime(2026, 3, 1, tzinfo=UTC), tick=False):
        for _ in range(20):
            carrier.send(message)
    assert len(list((tmp_path / "mail").glob("*.eml"))) == 20
    assert not list((tmp_path / "mail").glob("*.part"))


def test_one_of_many_has_the_turn(outbox: OutboxUnderTest) -> None:
    others = [outbox.another() for _ in range(4)]
    won: list[bool] = []

    def age() -> None:
        old = update(NamedLock).values(taken_at=clock.now() - timedelta(hours=2))
        outbox.database.write_sync(lambda session: session.execute(old) and None)

    barrier = threading.Barrier(len(others), action=age)

    def take_turns(own: Database) -> None:
        for number in range(40):  # who comes first makes the row; at the second race there is one
            barrier.wait()
            won.append(own.write_sync(partial(try_lease, name=f"race {number // 2}", every=timedelta(hours=1))))

    threads = [threading.Thread(target=take_turns, args=(own,)) for own in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for own in others:
        own.dispose()
    assert (won.count(True), len(won)) == (40, 160)
