"""A database whose disk is full or read-only: UNAVAILABLE, one line in the log, and readiness says so."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymysql
import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lms_graphql.core import db_errors, write_health
from lms_graphql.core.actor import Role
from lms_graphql.core.database import Database
from lms_graphql.operations import maintenance
from tests.catalog.course_client import CourseClient
from tests.factories import Factories
from tests.live_service import Client, LogCapture, Service
from tests.statement_events import listen_to_statements

LONG_TEXT = "A text that needs new pages. " * 300
SQLITE_FAULTS = {"SQLITE_FULL": "PRAGMA max_page_count = 1", "SQLITE_READONLY": "PRAGMA query_only = 1"}
"""Pragmas after which SQLite raises the error. It raises `max_page_count` to the size of the file."""
READ_ONLY = ("sqlite", "SQLITE_READONLY")
MARIADB_FAULTS = [pytest.param("mariadb", code, marks=pytest.mark.slow) for code in (1021, 1034, 1036, 1114)]


@contextmanager
def failing_storage(service: Service, fault: str | int) -> Iterator[None]:
    def raise_error(_connection: Any, statement: str, _parameters: Any) -> None:
        if not statement.startswith(("SELECT", "SET")):
            raise pymysql.err.OperationalError(fault, "The table is full")

    with (
        sqlite_fault(service, str(fault))
        if service.database.is_sqlite
        else listen_to_statements([service.engine], raise_error)
    ):
        yield


@contextmanager
def sqlite_fault(service: Service, fault: str) -> Iterator[None]:
    def set_pragma(connection: Connection) -> None:
        connection.exec_driver_sql(SQLITE_FAULTS[fault])

    with sqlite3.connect(str(service.database.url.database)) as connection:
        connection.execute("VACUUM")  # because free pages could be used in a full file
    connection.close()
    event.listen(service.engine, "begin", set_pragma)
    try:
        yield
    finally:
        event.remove(service.engine, "begin", set_pragma)
        service.engine.dispose()  # pragmas belong to connections


@pytest.mark.parametrize(
    ("service_settings", "fault"),
    [("sqlite", "SQLITE_FULL"), READ_ONLY, *MARIADB_FAULTS],
    indirect=["service_settings"],
)
def test_full_or_read_only_disk_is_unavailable_and_not_ready(
    service: Service,
    client: Client,
    make: Factories,
    fault: str | int,
    captured_log: LogCapture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    admin = CourseClient(client, make.actor(make.user(Role.SUPER_ADMIN)))
    client.wait_until_ready()
    with failing_storage(service, fault):
        assert admin.error_codes("createCategory", name="Science", description=LONG_TEXT) == ["UNAVAILABLE"]
        response = client.get("/health/ready")
        assert (response.status_code, response.json()["reason"]) == (503, db_errors.STORAGE_PROBLEM)
        assert client.execute("{ categories { name } }") == {"categories": []}
    (line,) = [line for line in captured_log.lines if "database_unavailable" in line]
    assert f"OperationalError {fault}" in line
    assert "Traceback" not in captured_log.text
    assert "internal_error" not in captured_log.text
    monkeypatch.setattr(write_health, "PROBLEM_SECONDS", 0.0)
    client.wait_until_ready()
    admin.ok("createCategory", name="Science", description=LONG_TEXT)


@pytest.mark.parametrize(("service_settings", "fault"), [READ_ONLY, MARIADB_FAULTS[0]], indirect=["service_settings"])
def test_maintenance_without_storage_logs_one_line_a_task(
    service: Service, fault: str | int, captured_log: LogCapture, no_maintenance: None
) -> None:
    with failing_storage(service, fault):
        results = maintenance.run_maintenance(service.database, service.resources.settings)
    failed = [result for result in results if not result.ok]
    lines = [line for line in captured_log.lines if "maintenance_task_failed" in line]
    assert len(failed) == len(lines) > 0
    assert all(f"OperationalError {fault}" in line for line in lines)
    assert "Traceback" not in captured_log.text


def test_sqlite_errors_of_the_file_are_classified(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "lms.db", isolation_level=None)
    connection.execute("CREATE TABLE texts (text)")
    connection.execute("PRAGMA max_page_count = 1")
    for name, fail in (
        ("SQLITE_FULL", lambda: connection.execute("INSERT INTO texts VALUES (zeroblob(100000))")),
        ("SQLITE_CANTOPEN", lambda: sqlite3.connect(tmp_path / "missing" / "lms.db")),
        (
            "SQLITE_READONLY",
            lambda: sqlite3.connect(f"file:{tmp_path}/lms.db?mode=ro", uri=True).execute("DELETE FROM texts"),
        ),
    ):
        with pytest.raises(sqlite3.OperationalError) as raised:
            fail()
        error = OperationalError("x", {}, raised.value)
        assert raised.value.sqlite_errorname == name
        assert db_errors.classify(error) == db_errors.FILE_FAILED
        assert db_errors.is_unavailable(error)
    connection.close()


def test_discarded_connection_to_sqlite_releases_its_lock(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/lms.db")
    create = text("CREATE TABLE texts (text)")
    errors: list[OperationalError] = []  # the traceback refers to the cursor

    def fail(session: Session) -> None:
        session.execute(text("PRAGMA query_only = 1"))
        session.execute(create)

    try:
        database.write_sync(fail)
    except OperationalError as error:
        errors.append(error)
    assert db_errors.classify(errors[0]) is db_errors.FILE_FAILED
    database.write_sync(lambda session: session.execute(create) and None)
    database.dispose()
