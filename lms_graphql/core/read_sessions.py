"""Reading sessions: each thread keeps its own, with its connection, from one read to the next.

A read commits each statement by itself, so nothing is left over between two of them but the connection. To check it
out, open a session on it and close both again would cost as much as a small statement.
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
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._mine = threading.local()
        self._all: set[Session] = set()
        self._guard = threading.Lock()

    def read(self, work: Callable[[Session], T]) -> T:
        """Runs it in this thread's session. After an error that session is given up: its link may be lost."""
        session = self._session()
        try:
            result = work(session)
        except BaseException:
            self._give_up(session)
            raise
        if session.identity_map:
            session.expunge_all()
        return result

    def close(self) -> None:
        with self._guard:
            sessions, self._all = self._all, set()
        for session in sessions:
            session.close()

    def _session(self) -> Session:
        session: Session | None = getattr(self._mine, "session", None)
        if session is not None and session not in self._all:
            session = None  # it was closed with all others
        if session is not None and time.monotonic() - self._mine.since > RECYCLE_SECONDS:
            self._give_up(session)
            session = None
        if session is None:
            session = Session(self._engine, autoflush=False, expire_on_commit=False)
            self._mine.session, self._mine.since = session, time.monotonic()
            with self._guard:
                self._all.add(session)
        return session

    def _give_up(self, session: Session) -> None:
        with self._guard:
            self._all.discard(session)
        self._mine.session = None
        session.invalidate()
