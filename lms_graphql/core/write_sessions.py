"""Write sessions: a session and its connection are reused by the next transaction, of any thread.

Otherwise each transaction checks out a connection, opens a session on it, and closes both again. That takes two round
trips, whose CPU time is a tenth of a progress report's: 0.45 of 5.0 ms.
"""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session

from lms_graphql.core.db_errors import CommitUnknownError
from lms_graphql.core.engines import IDLE_SECONDS, LAST_USED

MAX_REUSE_SECONDS = 10.0
"""Time after which a connection goes back to the pool, which replaces old ones."""


class WriteSession(Session):
    """A session on one connection.

    Statements that need no ORM run on the connection, without a transaction of the session. The session begins one
    when the ORM is used. It joins the transaction of the connection, and ends it together with its own.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, expire_on_commit=False, join_transaction_mode="control_fully")
        self._write_connection = connection
        self.opened_at = self.used_at = time.monotonic()

    def connection(
        self,
        bind_arguments: dict[str, Any] | None = None,
        execution_options: Mapping[str, Any] | None = None,
    ) -> Connection:
        """Return the connection, whose transaction has begun."""
        if not self._write_connection.in_transaction():
            self._write_connection.begin()
        return self._write_connection

    def in_transaction(self) -> bool:
        return super().in_transaction() or self._write_connection.in_transaction()

    def commit(self) -> None:
        if super().in_transaction():
            super().commit()
        self._write_connection.commit()  # if the ORM was not used, or sent no statement

    def rollback(self) -> None:
        super().rollback()
        self._write_connection.rollback()

    def invalidate(self) -> None:
        """Close the connection, because it is lost or unusable."""
        super().invalidate()
        self._write_connection.invalidate()

    def release(self) -> None:
        """Roll back, and return the connection to the pool."""
        connection = self._write_connection
        info = None if connection.invalidated else connection.info
        try:
            self.close()
        finally:
            connection.close()
        if info is not None:
            info[LAST_USED] = self.used_at  # the pool would count the idle time from now on

    def is_fresh(self) -> bool:
        """Return whether the connection needs neither a ping nor a look of the pool at its age."""
        now = time.monotonic()
        return now - self.used_at <= IDLE_SECONDS and now - self.opened_at <= MAX_REUSE_SECONDS

    def forget(self) -> None:
        """Drop all that the last transaction has stored in the session."""
        if self.identity_map:
            self.expunge_all()
        self.info.clear()


class WriteSessions:
    """The write sessions of an engine whose pool has so many connections. The session that was used last is first."""

    def __init__(self, engine: Engine, pool_size: int) -> None:
        self._engine = engine
        self._pool_size = pool_size
        self._guard = threading.Lock()
        self._idle: list[WriteSession] = []
        self._in_use = 0
        self._is_closed = False
        event.listen(engine, "engine_disposed", lambda _: self._invalidate_idle())

    @contextmanager
    def open(self) -> Iterator[WriteSession]:
        """Yield a session for one transaction. After the commit it stays open, after any error it is released."""
        session = self._take()
        try:
            yield session
        except BaseException as error:
            self._leave(None)
            if isinstance(error, CommitUnknownError) or getattr(error, "connection_invalidated", False):
                self._invalidate_idle()  # they lead to the same server
            session.release()
            raise
        session.forget()
        if not self._leave(session):
            session.release()

    def close(self) -> None:
        """Close all connections, those in use after their transactions."""
        self._is_closed = True
        self._invalidate_idle()

    def _take(self) -> WriteSession:
        with self._guard:
            self._in_use += 1
            session = self._idle.pop() if self._idle else None
        try:
            if session is not None:
                if session.is_fresh():
                    return session
                session.release()
            return WriteSession(self._engine.connect())
        except BaseException:
            self._leave(None)
            raise

    def _leave(self, session: WriteSession | None) -> bool:
        """Count one session less in use. Return whether it stays open for the next transaction.

        It does not if more transactions run or wait than the pool has connections. One connection of the pool is left
        for those who use the engine.
        """
        with self._guard:
            stays = (
                session is not None
                and not self._is_closed
                and not session.in_transaction()
                and self._in_use <= self._pool_size
                and len(self._idle) < self._pool_size - 1
            )
            self._in_use -= 1
            if stays and session is not None:
                session.used_at = time.monotonic()
                self._idle.append(session)
        return stays

    def _invalidate_idle(self) -> None:
        with self._guard:
            idle, self._idle = self._idle, []
        for session in idle:
            session.invalidate()
            session.release()
