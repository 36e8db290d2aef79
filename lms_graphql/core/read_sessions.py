"""Read sessions: each thread reuses one session, with its connection, for all its reads.

In a read each statement commits by itself, so nothing but the connection remains between two reads. To check out
the connection, open a session on it and close both again would cost as much as a small statement.

On a Galera cluster a thread has two of them. The other one is for reads that need not be causal: it does not wait
until its node has applied all that was written on other nodes.
"""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from lms_graphql.core.engines import IS_GALERA, NOT_CAUSAL, RECYCLE_SECONDS

T = TypeVar("T")


class ReadSession(Session):
    """The session of one thread, with the time at which it was opened."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, autoflush=False, expire_on_commit=False)
        self.opened_at = time.monotonic()


class ReadSessions:
    """The read sessions of every thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._local = threading.local()
        self._open_sessions: set[ReadSession] = set()
        self._guard = threading.Lock()
        self._is_galera = False
        event.listen(engine, "connect", self._record_server)

    def read(self, work: Callable[[Session], T], *, is_causal: bool = True) -> T:
        """Run the work in this thread's session. Discard the session after an error: its connection may be lost."""
        # Until the first connection the server is unknown. A causal read is right on every server.
        is_causal = is_causal or not self._is_galera
        session = self._session(is_causal)
        try:
            result = work(session)
        except BaseException:
            self._discard(session, is_causal)
            raise
        if session.identity_map:
            session.expunge_all()
        return result

    def close(self) -> None:
        with self._guard:
            sessions, self._open_sessions = self._open_sessions, set()
        for session in sessions:
            session.close()

    def _record_server(self, connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        self._is_galera = IS_GALERA in record.info

    def _session(self, is_causal: bool) -> ReadSession:
        sessions = self._sessions_of_thread()
        session = sessions.get(is_causal)
        if session is not None and session not in self._open_sessions:
            session = None  # `close` has closed it
        if session is not None and time.monotonic() - session.opened_at > RECYCLE_SECONDS:
            self._discard(session, is_causal)
            session = None
        if session is None:
            session = sessions[is_causal] = self._open(is_causal)
            with self._guard:
                self._open_sessions.add(session)
        return session

    def _open(self, is_causal: bool) -> ReadSession:
        session = ReadSession(self._engine)
        if not is_causal:
            try:
                session.connection().exec_driver_sql(f"SET SESSION {NOT_CAUSAL}")
            except BaseException:
                session.invalidate()
                raise
        return session

    def _sessions_of_thread(self) -> dict[bool, ReadSession]:
        """Return the open sessions of this thread: the causal one by True, the other one by False."""
        sessions: dict[bool, ReadSession] | None = getattr(self._local, "sessions", None)
        if sessions is None:
            sessions = self._local.sessions = {}
        return sessions

    def _discard(self, session: ReadSession, is_causal: bool) -> None:
        with self._guard:
            self._open_sessions.discard(session)
        self._sessions_of_thread().pop(is_causal, None)
        session.invalidate()
