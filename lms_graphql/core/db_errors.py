"""Database errors and their meaning for a transaction, in one table for MySQL, MariaDB, Galera and SQLite."""

import sqlite3
from dataclasses import dataclass
from enum import Enum

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


class RetryPolicy(Enum):
    """Number of times that a whole transaction may be run again: never, once, or up to the limits of `Database`."""

    NEVER = "never"
    ONCE = "once"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """Meaning of an error for the transaction and its connection.

    `name`: its name in metrics. `connection_lost`: the connection is unusable. `commit_unknown`: if COMMIT raised the
    error, the transaction may have been committed. `write_problem`: why no transaction can write now, for operators.
    """

    name: str
    retry: RetryPolicy
    connection_lost: bool = False
    commit_unknown: bool = False
    write_problem: str | None = None


POOL_EXHAUSTED = "No connection to write with is free: all connections of the pool are in use."
STORAGE_PROBLEM = "The database cannot store changes: its disk is full, read-only or damaged."
NODE_PROBLEM = "The database server accepts no changes: it is read-only, starting or shutting down."


CONFLICT = ErrorClass("conflict", RetryPolicy.ALWAYS)
LOCK_TIMEOUT = ErrorClass("lock_timeout", RetryPolicy.ONCE)
NODE_UNAVAILABLE = ErrorClass(
    "node_unavailable", RetryPolicy.ALWAYS, connection_lost=True, commit_unknown=True, write_problem=NODE_PROBLEM
)
CONNECTION_LOST = ErrorClass("connection_lost", RetryPolicy.ALWAYS, connection_lost=True, commit_unknown=True)
COMMIT_FAILED = ErrorClass("commit_failed", RetryPolicy.NEVER, connection_lost=True, commit_unknown=True)
NOT_RETRYABLE = ErrorClass("other", RetryPolicy.NEVER)
STORAGE_FAILED = ErrorClass("storage_failed", RetryPolicy.NEVER, write_problem=STORAGE_PROBLEM)
FILE_FAILED = ErrorClass("file_failed", RetryPolicy.NEVER, connection_lost=True, write_problem=STORAGE_PROBLEM)
"""SQLite's file cannot be used. The connection is opened again, because the file may have been replaced."""

DUPLICATE_ENTRY = 1062
STATEMENT_TIMEOUT_CODES = frozenset({1969, 3024})
MYSQL_ERROR_CLASSES: dict[int, ErrorClass] = {
    **dict.fromkeys((1213, 1020), CONFLICT),
    1205: LOCK_TIMEOUT,
    **dict.fromkeys((1047, 1053, 1290, 1836), NODE_UNAVAILABLE),
    **dict.fromkeys((2006, 2013, 2055, 4031, 1927, 1158, 1159, 1160, 1161), CONNECTION_LOST),
    1180: COMMIT_FAILED,
    **dict.fromkeys(STATEMENT_TIMEOUT_CODES, NOT_RETRYABLE),  # the retry would time out, too
    DUPLICATE_ENTRY: NOT_RETRYABLE,  # services turn a duplicate into a domain error
    **dict.fromkeys((1021, 1026, 1030, 1034, 1036, 1114), STORAGE_FAILED),
}
SQLITE_ERROR_CLASSES: dict[int, ErrorClass] = {
    sqlite3.SQLITE_BUSY: CONFLICT,
    **dict.fromkeys(
        (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN), FILE_FAILED
    ),
}
"""By primary error code: SQLite's extended codes have it in their lowest byte."""
NO_SUCH_TABLE = 1146
CONNECT_ERROR_CODES = frozenset({1040, 1044, 1045, 1049, 2002, 2003, 2005})


def classify(error: DBAPIError) -> ErrorClass:
    """Return the class of an error. An unknown error is not retryable, because a retry would be a guess."""
    return classify_original(error.orig)


def classify_original(original: BaseException | None) -> ErrorClass:
    """Return the class of an error of the driver."""
    if isinstance(original, sqlite3.OperationalError):
        code = getattr(original, "sqlite_errorcode", 0) or 0
        return SQLITE_ERROR_CLASSES.get(code & 0xFF, NOT_RETRYABLE)
    return MYSQL_ERROR_CLASSES.get(_original_code(original), NOT_RETRYABLE)


def is_missing_table(error: DBAPIError) -> bool:
    original = error.orig
    if isinstance(original, sqlite3.OperationalError):
        return "no such table" in str(original)
    return _code(error) == NO_SUCH_TABLE


def is_unique_violation(error: IntegrityError, column: str) -> bool:
    """Return whether this unique column caused the error. Both kinds of database name the column in the message."""
    return column in str(error.orig)


def is_duplicate(error: DBAPIError) -> bool:
    """Return whether MySQL or MariaDB has rejected a row because of a unique key."""
    return _code(error) == DUPLICATE_ENTRY


class CommitUnknownError(Exception):
    """The connection was lost during COMMIT, so the transaction may be committed. The caller must look it up."""


class AbandonedError(Exception):
    """The work was abandoned, because the service stops or the client has disconnected."""


def must_reach_database_layer(error: DBAPIError) -> bool:
    """Return whether `Database` must see this error, to run the transaction again or to discard the connection."""
    return error.connection_invalidated or is_connect_error(error) or classify(error).retry is not RetryPolicy.NEVER


def is_connect_error(error: DBAPIError) -> bool:
    return _code(error) in CONNECT_ERROR_CODES


def is_statement_timeout(error: BaseException) -> bool:
    """Return whether the database aborted a statement because it took too long."""
    return isinstance(error, DBAPIError) and _code(error) in STATEMENT_TIMEOUT_CODES


def is_unavailable(error: BaseException) -> bool:
    """Return whether the database is unreachable, overloaded or cannot write, so that a later request may succeed."""
    if isinstance(error, PoolTimeoutError | AbandonedError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    return must_reach_database_layer(error) or classify(error).write_problem is not None


def is_repeatable(error: BaseException) -> bool:
    """Return whether a request that is safe to repeat may be sent again: nothing or an unknown part was committed."""
    return is_unavailable(error) or isinstance(error, CommitUnknownError)


def write_problem(error: BaseException) -> str | None:
    """Return why no transaction can write now, or None if the error says nothing about other transactions."""
    if isinstance(error, PoolTimeoutError):
        return POOL_EXHAUSTED
    return classify(error).write_problem if isinstance(error, DBAPIError) else None


def stops_all_work(error: BaseException) -> bool:
    """Return whether other transactions would fail, too.

    They would if the database is unreachable or cannot write, or if the service stops. Then a task with many
    transactions ends. After other errors it goes on with the next one.
    """
    if isinstance(error, AbandonedError) or write_problem(error) is not None:
        return True
    return isinstance(error, DBAPIError) and is_connect_error(error)


def describe(error: BaseException) -> str:
    """Return the type of an error and the database's code, for logs: `OperationalError 1114`. It has no values."""
    name = type(error).__name__
    if not isinstance(error, DBAPIError):
        return name
    return f"{name} {getattr(error.orig, 'sqlite_errorname', None) or _code(error)}"


def _code(error: DBAPIError) -> int:
    return _original_code(error.orig)


def _original_code(original: BaseException | None) -> int:
    code = original.args[0] if original is not None and original.args else None
    return code if isinstance(code, int) else 0
