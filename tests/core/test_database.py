"""Database: transactions, retries, error classes, lost connections and batch loads."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from typing import Any

import pymysql
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from lms_graphql.core import db_errors
from lms_graphql.core.actor import ANONYMOUS, Actor
from lms_graphql.core.database import Database
from lms_graphql.graph.execution.loaders import Loaders


@pytest.fixture
def database(empty_database: str) -> Iterator[Database]:
    database = Database(empty_database, pool_size=4, threads=4)
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE counters (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)"))
        connection.execute(text("INSERT INTO counters VALUES (1, 0)"))
    yield database
    database.dispose()


def counter_value(database: Database) -> Any:
    return database.read_sync(lambda session: session.scalar(text("SELECT n FROM counters WHERE id = 1")))


def increment(session: Session) -> None:
    session.execute(text("UPDATE counters SET n = n + 1 WHERE id = 1"))


def deadlock() -> OperationalError:
    return OperationalError("UPDATE", {}, pymysql.err.OperationalError(1213, "Deadlock found"))


def test_failed_write_is_rolled_back(database: Database) -> None:
    def fail(session: Session) -> None:
        increment(session)
        raise LookupError("no")

    for _ in range(10):
        with pytest.raises(LookupError):
            database.write_sync(fail)
    assert counter_value(database) == 0
    database.write_sync(increment)
    assert counter_value(database) == 1


def test_conflict_retries_whole_transaction(database: Database) -> None:
    attempts = []

    def work(session: Session) -> None:
        increment(session)
        attempts.append(1)
        if len(attempts) < 3:
            raise deadlock()

    database.write_sync(work)
    assert len(attempts) == 3
    assert counter_value(database) == 1


def test_conflict_is_raised_after_five_attempts(database: Database) -> None:
    attempts = []

    def work(session: Session) -> None:
        attempts.append(1)
        raise deadlock()

    with pytest.raises(OperationalError):
        database.write_sync(work)
    assert len(attempts) == 5


def test_duplicate_is_not_retried(database: Database) -> None:
    attempts = []

    def work(session: Session) -> None:
        attempts.append(1)
        session.execute(text("INSERT INTO counters VALUES (1, 5)"))

    with pytest.raises(IntegrityError):
        database.write_sync(work)
    assert len(attempts) == 1


ALWAYS, ONCE, NEVER = db_errors.RetryPolicy.ALWAYS, db_errors.RetryPolicy.ONCE, db_errors.RetryPolicy.NEVER


@pytest.mark.parametrize(
    ("codes", "policy", "is_lost", "is_unknown_at_commit", "write_problem"),
    [
        ((1213, 1020), ALWAYS, False, False, None),
        ((1205,), ONCE, False, False, None),
        ((1047, 1053, 1290, 1836), ALWAYS, True, True, db_errors.NODE_PROBLEM),
        ((2006, 2013, 2055, 4031, 1927, 1158, 1159, 1160, 1161), ALWAYS, True, True, None),
        ((1180,), NEVER, True, True, None),
        ((1969, 3024, 1062, 9999), NEVER, False, False, None),
        ((1021, 1026, 1030, 1034, 1036, 1114), NEVER, False, False, db_errors.STORAGE_PROBLEM),
    ],
)
def test_mysql_error_codes_are_classified(
    codes: tuple[int, ...],
    policy: db_errors.RetryPolicy,
    is_lost: bool,
    is_unknown_at_commit: bool,
    write_problem: str | None,
) -> None:
    for code in codes:
        error = OperationalError("x", {}, pymysql.err.OperationalError(code, "x"))
        found = db_errors.classify(error)
        assert (found.retry, found.connection_lost) == (policy, is_lost), code
        assert (found.commit_unknown, found.write_problem) == (is_unknown_at_commit, write_problem), code


@pytest.mark.parametrize(
    ("code", "stops"),
    [(2003, True), (1040, True), (1047, True), (1021, True), (1213, False), (1205, False), (2013, False)],
)
def test_task_stops_if_all_transactions_would_fail(code: int, stops: bool) -> None:
    assert db_errors.stops_all_work(OperationalError("x", {}, pymysql.err.OperationalError(code, "x"))) == stops


def test_task_stops_with_the_service_but_not_after_a_bug() -> None:
    assert db_errors.stops_all_work(db_errors.AbandonedError())
    assert not db_errors.stops_all_work(ValueError())


def test_busy_sqlite_is_retried() -> None:
    busy = sqlite3.OperationalError("database is locked")
    busy.sqlite_errorcode = sqlite3.SQLITE_BUSY_SNAPSHOT
    assert db_errors.classify(OperationalError("x", {}, busy)).retry is db_errors.RetryPolicy.ALWAYS


def test_concurrent_writers_lose_no_update(database: Database) -> None:
    barrier = threading.Barrier(8)

    def write() -> None:
        barrier.wait()
        for _ in range(25):
            database.write_sync(increment)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter_value(database) == 200


def test_killed_connection_is_replaced(database: Database) -> None:
    if database.is_sqlite:
        database.engine.dispose()
        assert counter_value(database) == 0
        return
    connection_id = database.read_sync(lambda session: session.scalar(text("SELECT CONNECTION_ID()")))
    database.write_sync(lambda session: session.execute(text(f"KILL {connection_id}")) and None)
    assert counter_value(database) == 0


def test_loads_are_batched_when_one_waiter_is_cancelled(database: Database) -> None:
    calls: list[list[int]] = []

    def squares(session: Session, actor: Actor, keys: Any) -> dict[int, int]:
        calls.append(list(keys))
        return {key: key * key for key in keys if key != 3}

    def fails(session: Session, actor: Actor, keys: Any) -> dict[int, int]:
        raise LookupError("no")

    async def load_all() -> None:
        loaders = Loaders(database, ANONYMOUS, [])
        cancelled, loaded, missing = (loaders.load(squares, key, None) for key in (2, 4, 3))
        failing = loaders.load(fails, 1, None)
        cancelled.cancel()
        assert await loaded == 16
        assert await missing is None
        with pytest.raises(LookupError):
            await failing
        assert loaders.load(squares, 4, None) == 16, "a value that was read is cached"
        assert loaders.load(squares, 2, None) == 4, "the load goes on without the waiter that was cancelled"

    asyncio.run(load_all())
    assert calls == [[2, 4, 3]]
