"""Background work of a serving process: sending mail after a commit, and maintenance every minute."""

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import structlog
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit
from lms_graphql.core import database_clock, named_locks, tracing
from lms_graphql.core.database import Database
from lms_graphql.mail.outbox import MAIL_ENQUEUED
from lms_graphql.mail.transports import create_transport
from lms_graphql.operations.maintenance import TaskContext, log_failure, run_maintenance, send_mail
from lms_graphql.settings import Settings

log = structlog.get_logger("lms_graphql.background")

MAINTENANCE_INTERVAL_SECONDS = 60.0
FIRST_RUN_DELAY_SECONDS = 5.0
MAINTENANCE_LEASE = "sweep"
LEASE_INTERVAL = timedelta(seconds=50)
"""Shorter than the minute between two attempts of a process, or it would miss its next lease by milliseconds."""
RENEWAL_SECONDS = 15.0
"""Time between two renewals of the lease while maintenance runs. It is renewed three times before it would end."""
WRONG_CLOCK_LEASE_INTERVAL = timedelta(minutes=10)
"""Age of the last lease after which a machine takes it although its clock differs from the database's."""
SHUTDOWN_SECONDS = 1.5


class BackgroundThread:
    """A thread that runs a task when it is woken, and also at an interval if `interval_seconds` is given."""

    def __init__(
        self,
        name: str,
        task: Callable[[], object],
        interval_seconds: float | None = None,
        first_delay: float | None = None,
    ) -> None:
        self._task = task
        self._interval_seconds = interval_seconds
        self._first_delay = interval_seconds if first_delay is None else first_delay
        self._woken = threading.Event()
        self._stopped = threading.Event()
        # A daemon, so that the process can end while a DNS lookup hangs: there is no socket yet that could be shut.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Run the task soon. Callable from any thread; does not block."""
        self._woken.set()

    def stop(self) -> None:
        """End the thread after the task that is running."""
        self._stopped.set()
        self._woken.set()

    def has_ended(self, seconds: float) -> bool:
        """Return whether the thread ends within these seconds."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, seconds))
        return not self._thread.is_alive()

    def _run(self) -> None:
        timeout = self._first_delay
        while True:
            self._woken.wait(timeout)
            self._woken.clear()
            if self._stopped.is_set():
                return
            try:
                with tracing.task_span(self._thread.name):
                    self._task()
            except Exception as error:  # the next run may succeed
                log_failure("background_task_failed", self._thread.name, error)
            timeout = self._interval_seconds


class BackgroundWorker:
    """Two background threads, one for mail and one for maintenance, each with its own transport.

    They have their own connections, so that neither takes one from the requests. There are two of them, so that a
    mail server that hangs does not delay the rest of maintenance. A third one renews the lease while
    maintenance runs.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._settings = settings
        self._database = Database(
            settings.url,
            pool_size=3,  # for mail, for maintenance, and for the renewal of its lease
            threads=1,
            mysql_reader=settings.mysql_reader,
            share_writer_lock_with=database,
        )
        self._mail = TaskContext(self._database, settings, create_transport(settings))
        self._maintenance = TaskContext(self._database, settings, create_transport(settings))
        self._mail_thread = BackgroundThread("outbox", lambda: send_mail(self._mail))
        delay = random.uniform(0, FIRST_RUN_DELAY_SECONDS)  # noqa: S311 - spreads the processes over time
        self._maintenance_thread = BackgroundThread(
            "maintenance", self._maintain, MAINTENANCE_INTERVAL_SECONDS, delay
        )
        database.after_commit.append(self._wake_if_mail_enqueued)
        self._database.after_commit.append(audit.count_committed_events)

    def start(self) -> None:
        self._mail_thread.start()
        self._maintenance_thread.start()

    def stop(self) -> None:
        """Stop both threads. Wait for running tasks for at most `SHUTDOWN_SECONDS`."""
        deadline = time.monotonic() + SHUTDOWN_SECONDS
        threads = (self._mail_thread, self._maintenance_thread)
        for thread in threads:
            thread.stop()
        for context in (self._mail, self._maintenance):
            if context.transport is not None:
                context.transport.stop()
        if all(thread.has_ended(deadline - time.monotonic()) for thread in threads):
            self._database.dispose()
        else:
            log.warning("background_shutdown_timed_out", seconds=SHUTDOWN_SECONDS)  # unfinished work is retried

    def _wake_if_mail_enqueued(self, session: Session) -> None:
        if session.info.get(MAIL_ENQUEUED):
            self._mail_thread.wake()

    def _maintain(self) -> None:
        """Run maintenance if this process gets the lease.

        Every process tries each minute, and one of them gets it. It renews the lease until maintenance has ended. If
        the process dies, another gets the lease 50 seconds later.
        """
        interval = self._lease_interval()
        if not self._database.read_sync(
            lambda session: named_locks.is_lease_due(session, MAINTENANCE_LEASE, interval)
        ):
            return
        if self._database.write_sync(lambda session: named_locks.try_lease(session, MAINTENANCE_LEASE, interval)):
            with self._renewed_lease():
                results = run_maintenance(*self._maintenance)
            for result in results:
                log.info("maintenance_task_done", result=result.text)

    @contextlib.contextmanager
    def _renewed_lease(self) -> Iterator[None]:
        """Renew the lease while maintenance runs, however long that takes, so that no second process begins."""

        def renew() -> None:
            self._database.write_sync(lambda session: named_locks.renew_lease(session, MAINTENANCE_LEASE))

        thread = BackgroundThread("lease", renew, RENEWAL_SECONDS)
        thread.start()
        try:
            yield
        finally:
            thread.stop()

    def _lease_interval(self) -> timedelta:
        """Return how old the last lease must be. Log a warning if this machine's clock is wrong."""
        seconds = self._database.read_sync(database_clock.seconds_ahead)
        if not database_clock.differs(seconds):
            return LEASE_INTERVAL
        log.warning("clocks_differ", seconds_ahead=round(seconds, 1))
        return WRONG_CLOCK_LEASE_INTERVAL
