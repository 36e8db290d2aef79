"""How a connection is set up: time-outs, strictness, character set, time zone, for each kind of database."""

import sqlite3
import time
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, PoolProxiedConnection

CONNECT_TIMEOUT_SECONDS = 3
SOCKET_TIMEOUT_SECONDS = 15
MAINTENANCE_TIMEOUT_SECONDS = 3600
STATEMENT_TIMEOUT_SECONDS = 10
LOCK_TIMEOUT_SECONDS = 3
POOL_TIMEOUT_SECONDS = 2
SQLITE_BUSY_SECONDS = 5
MAINTENANCE_BUSY_SECONDS = 60
RECYCLE_SECONDS = 280
IDLE_SECONDS = 2
"""A connection that was used this lately is not asked again whether it is there: a lost link is found by use."""

STRICT_MODE = "STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"


def make_engine(url: URL, *, pool_size: int, reading: bool = False, patient: bool = False) -> Engine:
    """
    `reading`: every statement for itself, without BEGIN and ROLLBACK. An engine of its own, because to switch a
    connection over costs three round trips.
    `patient`: without bounds on a statement's time, and waiting its turn longer, for migrations and other work of
    whoever operates it.
    """
    options: dict[str, Any]
    if reading:  # nowhere else: pysqlite looks like autocommit to SQLAlchemy also while it is in a transaction
        options = {
            "isolation_level": "AUTOCOMMIT",
            "skip_autocommit_rollback": True,
            "poolclass": NullPool,  # each thread keeps its connection: see core/read_sessions.py
        }
    else:
        options = {
            "pool_size": pool_size,
            "max_overflow": 0,
            "pool_timeout": POOL_TIMEOUT_SECONDS,
            "pool_recycle": RECYCLE_SECONDS,
            "pool_use_lifo": True,
        }
    options["enable_from_linting"] = False
    options["hide_parameters"] = True  # what is bound is people's data, and errors are logged
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, options, patient)
    return _mysql(url, options, patient)


def _keep_a_log(cursor: DBAPICursor, seconds: float) -> None:
    """Who opens a new file while another writes to it cannot change it over, and is told so without a wait."""
    until = time.monotonic() + seconds
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _sqlite(url: URL, options: dict[str, Any], patient: bool) -> Engine:
    busy = MAINTENANCE_BUSY_SECONDS if patient else SQLITE_BUSY_SECONDS
    arguments = {"check_same_thread": False, "timeout": busy, "isolation_level": None}
    engine = create_engine(url, connect_args=arguments, **options)

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        _keep_a_log(cursor, busy)
        for pragma in ("synchronous=NORMAL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    if "isolation_level" not in options:

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            # A transaction that starts to read and then writes cannot wait its turn: it says at once that it will.
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _mysql(url: URL, options: dict[str, Any], patient: bool) -> Engine:
    timeouts: dict[str, Any] = {"connect_timeout": CONNECT_TIMEOUT_SECONDS}
    if url.get_driver_name() == "pymysql":
        seconds = MAINTENANCE_TIMEOUT_SECONDS if patient else SOCKET_TIMEOUT_SECONDS
        timeouts |= {"read_timeout": seconds, "write_timeout": seconds}
    engine = create_engine(
        url.update_query_dict({"charset": "utf8mb4"}),
        connect_args=timeouts,
        **options,
    )

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
        if not patient and "MariaDB" in version:
            settings.append(f"max_statement_time = {STATEMENT_TIMEOUT_SECONDS}")
        elif not patient:
            settings.append(f"max_execution_time = {STATEMENT_TIMEOUT_SECONDS * 1000}")
        cursor.execute("SHOW VARIABLES LIKE 'innodb_snapshot_isolation'")
        if cursor.fetchone():
            settings.append("innodb_snapshot_isolation = ON")
        cursor.execute("SET SESSION " + ", SESSION ".join(settings))
        cursor.close()

    _ask_after_idling(engine)
    return engine


def _ask_after_idling(engine: Engine) -> None:
    """Pings a connection that lay idle. SQLAlchemy's own pre-ping asks at every checkout: a round trip a batch."""

    @event.listens_for(engine, "checkin")
    def note(connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info["used"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ask(connection: DBAPIConnection, record: ConnectionPoolEntry, proxy: PoolProxiedConnection) -> None:
        if time.monotonic() - record.info.get("used", time.monotonic()) > IDLE_SECONDS:
            try:
                engine.dialect.do_ping(connection)
            except Exception as gone:
                raise DisconnectionError from gone
