"""One machine whose clock is wrong: it stops nothing for the others, and `db check` and `db repair` say so."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lms_graphql.analytics.models import CourseAnalytics
from lms_graphql.analytics.reads.analytics import ANALYTICS_WATERMARK
from lms_graphql.analytics.services import refresh
from lms_graphql.core import named_locks
from lms_graphql.core.database import Database
from lms_graphql.core.named_locks import NamedLock
from lms_graphql.mail.delivery import DeliveryResult
from lms_graphql.mail.models import Mail
from lms_graphql.operations import background, stored_times
from lms_graphql.operations.background import LEASE_INTERVAL, MAINTENANCE_LEASE, BackgroundWorker
from tests.cli import RunCli, execute_sql
from tests.factories import Factories
from tests.live_service import Client, LogCapture, Service
from tests.mail_servers import Mailbox, OutboxHarness

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)


def tomorrow() -> datetime:
    return datetime.now(UTC) + DAY


def set_taken_at(database: Database, name: str, taken_at: datetime) -> None:
    def write(session: Session) -> None:
        named_locks.lock(session, name)
        session.execute(update(NamedLock).where(NamedLock.name == name).values(taken_at=taken_at))

    database.write_sync(write)


def try_lease(database: Database) -> bool:
    is_due = partial(named_locks.is_lease_due, name=MAINTENANCE_LEASE, interval=LEASE_INTERVAL)
    lease = partial(named_locks.try_lease, name=MAINTENANCE_LEASE, interval=LEASE_INTERVAL)
    return database.read_sync(is_due) and database.write_sync(lease)


@pytest.mark.usefixtures("no_maintenance")
def test_lease_of_tomorrow_counts_as_ended(service: Service) -> None:
    set_taken_at(service.database, MAINTENANCE_LEASE, tomorrow())
    assert try_lease(service.database)
    assert not try_lease(service.database)


@pytest.mark.usefixtures("no_maintenance")
def test_lease_is_stored_by_the_clock_of_the_database(service: Service) -> None:
    set_taken_at(service.database, MAINTENANCE_LEASE, named_locks.EPOCH)
    with time_machine.travel(tomorrow()):
        assert try_lease(service.database)
    assert not try_lease(service.database), "the lease lasts for the others, too"


def test_machine_with_wrong_clock_leaves_maintenance_to_others(
    service: Service, captured_log: LogCapture, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[Any] = []

    def record_run(*arguments: Any) -> list[Any]:
        runs.append(arguments)
        return []

    monkeypatch.setattr(background, "run_maintenance", record_run)
    database = Database(service.database.url, share_writer_lock_with=service.database)
    worker = BackgroundWorker(database, service.resources.settings)
    with time_machine.travel(tomorrow()):
        for age, expected_runs in ((2 * LEASE_INTERVAL, 0), (timedelta(hours=1), 1)):
            set_taken_at(database, MAINTENANCE_LEASE, datetime.now(UTC) - DAY - age)
            runs.clear()
            worker._maintain()
            assert len(runs) == expected_runs
    worker.stop()
    database.dispose()
    assert "clocks_differ" in captured_log.text


@pytest.mark.usefixtures("no_maintenance")
def test_analytics_recover_from_refresh_with_wrong_clock(service: Service, make: Factories) -> None:
    course = make.course()
    with time_machine.travel(tomorrow()):
        refresh.refresh_analytics(service.database)
    make.enrollment(make.user(), course)
    refresh.refresh_analytics(service.database)
    columns = select(CourseAnalytics.enrollment_count, CourseAnalytics.as_of)
    count, as_of = service.database.read_sync(lambda session: session.execute(columns).one())
    assert count == 1
    assert as_of < datetime.now(UTC) + timedelta(minutes=1)
    watermark = service.database.read_sync(partial(named_locks.watermark, name=ANALYTICS_WATERMARK))
    assert datetime.now(UTC) - timedelta(minutes=5) < watermark < datetime.now(UTC) + timedelta(minutes=1)


def test_mail_of_machine_with_wrong_clock_is_sent(outbox: OutboxHarness, mail_server: tuple[Mailbox, str]) -> None:
    with time_machine.travel(tomorrow() + DAY):
        outbox.enqueue("jane@example.com", "john@example.com")
    claimed = update(Mail).where(Mail.address == "john@example.com").values(attempts=1)
    outbox.database.write_sync(lambda session: session.execute(claimed) and None)
    assert outbox.deliver(mail_server[1]) == DeliveryResult(2, 0)


def test_check_reports_that_clocks_differ(run: RunCli) -> None:
    assert run("db", "init").exit_code == 0
    assert "ok   clocks: this machine and the database agree" in run("db", "check").stdout
    with time_machine.travel(tomorrow()):
        check = run("db", "check")
    assert check.exit_code == 1
    assert "FAIL clocks: this machine is 86,400 s ahead of the database. Synchronize both" in check.stdout
    with time_machine.travel(datetime.now(UTC) - timedelta(seconds=60)):
        assert "FAIL clocks: this machine is 60 s behind the database." in run("db", "check").stdout


@pytest.mark.slow
def test_times_in_the_future_are_reported_and_repaired(run: RunCli, empty_database: str) -> None:
    assert run("db", "init").exit_code == 0
    with time_machine.travel(tomorrow()):
        assert run("db", "demo", "--courses", "2", "--learners", "2").exit_code == 0
    check = run("db", "check")
    assert check.exit_code == 1
    assert "FAIL named_locks.taken_at: 1 times in the future. Run `lms-graphql db repair`." in check.stdout
    assert "FAIL course_analytics.as_of: 2 times in the future." in check.stdout
    execute_sql(empty_database, "UPDATE course_analytics SET enrollment_count = 7")
    assert "named_locks.taken_at: 1 times in the future, repaired" in run("db", "repair").stdout
    repaired = run("db", "check")
    assert "in the future" not in repaired.stdout
    assert repaired.exit_code == 0, repaired.stdout
    assert run("db", "repair").stdout == "Nothing to repair.\n"


def test_each_stored_time_of_now_is_accepted(service: Service, client: Client, make: Factories) -> None:
    make.enrollment(make.user(), make.course())
    refresh.refresh_analytics(service.database)
    assert service.database.read_sync(stored_times.find_future_times) == []
