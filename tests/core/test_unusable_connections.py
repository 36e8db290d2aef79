"""Connections that cannot be used any more: each is closed, and its place in the pool is free again."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import pymysql
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lms_graphql.core import db_errors, write_health
from lms_graphql.core.actor import Role
from lms_graphql.core.database import Database
from tests.catalog.course_client import CourseClient
from tests.factories import Factories
from tests.live_service import Client, Service, run_service
from tests.mariadb import MariaDB

REFUSALS = 20
NODE_ERRORS = (1047, 1053, 1290, 1836)


def driver_error(database: Database, code: int) -> Exception:
    """Return the driver's error with this code. SQLite's error is "busy", whatever the code is."""
    if not database.is_sqlite:
        return pymysql.err.OperationalError(code, "Deadlock found when trying to get lock")
    busy = sqlite3.OperationalError("database is locked")
    busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return busy


class FailingRollbacks:
    """A wrapper of the dialect's ROLLBACK that fails once after each `arm`, so that the retry can end."""

    def __init__(self, database: Database, code: int) -> None:
        self._database, self._code = database, code
        self._rollback = database.engine.dialect.do_rollback
        self._is_armed = False
        self.failures = 0

    def arm(self) -> None:
        self._is_armed = True

    def __call__(self, connection: Any) -> None:
        if self._is_armed:
            self._is_armed = False
            self.failures += 1
            raise driver_error(self._database, self._code)
        self._rollback(connection)


@pytest.fixture
def database(empty_database: str) -> Iterator[Database]:
    database = Database(empty_database, pool_size=2, threads=2)
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE marks (id INTEGER PRIMARY KEY)"))
    yield database
    database.dispose()


@pytest.mark.parametrize("code", [1213, 2013])
def test_failed_rollback_frees_its_connection(database: Database, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def refuse(session: Session) -> None:
        session.execute(text("INSERT INTO marks VALUES (1)"))
        raise LookupError

    rollbacks = FailingRollbacks(database, code)
    monkeypatch.setattr(database.engine.dialect, "do_rollback", rollbacks)
    for _ in range(REFUSALS):
        rollbacks.arm()
        with pytest.raises(LookupError):
            database.write_sync(refuse)
    assert rollbacks.failures == REFUSALS
    assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    monkeypatch.undo()
    database.write_sync(lambda session: session.execute(text("INSERT INTO marks VALUES (1)")) and None)


def test_service_writes_after_refusals_whose_rollback_fails(
    service: Service, client: Client, make: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = CourseClient(client, make.actor(make.user(Role.SUPER_ADMIN)))
    rollbacks = FailingRollbacks(service.database, 1213)
    monkeypatch.setattr(service.engine.dialect, "do_rollback", rollbacks)
    for _ in range(REFUSALS):
        rollbacks.arm()
        assert admin.user_errors("createCategory", name="") == [("REQUIRED", "name")]
    assert rollbacks.failures == REFUSALS
    assert service.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    admin.ok("createCategory", name="Science")
    client.wait_until_ready()


@pytest.mark.slow
@pytest.mark.parametrize("service_settings", ["mariadb"], indirect=True)
def test_write_to_read_only_server_uses_new_connection(service: Service, mariadb_server: MariaDB) -> None:
    connection_ids: list[int] = []

    def work(session: Session) -> None:
        connection_ids.append(session.scalar(text("SELECT CONNECTION_ID()")) or 0)
        if len(connection_ids) == 1:
            set_read_only(mariadb_server, True)
        try:
            session.execute(
                text(
                    "INSERT INTO named_locks (name, taken_at, created_at, updated_at) "
                    "VALUES ('x', NOW(), NOW(), NOW())"
                )
            )
        finally:
            set_read_only(mariadb_server, False)

    service.database.write_sync(work)
    assert len(connection_ids) == len(set(connection_ids)) == 2


def set_read_only(server: MariaDB, is_on: bool) -> None:
    with server.connect_as_root() as connection, connection.cursor() as cursor:
        cursor.execute(f"SET GLOBAL read_only = {int(is_on)}")


@pytest.mark.slow
@pytest.mark.parametrize("service_settings", ["mariadb"], indirect=True)
def test_read_only_server_is_unavailable_and_not_ready(
    service: Service, client: Client, make: Factories, mariadb_server: MariaDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = CourseClient(client, make.actor(make.user(Role.SUPER_ADMIN)))
    set_read_only(mariadb_server, True)
    try:
        assert admin.error_codes("createCategory", name="Science") == ["UNAVAILABLE"]
        response = client.get("/health/ready")
    finally:
        set_read_only(mariadb_server, False)
    assert (response.status_code, response.json()["reason"]) == (503, db_errors.NODE_PROBLEM)
    admin.ok("createCategory", name="Science")
    monkeypatch.setattr(write_health, "PROBLEM_SECONDS", 0.0)
    client.wait_until_ready()


@pytest.mark.slow
@pytest.mark.parametrize("code", NODE_ERRORS)
def test_node_error_is_retried_before_commit_and_unknown_at_commit(
    mariadb_server: MariaDB, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    database = Database(mariadb_server.new_database("lms_node_errors"))
    connection_ids: list[int] = []

    def work(session: Session) -> None:
        connection_ids.append(session.scalar(text("SELECT CONNECTION_ID()")) or 0)
        if len(connection_ids) == 1:
            raise OperationalError("INSERT", None, driver_error(database, code))

    database.write_sync(work)
    assert len(connection_ids) == 2

    def fail(connection: Any) -> None:
        raise driver_error(database, code)

    monkeypatch.setattr(database.engine.dialect, "do_commit", fail)
    with pytest.raises(db_errors.CommitUnknownError):
        database.write_sync(lambda session: session.scalar(text("SELECT 1")))
    assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    database.dispose()


@pytest.mark.slow
def test_exhausted_pool_is_not_ready_until_a_connection_is_free(
    service: Service, make: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = make.actor(make.user(Role.SUPER_ADMIN))
    settings = service.resources.settings.model_copy(update={"pool_size": 1, "worker_threads": 1})
    monkeypatch.setattr(write_health, "PROBLEM_SECONDS", 0.0)
    with run_service(settings) as small_service:
        client = Client(small_service)
        with small_service.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            assert CourseClient(client, admin).error_codes("createCategory", name="Science") == ["UNAVAILABLE"]
            response = client.get("/health/ready")
            assert (response.status_code, response.json()["reason"]) == (503, db_errors.POOL_EXHAUSTED)
            connection.rollback()
        client.wait_until_ready()
        CourseClient(client, admin).ok("createCategory", name="Science")
        client.close()
