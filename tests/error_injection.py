"""Injection of one database error, at the statement with a given number."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

import pymysql
from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from tests.live_service import Service

MAX_STATEMENTS = 60
"""No request of these tests has as many statements."""
DEADLOCK = (1213, "Deadlock found when trying to get lock; try restarting transaction")
CONNECTION_LOST = (2013, "Lost connection to MySQL server during query")


class InjectedError(Enum):
    """Error of the driver that is raised in place of a statement or a COMMIT, or after a COMMIT."""

    DEADLOCK = "deadlock"
    CONNECTION_LOST = "connection lost"
    CONNECTION_LOST_AFTER_COMMIT = "connection lost after COMMIT"
    """Only COMMITs are counted."""

    def original(self) -> pymysql.err.OperationalError:
        """Return a new error of the driver. If one were raised again, it would refer to the frames of each time."""
        return pymysql.err.OperationalError(*(DEADLOCK if self is InjectedError.DEADLOCK else CONNECTION_LOST))


class ErrorInjector:
    """Injection of one error into the service.

    Statements are counted from 1 over all connections, and a COMMIT of the writing engine counts too. With
    `writes_only`, the statements of the reading engine are not counted.
    """

    def __init__(
        self, service: Service, error: InjectedError = InjectedError.DEADLOCK, *, writes_only: bool = False
    ) -> None:
        engines = (service.database.engine, service.database.read_engine)
        self._engines = engines[:1] if writes_only else engines
        self._error = error
        self._injection_number = self._statement_count = 0

    @contextmanager
    def inject_at(self, number: int) -> Iterator[None]:
        self._injection_number, self._statement_count = number, 0
        listeners: list[tuple[Any, str, Any]] = [(self._engines[0], "commit", self._commit)]
        if self._error is not InjectedError.CONNECTION_LOST_AFTER_COMMIT:
            events = ("do_execute", "do_executemany")
            listeners += [(engine, name, self._execute) for engine in self._engines for name in events]
        for listener in listeners:
            event.listen(*listener)
        try:
            yield
        finally:
            for listener in listeners:
                event.remove(*listener)

    @property
    def was_injected(self) -> bool:
        return self._statement_count >= self._injection_number

    def _execute(self, *_: Any) -> None:
        if self._is_next():
            raise self._error.original()

    def _commit(self, connection: Connection) -> None:
        if self._is_next():
            if self._error is InjectedError.CONNECTION_LOST_AFTER_COMMIT:
                connection.connection.commit()
            raise OperationalError("COMMIT", None, self._error.original())

    def _is_next(self) -> bool:
        self._statement_count += 1
        return self._statement_count == self._injection_number
