"""Injection of one database error, or of the end of the process, at the statement with a given number."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

import pymysql
from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from lms_graphql.core.database import Database
from tests.statement_events import listen_to_statements

MAX_STATEMENTS = 60
"""No request of these tests has as many statements."""
DEADLOCK = (1213, "Deadlock found when trying to get lock; try restarting transaction")
CONNECTION_LOST = (2013, "Lost connection to MySQL server during query")


class ProcessKilledError(BaseException):
    """The process was killed at this point. The service catches no such error, so that nothing follows."""


class InjectedError(Enum):
    """Error that is raised in place of a statement or a COMMIT, or after a COMMIT."""

    DEADLOCK = "deadlock"
    CONNECTION_LOST = "connection lost"
    CONNECTION_LOST_AFTER_COMMIT = "connection lost after COMMIT"
    PROCESS_KILLED = "process killed"
    PROCESS_KILLED_AFTER_COMMIT = "process killed after COMMIT"

    @property
    def is_kill(self) -> bool:
        return self in {InjectedError.PROCESS_KILLED, InjectedError.PROCESS_KILLED_AFTER_COMMIT}

    @property
    def is_after_commit(self) -> bool:
        """Return whether the COMMIT is executed. Only COMMITs are counted then."""
        return self in {InjectedError.CONNECTION_LOST_AFTER_COMMIT, InjectedError.PROCESS_KILLED_AFTER_COMMIT}

    def original(self) -> pymysql.err.OperationalError:
        """Return a new error of the driver. If one were raised again, it would refer to the frames of each time."""
        return pymysql.err.OperationalError(*(DEADLOCK if self is InjectedError.DEADLOCK else CONNECTION_LOST))


DATABASE_ERRORS = tuple(error for error in InjectedError if not error.is_kill)


class ErrorInjector:
    """Injection of one error into all work on a database.

    Statements are counted from 1 over all connections, and a COMMIT of the writing engine counts too. With
    `writes_only`, the statements of the reading engine are not counted. With `commits_only`, only COMMITs are.
    The errors are those of MariaDB, on SQLite as well.
    """

    def __init__(
        self,
        database: Database,
        error: InjectedError = InjectedError.DEADLOCK,
        *,
        writes_only: bool = False,
        commits_only: bool = False,
    ) -> None:
        self._engines = (database.engine,) if writes_only else (database.engine, database.read_engine)
        self._error = error
        self._commits_only = commits_only or error.is_after_commit
        self._injection_number = self._statement_count = 0

    @contextmanager
    def inject_at(self, number: int) -> Iterator[None]:
        self._injection_number, self._statement_count = number, 0
        event.listen(self._engines[0], "commit", self._commit)
        try:
            if self._commits_only:
                yield
            else:
                with listen_to_statements(self._engines, self._execute):
                    yield
        finally:
            event.remove(self._engines[0], "commit", self._commit)

    @property
    def was_injected(self) -> bool:
        return self._statement_count >= self._injection_number

    def _execute(self, connection: Connection, statement: str, _parameters: Any) -> None:
        if not self._is_next():
            return
        if self._error.is_kill:
            raise ProcessKilledError
        if connection.dialect.name == "sqlite":  # SQLAlchemy knows only the errors of the dialect's own driver
            raise OperationalError(statement, None, self._error.original())
        raise self._error.original()

    def _commit(self, connection: Connection) -> None:
        if not self._is_next():
            return
        if self._error.is_after_commit:
            connection.connection.commit()
        if self._error.is_kill:
            connection.connection.rollback()  # as the server does if the process ends
            raise ProcessKilledError
        raise OperationalError("COMMIT", None, self._error.original())

    def _is_next(self) -> bool:
        self._statement_count += 1
        return self._statement_count == self._injection_number
