"""The seam to the database: one transaction, run again where the database says so, nothing left open."""

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


def count(database: Database) -> Any:
    return database.read_sync(lambda session: session.scalar(text("SELECT n FROM counters WHERE id = 1")))


def add_one(session: Session) -> None:
    session.execute(text("UPDATE counters SET n = n + 1 WHERE id = 1"))


def conflict() -> OperationalError:
    return OperationalError("UPDATE", {}, pymysql.err.OperationalError(1213, "Deadlock found"))


def test_a_refused_write_leaves_nothing_done_and_nothing_open(database: Database) -> None:
    def refuse(session: Session) -> None:
        add_one(session)
        raise LookupError("no")

    for _ in range(10):
        with pytest.raises(LookupError):
            database.write_sync(refuse)
    assert count(database) == 0
    database.write_sync(add_one)
    assert count(database) == 1


def test_a_conflict_runs_the_whole_unit_of_work_again(database: Database) -> None:
    tried = []

    def work(session: Session) -> None:
        add_one(session)
        tried.append(1)
        if len(tried) < 3:
            raise conflict()

    database.write_sync(work)
    assert len(tried) == 3
    assert count(database) == 1


def test_a_conflict_that_does_not_end_is_given_up_after_five_tries(database: Database) -> None:
    tried = []

    def work(session: Session) -> None:
        tried.append(1)
        raise conflict()

    with pytest.raises(OperationalError):
        database.write_sync(work)
    assert len(tried) == 5


def test_a_duplicate_is_the_answer_and_is_not_tried_again(database: Database) -> None:
    tried = []

    def work(session: Session) -> None:
        tried.append(1)
        session.execute(text("INSERT INTO counters VALUES (1, 5)"))

    with pytest.raises(IntegrityError):
        database.write_sync(work)
    assert len(tried) == 1


@pytest.mark.parametrize(
    ("code", "again", "lost"),
    [
        (1213, db_errors.RetryPolicy.YES, False),
        (1020, db_errors.RetryPolicy.YES, False),
        (1205, db_errors.RetryPolicy.ONCE, False),
        (1047, db_errors.RetryPolicy.YES, True),
        (1290, db_errors.RetryPolicy.YES, True),
        (2006, db_errors.RetryPolicy.YES, True),
        (2013, db_errors.RetryPolicy.YES, True),
        (1180, db_errors.RetryPolicy.NEVER, True),
        (1969, db_errors.RetryPolicy.NEVER, False),
        (1062, db_errors.RetryPolicy.NEVER, False),
        (9999, db_errors.RetryPolicy.NEVER, False),
    ],
)
def test_each_error_code_means_what_the_table_says(code: int, again: db_errors.RetryPolicy, lost: bool) -> None:
    fault = db_errors.classify(OperationalError("x", {}, pymysql.err.OperationalError(code, "x")))
    assert (fault.retry, fault.connection_lost) == (again, lost)


def test_a_busy_sqlite_is_a_conflict() -> None:
    busy = sqlite3.OperationalError("database is locked")
    busy.sqlite_errorcode = sqlite3.SQLITE_BUSY_SNAPSHOT
    assert db_errors.classify(OperationalError("x", {}, busy)).retry is db_errors.RetryPolicy.YES


def test_many_writers_at_once_lose_no_update(database: Database) -> None:
    barrier = threading.Barrier(8)

    def write() -> None:
        barrier.wait()
        for _ in range(25):
            database.write_sync(add_one)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(database) == 200


def test_a_connection_that_was_cut_is_replaced(database: Database) -> None:
    if database.is_sqlite:
        database.engine.dispose()
        assert count(database) == 0
        return
    mine = database.read_sync(lambda session: session.scalar(text("SELECT CONNECTION_ID()")))
    database.write_sync(lambda session: session.execute(text(f"KILL {mine}")) and None)
    assert count(database) == 0


def test_loads_of_one_tick_are_one_call_and_a_cancelled_waiter_harms_nobody(database: Database) -> None:
    calls: list[list[int]] = []

    def squares(session: Session, actor: Actor, keys: Any) -> dict[int, int]:
        calls.append(list(keys))
        return {key: key * key for key in keys if key != 3}

    def fails(session: Session, actor: Actor, keys: Any) -> dict[int, int]:
        raise LookupError("no")

    async def ask() -> None:
        loaders = Loaders(database, ANONYMOUS, [])
        first, second, missing = (loaders.load(squares, key, None) for key in (2, 4, 3))
        broken = loaders.load(fails, 1, None)
        first.cancel()
        assert await second == 16
        assert await missing is None
        with pytest.raises(LookupError):
            await broken
        assert loaders.load(squares, 4, None) == 16, "what has been read is at hand"
        assert await loaders.load(squares, 2, None) == 4, "a cancelled load is asked anew"

    asyncio.run(ask())
    assert calls == [[2, 4, 3], [2]]
