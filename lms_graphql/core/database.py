"""The boundary between async and sync code, and the only place that opens sessions and commits.

Everything below the resolvers is plain functions of a `Session`. `read` and `write` run one of them in a worker
thread. `read_sync` and `write_sync` run it in the current thread, for scripts and the command line.
"""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from lms_graphql.core import db_errors, metrics, mysql_reader_choice, query_counter, tracing
from lms_graphql.core.concurrency import FairLock
from lms_graphql.core.engines import IS_GALERA, make_engine
from lms_graphql.core.mysql_reader_choice import MysqlReaderChoice
from lms_graphql.core.read_sessions import ReadSessions
from lms_graphql.core.worker_threads import WorkerThreads
from lms_graphql.core.write_health import WriteHealth
from lms_graphql.core.write_sessions import WriteSessions

T = TypeVar("T")

MAX_ATTEMPTS = 5
MAX_ATTEMPTS_BY_POLICY = {
    db_errors.RetryPolicy.NEVER: 1,
    db_errors.RetryPolicy.ONCE: 2,
    db_errors.RetryPolicy.ALWAYS: MAX_ATTEMPTS,
}
RETRY_BUDGET_SECONDS = 3.0
LONG_RETRY_BUDGET_SECONDS = 8.0
"""Budget after a lost connection or a lock timeout. A node that joins or a server that restarts takes longer than a
conflict. The wait for a lock alone takes as long as the other budget."""


class Database:
    """
    Engines and worker threads of one database.

    - `read_url`: where reads go if not to `url`, such as a load balancer for all nodes of a Galera cluster.
    - `threads`: number of worker threads for reads, and as many for writes. They never outnumber the connections of
      the pool, so that no thread waits for a connection to write with. Large reads have half as many. Each read
      thread has its own connection outside the pool.
    - `for_maintenance`: timeouts for maintenance, see `engines.make_engine`.
    - `mysql_reader`: what reads results of PyMySQL.
    - `share_writer_lock_with`: another `Database` of the same SQLite file, whose writer lock this one shares.
    - `after_commit`: functions that are called with the session after each committed write. They must be quick and
      must not fail.
    """

    def __init__(
        self,
        url: str | URL,
        *,
        read_url: URL | None = None,
        pool_size: int = 5,
        threads: int = 4,
        for_maintenance: bool = False,
        mysql_reader: MysqlReaderChoice = MysqlReaderChoice.GENERATED,
        share_writer_lock_with: "Database | None" = None,
    ) -> None:
        self.url = make_url(url)
        self.engine = make_engine(self.url, pool_size=pool_size, for_maintenance=for_maintenance)
        self.read_engine = make_engine(
            read_url or self.url, pool_size=pool_size, for_maintenance=for_maintenance, for_reads=True
        )
        for engine in (self.engine, self.read_engine):
            query_counter.install(engine)
            tracing.install(engine)
            mysql_reader_choice.install(engine, mysql_reader)
        self._is_galera = False
        event.listen(self.engine, "connect", self._record_server)
        self.write_health = WriteHealth(self.engine)
        self._read_sessions = ReadSessions(self.read_engine)
        self._write_sessions = WriteSessions(self.engine, pool_size)
        threads = min(threads, pool_size)
        self._reads = WorkerThreads("read", threads)
        self._large_reads = WorkerThreads("large_read", max(1, threads // 2))
        self._writes = WorkerThreads("write", threads)
        self._probe_thread = ThreadPoolExecutor(1, thread_name_prefix="database-probe")
        self._sqlite_writer_lock = FairLock() if self.is_sqlite else None
        if share_writer_lock_with is not None:
            self._sqlite_writer_lock = share_writer_lock_with._sqlite_writer_lock
        self.after_commit: list[Callable[[Session], None]] = []

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @property
    def worker_threads(self) -> tuple[WorkerThreads, ...]:
        return self._reads, self._large_reads, self._writes

    async def read(self, work: Callable[[Session], T], *, is_large: bool = False, is_causal: bool = True) -> T:
        """Run `read_sync` in a worker thread.

        Large reads have threads of their own, so that others neither wait behind them nor compete with many of them
        for the interpreter. A small query beside 8 clients of large ones then took 51 ms instead of 1,010 (median).
        """
        threads = self._large_reads if is_large else self._reads
        return await threads.run(partial(self.read_sync, work, is_causal=is_causal))

    async def probe(self, work: Callable[[Session], T]) -> T:
        """Run a read that waits neither behind other reads nor for other nodes, with a thread of its own."""
        probe = partial(self.read_sync, work, is_causal=False)
        return await asyncio.get_running_loop().run_in_executor(self._probe_thread, probe)

    def read_queue_seconds(self, *, is_large: bool = False) -> float:
        """Return how long the oldest queued read, or large read, has waited for a thread.

        Writes are left out, because they may wait for other transactions' locks.
        """
        return (self._large_reads if is_large else self._reads).longest_wait_seconds()

    async def write(self, work: Callable[[Session], T]) -> T:
        """Run `write_sync` in a worker thread.

        If the caller is cancelled before the commit, nothing is written: the thread finishes its work and rolls back.
        """
        abandoned = threading.Event()
        try:
            return await self._writes.run(self.write_sync, work, abandoned)
        except asyncio.CancelledError:
            abandoned.set()
            raise

    def read_sync(self, work: Callable[[Session], T], *, is_causal: bool = True) -> T:
        """Run a short read. Each statement commits by itself, without round trips for BEGIN and ROLLBACK.

        On a Galera cluster a causal read sees all that was committed before it, on any node. One that is not
        causal may miss the last changes, but does not wait for them. Elsewhere there is no difference.
        """
        return self._retry(lambda: self._read_sessions.read(work, is_causal=is_causal))

    def write_sync(self, work: Callable[[Session], T], abandoned: threading.Event | None = None) -> T:
        """Run one transaction, and run it again if the error that the database raised allows a retry.

        `work` must do nothing but database work, because it may run several times. Raise AbandonedError instead of
        committing if `abandoned` is set by then, and CommitUnknownError if the outcome of the commit is unknown.
        """

        def attempt() -> T:
            with self._one_sqlite_writer(), self._write_sessions.open() as session:
                result = work(session)
                session.flush()
                if abandoned is not None and abandoned.is_set():
                    raise db_errors.AbandonedError
                _commit(session)
                for callback in self.after_commit:
                    callback(session)
                return result

        try:
            return self._retry(attempt)
        except (DBAPIError, PoolTimeoutError) as error:
            self.write_health.record_failure(error)
            raise

    def dispose(self) -> None:
        """Finish the work that has begun, drop queued work, and close all connections."""
        for threads in self.worker_threads:
            threads.shutdown()
        self._probe_thread.shutdown(wait=True, cancel_futures=True)
        self._read_sessions.close()
        self._write_sessions.close()
        self.read_engine.dispose()
        self.engine.dispose()

    def _record_server(self, connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        self._is_galera = IS_GALERA in record.info

    def _retry(self, attempt: Callable[[], T]) -> T:
        started = time.monotonic()
        was_lost = False
        for attempts in range(1, MAX_ATTEMPTS + 1):
            try:
                return attempt()
            except DBAPIError as error:
                error_class = db_errors.classify(error)
                # After a lost connection a connect error is retried too: the server may be restarting.
                is_reconnect = was_lost and db_errors.is_connect_error(error)
                policy = db_errors.RetryPolicy.ALWAYS if is_reconnect else error_class.retry
                if self._is_galera and db_errors.is_duplicate(error):
                    # No service has expected it: another node has inserted the row at the same moment, because locks
                    # protect on one node only. The transaction sees that row when it runs again.
                    policy = db_errors.RetryPolicy.ONCE
                was_lost = was_lost or error_class.connection_lost or error.connection_invalidated
                is_long_wait = was_lost or policy is db_errors.RetryPolicy.ONCE
                budget = LONG_RETRY_BUDGET_SECONDS if is_long_wait else RETRY_BUDGET_SECONDS
                if attempts >= MAX_ATTEMPTS_BY_POLICY[policy] or time.monotonic() - started > budget:
                    raise
                metrics.DATABASE_RETRIES.labels(error_class.name).inc()
                pause = random.uniform(0.01, min(0.5, 0.02 * 2**attempts))  # noqa: S311 - jitter, no secret
                time.sleep(pause)
        raise AssertionError("The last attempt returns or raises.")

    @contextmanager
    def _one_sqlite_writer(self) -> Iterator[None]:
        """Let one SQLite writer in at a time. Waiting here, in order, is better than polling SQLite's own lock."""
        if self._sqlite_writer_lock is None:
            yield
            return
        with self._sqlite_writer_lock.acquire():
            yield


def _commit(session: Session) -> None:
    """Commit. Raise CommitUnknownError if the transaction may have been committed in spite of an error.

    After a failed commit the connection is rolled back here. SQLAlchemy returns it to the pool as it is, and the next
    transaction on it would commit what this one left behind.
    """
    connection = session.connection().connection
    try:
        with tracing.statement_span("COMMIT", session.connection().dialect):
            session.commit()
    except DBAPIError as error:
        try:
            connection.rollback()
        except Exception:  # the connection is lost or unusable
            session.invalidate()
        if db_errors.classify(error).commit_unknown:
            raise db_errors.CommitUnknownError from error
        raise
