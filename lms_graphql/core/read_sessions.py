"""Read sessions: each thread reuses one session, with its connection, for all its reads.

In a read each statement commits by itself, so nothing but the connection remains between two reads. To check out
the connection, open a session on it and close both again would cost as much as a small statement.
"""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from lms_graphql.core.engines import RECYCLE_SECONDS

T = TypeVar("T")


class ReadSessions:
    """The read session of every thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._local = threading.local()
        self._open_sessions: set[Session] = set()
        self._guard = threading.Lock()

    def read(self, work: Callable[[Session], T]) -> T:
        """Run the work in this thread's session. Discard the session after an error: its connection may be lost."""
        session = self._session()
        try:
            result = work(session)
        except BaseException:
            self._discard(session)
            raise
        if session.identity_map:
            session.expunge_all()
        return result

    def close(self) -> None:
        with self._guard:
            sessions, self._open_sessions = self._open_sessions, set()
        for session in sessions:
            session.close()

    def _session(self) -> Session:
        session: Session | None = getattr(self._local, "session", None)
        if session is not None and session not in self._open_sessions:
            session = None  # `close` has closed it
        if session is not None and time.monotonic() - self._local.opened_at > RECYCLE_SECONDS:
            self._discard(session)
            session = None
        if session is None:
            session = Session(self._engine, autoflush=False, expire_on_commit=False)
            self._local.session, self._local.opened_at = session, time.monotonic()
            with self._guard:
                self._open_sessions.add(session)
        return session

    def _discard(self, session: Session) -> None:
        with self._guard:
            self._open_sessions.discard(session)
        self._local.session = None
        session.invalidate()
