"""What the database's error codes mean for a unit of work: one table, for MySQL, MariaDB, Galera and SQLite."""

import sqlite3
from dataclasses import dataclass
from enum import Enum

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


class RetryPolicy(Enum):
    """Whether the whole unit of work may be run again."""

    NEVER = "never"
    ONCE = "once"
    YES = "yes"


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """`connection_lost`: the connection is unusable. `commit_unknown`: the transaction may have been committed."""

    retry: RetryPolicy
    connection_lost: bool = False
    commit_unknown: bool = False


CONFLICT = ErrorClass(RetryPolicy.YES)
LOCK_TIMEOUT = ErrorClass(RetryPolicy.ONCE)
NODE_UNAVAILABLE = ErrorClass(RetryPolicy.YES, connection_lost=True)
CONNECTION_LOST = ErrorClass(RetryPolicy.YES, connection_lost=True, commit_unknown=True)
COMMIT_FAILED = ErrorClass(RetryPolicy.NEVER, connection_lost=True, commit_unknown=True)
NOT_RETRYABLE = ErrorClass(RetryPolicy.NEVER)

STATEMENT_TIMEOUT_CODES = frozenset({1969, 3024})
MYSQL_ERROR_CLASSES: dict[int, ErrorClass] = {
    **dict.fromkeys((1213, 1020), CONFLICT),
    1205: LOCK_TIMEOUT,
    **dict.fromkeys((1047, 1053, 1290, 1836), NODE_UNAVAILABLE),
    **dict.fromkeys((2006, 2013, 2055, 4031, 1927, 1158, 1159, 1160, 1161), CONNECTION_LOST),
    1180: COMMIT_FAILED,
    **dict.fromkeys(STATEMENT_TIMEOUT_CODES, NOT_RETRYABLE),  # it would be again
    1062: NOT_RETRYABLE,  # a duplicate is the business answer
}
NO_SUCH_TABLE = 1146
CONNECT_ERROR_CODES = frozenset({1040, 1044, 1045, 1049, 2002, 2003, 2005})


def classify(error: DBAPIError) -> ErrorClass:
    """What this error means. An unknown one is final: nothing is tried again on a guess."""
    original = error.orig
    if isinstance(original, sqlite3.OperationalError):
        busy = (getattr(original, "sqlite_errorcode", 0) or 0) & 0xFF == sqlite3.SQLITE_BUSY
        return CONFLICT if busy else NOT_RETRYABLE
    return MYSQL_ERROR_CLASSES.get(_code(error), NOT_RETRYABLE)


def is_missing_table(error: DBAPIError) -> bool:
    original = error.orig
    if isinstance(original, sqlite3.OperationalError):
        return "no such table" in str(original)
    return _code(error) == NO_SUCH_TABLE


def is_unique_violation(error: IntegrityError, column: str) -> bool:
    """Whether it was this unique column that another row has. Both kinds of database name it in their message."""
    return column in str(error.orig)


class CommitUnknownError(Exception):
    """The link was lost while committing: it may be committed. The caller looks it up, never guesses."""


class AbandonedError(Exception):
    """A read that nobody went on with, because the service stops or the client is gone."""


def must_reach_database_layer(error: DBAPIError) -> bool:
    """Whether `Database` may mend this by running the unit of work again, or must give the connection up."""
    return error.connection_invalidated or is_connect_error(error) or classify(error).retry is not RetryPolicy.NEVER


def is_connect_error(error: DBAPIError) -> bool:
    return _code(error) in CONNECT_ERROR_CODES


def is_statement_timeout(error: BaseException) -> bool:
    """Whether the database broke a statement off because of its time."""
    return isinstance(error, DBAPIError) and _code(error) in STATEMENT_TIMEOUT_CODES


def is_unavailable(error: BaseException) -> bool:
    """Whether the database is away or overloaded, so that asking again later may help."""
    if isinstance(error, PoolTimeoutError | AbandonedError | CommitUnknownError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    return must_reach_database_layer(error)


def _code(error: DBAPIError) -> int:
    code = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return code if isinstance(code, int) else 0
