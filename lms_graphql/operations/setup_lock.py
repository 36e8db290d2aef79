"""Setup lock of a database: one process at a time migrates, seeds or resets it, or adds demo data or documents."""

import contextlib
import time
from collections.abc import Iterator

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from lms_graphql.core import db_errors
from lms_graphql.core.engines import IS_GALERA
from lms_graphql.core.errors import OperatorError

TIMEOUT_SECONDS = 60
RETRY_SECONDS = 0.2
MAX_NAME_LENGTH = 64
"""MySQL's own limit."""
TABLE = "setup_lock"
"""Table of the lock's row, on a Galera cluster only. It is no model, because the first migration needs it."""
BUSY_MESSAGE = "Another process is setting up this database. Try again when it has finished."


@contextlib.contextmanager
def setup_lock(engine: Engine) -> Iterator[None]:
    """Hold the setup lock of the engine's database. Raise OperatorError after `TIMEOUT_SECONDS`.

    SQLite needs none, because BEGIN IMMEDIATE already excludes other writers. MySQL commits after each DDL statement,
    and two processes could both look for missing rows before either has written. The lock takes a second connection
    from the engine's pool, and ends with that connection.
    """
    if engine.dialect.name == "sqlite":
        yield
        return
    with engine.connect() as connection:
        hold = _cluster_lock if IS_GALERA in connection.info else _advisory_lock
        with hold(connection):
            yield


def is_set_up_now(connection: Connection) -> bool:
    """Return whether a process holds the setup lock."""
    if connection.dialect.name == "sqlite":
        return False
    if IS_GALERA not in connection.info:
        return connection.scalar(text("SELECT IS_USED_LOCK(:name)"), {"name": _name(connection)}) is not None
    try:
        connection.exec_driver_sql(f"SELECT id FROM {TABLE} FOR UPDATE NOWAIT")  # noqa: S608 - a constant
    except DBAPIError as error:
        if db_errors.is_missing_table(error):
            return False
        if db_errors.classify(error) in {db_errors.LOCK_TIMEOUT, db_errors.CONFLICT}:
            return True
        raise
    return False


@contextlib.contextmanager
def _advisory_lock(connection: Connection) -> Iterator[None]:
    values = {"name": _name(connection), "seconds": TIMEOUT_SECONDS}
    if connection.scalar(text("SELECT GET_LOCK(:name, :seconds)"), values) != 1:
        raise OperatorError(BUSY_MESSAGE)
    connection.commit()
    try:
        yield
    finally:
        with contextlib.suppress(DBAPIError):  # the connection is lost, and MySQL has released the lock with it
            connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": values["name"]})
            connection.commit()


def _name(connection: Connection) -> str:
    """Return the name of the advisory lock. It is valid for the whole server, so it contains the database's name."""
    return f"lms_graphql {connection.engine.url.database}"[:MAX_NAME_LENGTH]


@contextlib.contextmanager
def _cluster_lock(connection: Connection) -> Iterator[None]:
    """Lock a row on all nodes of a Galera cluster, because an advisory lock is known to one node only.

    Streaming replication replicates each statement of the transaction at once, so other nodes lock the row, too. They
    release it when the transaction ends: also if the process, the connection or the node is lost.
    """
    connection.exec_driver_sql(f"CREATE TABLE IF NOT EXISTS {TABLE} (id INTEGER PRIMARY KEY, uses BIGINT NOT NULL)")
    connection.commit()
    connection.exec_driver_sql("SET SESSION wsrep_trx_fragment_unit = 'statements', wsrep_trx_fragment_size = 1")
    try:
        _lock_row(connection)
        yield
    finally:
        with contextlib.suppress(DBAPIError):
            connection.rollback()
        connection.invalidate()  # because other transactions must not be streamed


def _lock_row(connection: Connection) -> None:
    # A row that does not change would not be replicated.
    statement = f"INSERT INTO {TABLE} VALUES (1, 1) ON DUPLICATE KEY UPDATE uses = uses + 1"  # noqa: S608 - a constant
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        try:
            connection.exec_driver_sql(statement)
        except DBAPIError as error:
            if db_errors.classify(error) not in {db_errors.LOCK_TIMEOUT, db_errors.CONFLICT}:
                raise
            if time.monotonic() > deadline:
                raise OperatorError(BUSY_MESSAGE) from None
            connection.rollback()
            time.sleep(RETRY_SECONDS)
        else:
            return
