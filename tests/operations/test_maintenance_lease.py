"""Maintenance runs in one process at a time, also if it takes longer than its lease."""

import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from lms_graphql.core.database import Database
from lms_graphql.operations import background, maintenance, migrations
from lms_graphql.operations.background import BackgroundWorker
from lms_graphql.operations.maintenance import TaskContext
from lms_graphql.settings import load_settings

pytestmark = pytest.mark.slow

LEASE_SECONDS = 4
TASK_SECONDS = 7


def test_second_process_waits_for_long_maintenance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "LEASE_INTERVAL", timedelta(seconds=LEASE_SECONDS))
    monkeypatch.setattr(background, "RENEWAL_SECONDS", LEASE_SECONDS / 10)
    has_begun, runs = threading.Event(), list[str]()

    def run_long_task(context: TaskContext) -> list[str]:
        runs.append(threading.current_thread().name)
        has_begun.set()
        time.sleep(TASK_SECONDS)
        return []

    monkeypatch.setattr(maintenance, "MAINTENANCE_TASKS", {"long": run_long_task})
    settings = load_settings({"LMS_DATABASE_URL": f"sqlite:///{tmp_path}/lms.db"}, dotenv=Path("/nowhere"))
    database = Database(settings.url)
    migrations.migrate(database.engine)
    workers = [BackgroundWorker(database, settings) for _ in range(2)]
    first = threading.Thread(target=workers[0]._maintain, name="first")
    first.start()
    assert has_begun.wait(30)
    attempts = 0
    while first.is_alive():
        workers[1]._maintain()
        attempts += 1
        time.sleep(0.1)
    for worker in workers:
        worker.stop()
    database.dispose()
    assert runs == ["first"]
    assert attempts > 1
