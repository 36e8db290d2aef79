"""The one seam between async and sync, and the one place that opens sessions and commits.

Everything below the resolvers is plain functions of a `Session`. `read` and `write` run one of them in a worker
thread; `read_now` and `write_now` run it here, for scripts and the command line.
"""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from lms_graphql.core import db_errors, query_counter
from lms_graphql.core.concurrency import FairLock, WaitTracker
from lms_graphql.core.engines import make_engine
from lms_graphql.core.read_sessions import ReadSessions

T = TypeVar("T")

MAX_ATTEMPTS = 5
MAX_ATTEMPTS_BY_POLICY = {
    db_errors.RetryPolicy.NEVER: 1,
    db_errors.RetryPolicy.ONCE: 2,
    db_errors.RetryPolicy.YES: MAX_ATTEMPTS,
}
RETRY_BUDGET_SECONDS = 3.0
RECONNECT_BUDGET_SECONDS = 8.0
"""A node that joins or a server that restarts takes longer than a conflict."""


class Database:
    """
    `threads` never outnumber the pool's connections, so that no thread waits for one to write with; to read, each
    keeps its own beside the pool. `patient`: see engines. `in_line_with` another one to the same database: SQLite's
    writers wait in one line. `committed` is called with each session that has written, after its commit: quick things
    only, which cannot fail.
    """

    def __init__(
        self,
        url: str | URL,
        *,
        pool_size: int = 5,
        threads: int = 4,
        patient: bool = False,
        in_line_with: "Database | None" = None,
    ) -> None:
        self.url = make_url(url)
        self.engine = make_engine(self.url, pool_size=pool_size, patient=patient)
        self.reading = make_engine(self.url, pool_size=pool_size, patient=patient, reading=True)
        for engine in (self.engine, self.reading):
            query_counter.install(engine)
        self._readers = ReadSessions(self.reading)
        self._threads = ThreadPoolExecutor(min(threads, pool_size), thread_name_prefix="database")
        self._writing = ThreadPoolExecutor(min(threads, pool_size), thread_name_prefix="database-write")
        self._prober = ThreadPoolExecutor(1, thread_name_prefix="database-probe")
        self._line, self._writers_line = WaitTracker(), WaitTracker()
        self._writers = FairLock() if self.is_sqlite else None
        if in_line_with is not None:
            self._writers = in_line_with._writers
        self.after_commit: list[Callable[[Session], None]] = []

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    async def read(self, work: Callable[[Session], T]) -> T:
        return await self._in_a_thread(self._threads, self._line, self.read_sync, work)

    async def probe(self, work: Callable[[Session], T]) -> T:
        """A read that does not wait behind the others, with a thread and a connection of its own."""
        return await asyncio.get_running_loop().run_in_executor(self._prober, self.read_sync, work)

    def read_queue_seconds(self) -> float:
        """How long the first in the line has waited to read. Who writes may wait for others' locks."""
        return self._line.longest_wait_seconds()

    async def write(self, work: Callable[[Session], T]) -> T:
        """Who is cancelled before the commit has written nothing: the thread finishes, and rolls back."""
        given_up = threading.Event()
        try:
            return await self._in_a_thread(self._writing, self._writers_line, self.write_sync, work, given_up)
        except asyncio.CancelledError:
            given_up.set()
            raise

    def read_sync(self, work: Callable[[Session], T]) -> T:
        """Short reads, each statement for itself: no BEGIN and no ROLLBACK on the way."""
        return self._persist(lambda: self._readers.read(work))

    def write_sync(self, work: Callable[[Session], T], given_up: threading.Event | None = None) -> T:
        """One transaction, run again whole where the database says so. `work` does nothing but database work."""

        def attempt() -> T:
            with self._turn(), Session(self.engine, expire_on_commit=False) as session:
                result = work(session)
                session.flush()
                if given_up is not None and given_up.is_set():
                    raise db_errors.AbandonedError
                _commit(session)
                for told in self.after_commit:
                    told(session)
                return result

        return self._persist(attempt)

    def _in_a_thread(
        self, threads: ThreadPoolExecutor, line: WaitTracker, function: Callable[..., T], *given: object
    ) -> asyncio.Future[T]:
        ticket = line.enter()

        def begin() -> T:
            line.leave(ticket)
            return function(*given)

        future = asyncio.get_running_loop().run_in_executor(threads, begin)
        future.add_done_callback(lambda _: line.leave(ticket))  # it may have been given up before it began
        return future

    def dispose(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._writing.shutdown(wait=True, cancel_futures=True)
        self._prober.shutdown(wait=True, cancel_futures=True)
        self._readers.close()
        self.reading.dispose()
        self.engine.dispose()

    def _persist(self, attempt: Callable[[], T]) -> T:
        started = time.monotonic()
        was_lost = False
        for tried in range(1, MAX_ATTEMPTS + 1):
            try:
                return attempt()
            except DBAPIError as error:
                fault = db_errors.classify(error)
                again = db_errors.RetryPolicy.YES if was_lost and db_errors.is_connect_error(error) else fault.retry
                was_lost = was_lost or fault.connection_lost or error.connection_invalidated
                patience = RECONNECT_BUDGET_SECONDS if was_lost else RETRY_BUDGET_SECONDS
                if tried >= MAX_ATTEMPTS_BY_POLICY[again] or time.monotonic() - started > patience:
                    raise
                pause = random.uniform(0.01, min(0.5, 0.02 * 2**tried))  # noqa: S311 - jitter, no secret
                time.sleep(pause)
        raise AssertionError("The last try returns or raises.")

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """SQLite has one writer at a time. Waiting here, in order, beats polling its lock."""
        if self._writers is None:
            yield
            return
        with self._writers.acquire():
            yield


def _commit(session: Session) -> None:
    """
    CommitUnknownError where it may have been committed. Where it was not, the connection is cleared here: SQLAlchemy
    gives it back as it is, and the next who gets it would commit what this one left.
    """
    link = session.connection().connection
    try:
        session.commit()
    except DBAPIError as error:
        try:
            link.rollback()
        except Exception:  # it is gone, or of no more use
            session.invalidate()
        if db_errors.classify(error).commit_unknown:
            raise db_errors.CommitUnknownError from error
        raise
