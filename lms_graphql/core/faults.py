"""What the database's error codes mean for a unit of work: one table, for MySQL, MariaDB, Galera and SQLite."""

import sqlite3
from dataclasses import dataclass
from enum import Enum

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


class Again(Enum):
    """Whether the whole unit of work may be run again."""

    NEVER = "never"
    ONCE = "once"
    YES = "yes"


@dataclass(frozen=True, slots=True)
class Fault:
    """`lost`: the connection is of no more use. `unknown_at_commit`: it may have been committed all the same."""

    again: Again
    lost: bool = False
    unknown_at_commit: bool = False


CONFLICT = Fault(Again.YES)
LOCK_WAIT = Fault(Again.ONCE)
NODE_AWAY = Fault(Again.YES, lost=True)
LINK_LOST = Fault(Again.YES, lost=True, unknown_at_commit=True)
COMMIT_FAILED = Fault(Again.NEVER, lost=True, unknown_at_commit=True)
FINAL = Fault(Again.NEVER)

TOO_SLOW = frozenset({1969, 3024})
MYSQL_FAULTS: dict[int, Fault] = {
    **dict.fromkeys((1213, 1020), CONFLICT),
    1205: LOCK_WAIT,
    **dict.fromkeys((1047, 1053, 1290, 1836), NODE_AWAY),
    **dict.fromkeys((2006, 2013, 2055, 4031, 1927, 1158, 1159, 1160, 1161), LINK_LOST),
    1180: COMMIT_FAILED,
    **dict.fromkeys(TOO_SLOW, FINAL),  # it would be again
    1062: FINAL,  # a duplicate is the business answer
}
NO_SUCH_TABLE = 1146
CANNOT_CONNECT = frozenset({1040, 1044, 1045, 1049, 2002, 2003, 2005})


def read(error: DBAPIError) -> Fault:
    """What this error means. An unknown one is final: nothing is tried again on a guess."""
    original = error.orig
    if isinstance(original, sqlite3.OperationalError):
        busy = (getattr(original, "sqlite_errorcode", 0) or 0) & 0xFF == sqlite3.SQLITE_BUSY
        return CONFLICT if busy else FINAL
    return MYSQL_FAULTS.get(_code(error), FINAL)


def is_missing_table(error: DBAPIError) -> bool:
    original = error.orig
    if isinstance(original, sqlite3.OperationalError):
        return "no such table" in str(original)
    return _code(error) == NO_SUCH_TABLE


def is_duplicate_of(error: IntegrityError, column: str) -> bool:
    """Whether it was this unique column that another row has. Both kinds of database name it in their message."""
    return column in str(error.orig)


class CommitUnknownError(Exception):
    """The link was lost while committing: it may be committed. The caller looks it up, never guesses."""


class GivenUpError(Exception):
    """A read that nobody went on with, because the service stops or the client is gone."""


def is_for_the_seam(error: DBAPIError) -> bool:
    """Whether `Database` may mend this by running the unit of work again, or must give the connection up."""
    return error.connection_invalidated or cannot_connect(error) or read(error).again is not Again.NEVER


def cannot_connect(error: DBAPIError) -> bool:
    return _code(error) in CANNOT_CONNECT


def is_too_slow(error: BaseException) -> bool:
    """Whether the database broke a statement off because of its time."""
    return isinstance(error, DBAPIError) and _code(error) in TOO_SLOW


def is_unavailable(error: BaseException) -> bool:
    """Whether the database is away or overloaded, so that asking again later may help."""
    if isinstance(error, PoolTimeoutError | GivenUpError | CommitUnknownError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    return is_for_the_seam(error)


def _code(error: DBAPIError) -> int:
    code = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return code if isinstance(code, int) else 0
