"""Write sessions: connections that stay open between transactions, and what must not pass from one to the next."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from lms_graphql.core import engines, write_sessions
from lms_graphql.core.database import Database
from tests.mariadb import MariaDB

POOL_SIZE = 3


class Base(DeclarativeBase):
    pass


class Mark(Base):
    __tablename__ = "marks"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[int] = mapped_column(default=0)


def open_database(url: str) -> Database:
    database = Database(url, pool_size=POOL_SIZE, threads=POOL_SIZE)
    Base.metadata.create_all(database.engine)
    database.write_sync(lambda session: session.add(Mark(id=1)))
    return database


@pytest.fixture
def database(empty_database: str) -> Iterator[Database]:
    database = open_database(empty_database)
    yield database
    database.dispose()


@pytest.fixture
def mariadb_database(mariadb_server: MariaDB) -> Iterator[Database]:
    database = open_database(mariadb_server.new_database("lms_write_sessions"))
    yield database
    database.dispose()


def add_with_core(session: Session) -> None:
    session.connection().execute(update(Mark).values(value=Mark.value + 1))


def add_with_orm(session: Session) -> None:
    session.get_one(Mark, 1).value += 1


def stored_value(database: Database) -> int | None:
    return database.read_sync(lambda session: session.scalar(select(Mark.value)))


def driver_connection(session: Session) -> object:
    return session.connection().connection.driver_connection


def connection_id(session: Session) -> int:
    return session.scalar(text("SELECT CONNECTION_ID()")) or 0


def kill(server: MariaDB, *ids: int) -> None:
    with server.connect_as_root() as connection, connection.cursor() as cursor:
        for number in ids:
            cursor.execute(f"KILL {number}")


def kept_ids(database: Database) -> set[int]:
    """Run as many transactions at the same time as there are connections. Return the ids of those that stay open."""
    barrier = threading.Barrier(POOL_SIZE)

    def work(session: Session) -> int:
        barrier.wait(10)
        return connection_id(session)

    with ThreadPoolExecutor(POOL_SIZE) as threads:
        return set(threads.map(lambda _: database.write_sync(work), range(POOL_SIZE)))


def test_connection_stays_open_after_commit(database: Database) -> None:
    connections = {database.write_sync(driver_connection) for _ in range(3)}
    assert len(connections) == 1


@pytest.mark.parametrize("first", [add_with_core, add_with_orm])
@pytest.mark.parametrize("second", [add_with_core, add_with_orm])
def test_core_and_orm_share_one_transaction(database: Database, first: object, second: object) -> None:
    def work(session: Session) -> None:
        first(session)  # type: ignore[operator]
        session.flush()
        second(session)  # type: ignore[operator]
        session.flush()

    def fail(session: Session) -> None:
        work(session)
        raise LookupError

    with pytest.raises(LookupError):
        database.write_sync(fail)
    assert stored_value(database) == 0
    database.write_sync(work)
    assert stored_value(database) == 2


def test_core_statement_is_committed_when_orm_sends_nothing(database: Database) -> None:
    def work(session: Session) -> None:
        mark = Mark(id=2)
        session.add(mark)
        session.expunge(mark)
        add_with_core(session)

    database.write_sync(work)
    assert stored_value(database) == 1


def test_next_transaction_sees_nothing_of_the_last(database: Database) -> None:
    marks: list[Mark] = []  # the session refers to them weakly

    def leave_traces(session: Session) -> None:
        session.info["trace"] = 1
        marks.append(session.get_one(Mark, 1))
        session.add(Mark(id=2))

    def look(session: Session) -> tuple[bool, int, int]:
        return session.in_transaction(), len(session.info), len(session.identity_map)

    for _ in range(2):
        database.write_sync(lambda session: session.execute(text("DELETE FROM marks WHERE id = 2")) and None)
        database.write_sync(leave_traces)
        assert database.write_sync(look) == (False, 0, 0)


def test_rollback_before_lock_ends_both_transactions(database: Database) -> None:
    def work(session: Session) -> None:
        add_with_core(session)
        add_with_orm(session)
        session.rollback()
        assert not session.in_transaction()

    database.write_sync(work)
    assert stored_value(database) == 0


def test_no_writer_waits_for_idle_connections(database: Database) -> None:
    def add_often(_: int) -> None:
        for _ in range(20):
            database.write_sync(add_with_core)

    with ThreadPoolExecutor(3 * POOL_SIZE) as threads:
        list(threads.map(add_often, range(3 * POOL_SIZE)))
    assert stored_value(database) == 60 * POOL_SIZE
    with database.engine.connect() as connection:  # one connection is left
        connection.execute(text("SELECT 1"))


@pytest.mark.slow
def test_waiting_writer_gets_the_first_connection_that_is_free(mariadb_database: Database) -> None:
    ends = [threading.Event() for _ in range(POOL_SIZE)]
    begun = threading.Barrier(POOL_SIZE + 1)

    def hold(end: threading.Event) -> None:
        def work(session: Session) -> None:
            session.connection()
            begun.wait(10)
            end.wait(10)

        mariadb_database.write_sync(work)

    with ThreadPoolExecutor(POOL_SIZE + 1) as threads:
        holders = [threads.submit(hold, end) for end in ends]
        begun.wait(10)
        waiting = threads.submit(mariadb_database.write_sync, add_with_core)
        while mariadb_database._write_sessions._in_use <= POOL_SIZE:
            time.sleep(0.01)
        ends[0].set()
        waiting.result(10)
        for end in ends:
            end.set()
        for holder in holders:
            holder.result(10)


def test_idle_connections_are_closed_with_the_engine(database: Database) -> None:
    before = database.write_sync(driver_connection)
    database.engine.dispose()
    assert database.write_sync(driver_connection) is not before


@pytest.mark.slow
def test_one_lost_connection_replaces_all_idle_ones(mariadb_database: Database, mariadb_server: MariaDB) -> None:
    kill(mariadb_server, *kept_ids(mariadb_database))
    attempts: list[int] = []

    def work(session: Session) -> None:
        attempts.append(1)
        add_with_core(session)

    mariadb_database.write_sync(work)
    assert (len(attempts), stored_value(mariadb_database)) == (2, 1)


@pytest.mark.slow
def test_idle_connection_is_pinged_before_it_is_used(
    mariadb_database: Database, mariadb_server: MariaDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (write_sessions, engines):
        monkeypatch.setattr(module, "IDLE_SECONDS", 0.05)
    kill(mariadb_server, mariadb_database.write_sync(connection_id))
    time.sleep(0.1)
    attempts: list[int] = []

    def work(session: Session) -> None:
        attempts.append(1)
        add_with_core(session)

    mariadb_database.write_sync(work)
    assert (len(attempts), stored_value(mariadb_database)) == (1, 1)


@pytest.mark.slow
@pytest.mark.parametrize("add", [add_with_core, add_with_orm])
def test_connection_lost_in_transaction_commits_once(
    mariadb_database: Database, mariadb_server: MariaDB, add: object
) -> None:
    mariadb_database.write_sync(connection_id)
    ids: list[int] = []

    def work(session: Session) -> None:
        add(session)  # type: ignore[operator]
        session.flush()
        ids.append(connection_id(session))
        if len(ids) == 1:
            kill(mariadb_server, ids[0])
        session.execute(insert(Mark).values(id=2))

    mariadb_database.write_sync(work)
    assert (len(set(ids)), stored_value(mariadb_database)) == (2, 1)


def test_connection_goes_back_to_the_pool_after_a_while(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.write_sync(add_with_core)
    assert database.engine.pool.checkedout() == 1  # type: ignore[attr-defined]
    monkeypatch.setattr(write_sessions, "MAX_REUSE_SECONDS", 0.0)
    checkouts: list[int] = []

    def count(session: Session) -> None:
        checkouts.append(database.engine.pool.checkedout())  # type: ignore[attr-defined]
        raise OperationalError("UPDATE", None, ValueError())

    with pytest.raises(OperationalError):
        database.write_sync(count)
    assert (checkouts, database.engine.pool.checkedout()) == ([1], 0)  # type: ignore[attr-defined]
