"""Engines: timeouts, SQL mode, character set and time zone of the connections to each kind of database."""

import sqlite3
import time
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor, ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, PoolProxiedConnection

from lms_graphql.core import db_errors

CONNECT_TIMEOUT_SECONDS = 3
SOCKET_TIMEOUT_SECONDS = 15
MAINTENANCE_TIMEOUT_SECONDS = 3600
MAINTENANCE_IDLE_SECONDS = 86_400
"""Idle time after which the server ends a connection for maintenance. That of the setup lock is idle while a
migration runs. Many servers would end it after some minutes, and the lock with it."""
STATEMENT_TIMEOUT_SECONDS = 10
LOCK_TIMEOUT_SECONDS = 3
POOL_TIMEOUT_SECONDS = 2
SQLITE_BUSY_SECONDS = 5
MAINTENANCE_BUSY_SECONDS = 60
RECYCLE_SECONDS = 280
IDLE_SECONDS = 2
"""Idle time after which a connection is pinged before use. After a shorter time it is not, because its use shows
whether it is lost."""
LAST_USED = "last_used"
"""Key in `Connection.info` of the time at which the connection was last used, in seconds of `time.monotonic`."""

IS_GALERA = "is_galera"
"""Key in `Connection.info` that is set if the server is a node of a Galera cluster."""
IS_COMMITTING = "is_committing"
"""Key in `Connection.info` while COMMIT runs. `Database` rolls back itself after a COMMIT that failed."""
CAUSAL = "wsrep_sync_wait = 7"
"""Setting of a session on Galera: a transaction waits until the node has applied all earlier transactions of the
cluster. SELECT (1), UPDATE and DELETE (2) and INSERT (4) wait if they are the first statement of a transaction."""
NOT_CAUSAL = "wsrep_sync_wait = 0"
STRICT_MODE = "STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"


def make_engine(url: URL, *, pool_size: int, for_reads: bool = False, for_maintenance: bool = False) -> Engine:
    """Return an engine whose connections are set up for the service.

    - `for_reads`: each statement commits by itself, without BEGIN and ROLLBACK. Reads have an engine of their own,
      because switching a connection between the two modes costs three round trips.
    - `for_maintenance`: for migrations and other maintenance. Statements have no time limit, socket timeouts are
      longer, and SQLite waits longer for its lock.
    """
    options: dict[str, Any]
    if for_reads:
        # Only for reads: pysqlite looks like autocommit to SQLAlchemy even inside a transaction, which would then not
        # be rolled back.
        options = {
            "isolation_level": "AUTOCOMMIT",
            "skip_autocommit_rollback": True,
            "poolclass": NullPool,  # each thread has its own connection: see core/read_sessions.py
        }
    else:
        options = {
            "pool_size": pool_size,
            "max_overflow": 0,
            "pool_timeout": POOL_TIMEOUT_SECONDS,
            "pool_recycle": RECYCLE_SECONDS,
            "pool_use_lifo": True,
            "pool_reset_on_return": None,  # `Connection.close` rolls back what is open; the pool would do it again
        }
    options["enable_from_linting"] = False
    options["hide_parameters"] = True  # parameters are personal data, and errors are logged
    make = _sqlite if url.get_backend_name() == "sqlite" else _mysql
    engine = make(url, options, for_maintenance)
    _discard_unusable_connections(engine)
    return engine


def _discard_unusable_connections(engine: Engine) -> None:
    """Close a connection after an error that makes it unusable, and free its place in the pool.

    SQLAlchemy knows only some of these errors. If ROLLBACK fails, it would leave the connection checked out for ever.
    On Galera that happens if another node aborts a transaction and ROLLBACK is its next statement (1213).
    """

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.info.pop(IS_COMMITTING, None)

    @event.listens_for(engine, "commit")
    def commit(connection: Connection) -> None:
        connection.info[IS_COMMITTING] = True

    @event.listens_for(engine, "handle_error")
    def discard(context: ExceptionContext) -> None:
        connection = context.connection
        if connection is None or context.is_disconnect or connection.invalidated:
            return
        if db_errors.classify_original(context.original_exception).connection_lost:
            context.is_disconnect = True  # with the other connections of the pool, which lead to the same server
        elif (
            context.statement is None and context.execution_context is None and not connection.info.get(IS_COMMITTING)
        ):
            context.is_disconnect, context.invalidate_pool_on_disconnect = True, False  # ROLLBACK failed


def _enable_wal(cursor: DBAPICursor, seconds: float) -> None:
    """Switch the file to write-ahead logging, and retry for this long while another connection writes to it.

    SQLite refuses the switch at once then: its busy timeout does not apply.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if time.monotonic() > deadline or db_errors.classify_original(error) is not db_errors.CONFLICT:
                raise
            time.sleep(0.01)
        else:
            return


def _sqlite(url: URL, options: dict[str, Any], for_maintenance: bool) -> Engine:
    busy_seconds = MAINTENANCE_BUSY_SECONDS if for_maintenance else SQLITE_BUSY_SECONDS
    arguments = {"check_same_thread": False, "timeout": busy_seconds, "isolation_level": None}
    engine = create_engine(url, connect_args=arguments, **options)

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        _enable_wal(cursor, busy_seconds)
        for pragma in ("synchronous=NORMAL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "close")
    def roll_back(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        # A closed connection holds the lock of its transaction for as long as a cursor of it exists.
        with suppress(sqlite3.Error):
            connection.rollback()

    if "isolation_level" not in options:

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            # A transaction that begins with a read cannot wait for the write lock later, so it takes it at once.
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _mysql(url: URL, options: dict[str, Any], for_maintenance: bool) -> Engine:
    timeouts = {"connect_timeout": CONNECT_TIMEOUT_SECONDS}
    if url.get_driver_name() in {"pymysql", "mysqldb"}:
        seconds = MAINTENANCE_TIMEOUT_SECONDS if for_maintenance else SOCKET_TIMEOUT_SECONDS
        timeouts |= {"read_timeout": seconds, "write_timeout": seconds}
    engine = create_engine(url.update_query_dict({"charset": "utf8mb4"}), connect_args=timeouts, **options)

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute("SELECT VERSION()")
        version = str((cursor.fetchone() or ("",))[0])
        settings = [
            "time_zone = '+00:00'",
            f"sql_mode = '{STRICT_MODE}'",
            f"innodb_lock_wait_timeout = {LOCK_TIMEOUT_SECONDS}",
        ]
        if for_maintenance:
            settings.append(f"wait_timeout = {MAINTENANCE_IDLE_SECONDS}")
        elif "MariaDB" in version:
            settings.append(f"max_statement_time = {STATEMENT_TIMEOUT_SECONDS}")
        else:
            settings.append(f"max_execution_time = {STATEMENT_TIMEOUT_SECONDS * 1000}")
        cursor.execute("SHOW VARIABLES WHERE Variable_name IN ('innodb_snapshot_isolation', 'wsrep_on')")
        variables = dict(cursor.fetchall())
        if "innodb_snapshot_isolation" in variables:
            settings.append("innodb_snapshot_isolation = ON")
        if variables.get("wsrep_on") == "ON":
            record.info[IS_GALERA] = True
            settings.append(CAUSAL)
        cursor.execute("SET SESSION " + ", SESSION ".join(settings))
        cursor.close()

    _ping_after_idle(engine)
    return engine


def _ping_after_idle(engine: Engine) -> None:
    """Ping connections that were idle. SQLAlchemy's pre-ping would ping at every checkout: a round trip a batch."""

    @event.listens_for(engine, "checkin")
    def record_use(connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info[LAST_USED] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ping(connection: DBAPIConnection, record: ConnectionPoolEntry, proxy: PoolProxiedConnection) -> None:
        if time.monotonic() - record.info.get(LAST_USED, time.monotonic()) > IDLE_SECONDS:
            try:
                engine.dialect.do_ping(connection)
            except Exception as error:
                raise DisconnectionError from error
