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

    `connection_lost`: the connection is unusable. `commit_unknown`: if COMMIT raised the error, the transaction may
    have been committed.
    """

    retry: RetryPolicy
    connection_lost: bool = False
    commit_unknown: bool = False


CONFLICT = ErrorClass(RetryPolicy.ALWAYS)
LOCK_TIMEOUT = ErrorClass(RetryPolicy.ONCE)
NODE_UNAVAILABLE = ErrorClass(RetryPolicy.ALWAYS, connection_lost=True)
CONNECTION_LOST = ErrorClass(RetryPolicy.ALWAYS, connection_lost=True, commit_unknown=True)
COMMIT_FAILED = ErrorClass(RetryPolicy.NEVER, connection_lost=True, commit_unknown=True)
NOT_RETRYABLE = ErrorClass(RetryPolicy.NEVER)

STATEMENT_TIMEOUT_CODES = frozenset({1969, 3024})
MYSQL_ERROR_CLASSES: dict[int, ErrorClass] = {
    **dict.fromkeys((1213, 1020), CONFLICT),
    1205: LOCK_TIMEOUT,
    **dict.fromkeys((1047, 1053, 1290, 1836), NODE_UNAVAILABLE),
    **dict.fromkeys((2006, 2013, 2055, 4031, 1927, 1158, 1159, 1160, 1161), CONNECTION_LOST),
    1180: COMMIT_FAILED,
    **dict.fromkeys(STATEMENT_TIMEOUT_CODES, NOT_RETRYABLE),  # the retry would time out, too
    1062: NOT_RETRYABLE,  # services turn a duplicate into a domain error
}
NO_SUCH_TABLE = 1146
CONNECT_ERROR_CODES = frozenset({1040, 1044, 1045, 1049, 2002, 2003, 2005})


def classify(error: DBAPIError) -> ErrorClass:
    """Return the class of an error. An unknown error is not retryable, because a retry would be a guess."""
    original = error.orig
    if isinstance(original, sqlite3.OperationalError):
        is_busy = (getattr(original, "sqlite_errorcode", 0) or 0) & 0xFF == sqlite3.SQLITE_BUSY
        return CONFLICT if is_busy else NOT_RETRYABLE
    return MYSQL_ERROR_CLASSES.get(_code(error), NOT_RETRYABLE)


def is_missing_table(error: DBAPIError) -> bool:
    original = error.orig
    if isinstance(original, sqlite3.OperationalError):
        return "no such table" in str(original)
    return _code(error) == NO_SUCH_TABLE


def is_unique_violation(error: IntegrityError, column: str) -> bool:
    """Return whether this unique column caused the error. Both kinds of database name the column in the message."""
    return column in str(error.orig)


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
    """Return whether the database is unreachable or overloaded, so that a later request may succeed."""
    if isinstance(error, PoolTimeoutError | AbandonedError | CommitUnknownError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    return must_reach_database_layer(error)


def _code(error: DBAPIError) -> int:
    code = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return code if isinstance(code, int) else 0
