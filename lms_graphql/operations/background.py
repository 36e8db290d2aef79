"""What a serving process does beside its requests: sending mail at once, and the sweep every minute."""

import random
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import structlog
from sqlalchemy.orm import Session

from lms_graphql.core import named_locks
from lms_graphql.core.database import Database
from lms_graphql.mail.outbox import MAIL_ENQUEUED
from lms_graphql.mail.transports import create_transport
from lms_graphql.operations.maintenance import TaskContext, run_maintenance, send_mail
from lms_graphql.settings import Settings

log = structlog.get_logger("lms_graphql.background")

MAINTENANCE_INTERVAL_SECONDS = 60.0
FIRST_RUN_DELAY_SECONDS = 5.0
MAINTENANCE_LEASE = "sweep"
LEASE_INTERVAL = timedelta(seconds=50)
"""Less than the minute that each process waits, or it would miss its own next turn by some milliseconds."""
SHUTDOWN_SECONDS = 1.5


class BackgroundThread:
    """A thread that does a piece of work whenever it is nudged, and every so often where `seconds` are given."""

    def __init__(
        self, name: str, work: Callable[[], object], seconds: float | None = None, first: float | None = None
    ) -> None:
        self._work = work
        self._seconds = seconds
        self._first = seconds if first is None else first
        self._nudged = threading.Event()
        self._stopped = threading.Event()
        # A daemon: where a name server hangs there is no socket to cut, and the process ends without it.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._nudged.set()

    def stop(self) -> None:
        self._stopped.set()
        self._nudged.set()

    def has_ended(self, seconds: float) -> bool:
        """Whether it has, within these seconds."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, seconds))
        return not self._thread.is_alive()

    def _run(self) -> None:
        pause = self._first
        while True:
            self._nudged.wait(pause)
            self._nudged.clear()
            if self._stopped.is_set():
                return
            try:
                self._work()
            except Exception:  # the next time it may go well
                log.exception("background_work_failed", work=self._thread.name)
            pause = self._seconds


class BackgroundWorker:
    """
    Two threads with a carrier each, and connections of their own, so that neither a mail server nor the sweep takes
    one from the requests, and a mail server that hangs does not keep the sweep from what else it does.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._settings = settings
        self._database = Database(settings.url, pool_size=2, threads=1, in_line_with=database)
        self._mail = TaskContext(self._database, settings, create_transport(settings))
        self._sweeps = TaskContext(self._database, settings, create_transport(settings))
        self._sending = BackgroundThread("outbox", lambda: send_mail(self._mail))
        first = random.uniform(0, FIRST_RUN_DELAY_SECONDS)  # noqa: S311 - so that not all processes ask at once
        self._sweeping = BackgroundThread("sweep", self._sweep, MAINTENANCE_INTERVAL_SECONDS, first)
        database.after_commit.append(self._notice)

    def nudge(self) -> None:
        """There is mail to send. From any thread, and from async code: it does not wait."""
        self._sending.wake()

    def start(self) -> None:
        self._sending.start()
        self._sweeping.start()

    def stop(self) -> None:
        """Ends what is under way, within `SHUTDOWN_SECONDS`."""
        until = time.monotonic() + SHUTDOWN_SECONDS
        loops = (self._sending, self._sweeping)
        for loop in loops:
            loop.stop()
        for means in (self._mail, self._sweeps):
            if means.carrier is not None:
                means.carrier.stop()
        if all(loop.has_ended(until - time.monotonic()) for loop in loops):
            self._database.dispose()
        else:
            log.warning("background_work_left", reason="It did not end in time. What it had begun comes again.")

    def _notice(self, session: Session) -> None:
        if session.info.get(MAIL_ENQUEUED):
            self.nudge()

    def _sweep(self) -> None:
        """Every process asks each minute, and one is given the turn; where it dies, another has the next."""
        if not self._database.read_sync(
            lambda session: named_locks.is_lease_due(session, MAINTENANCE_LEASE, LEASE_INTERVAL)
        ):
            return
        if self._database.write_sync(
            lambda session: named_locks.try_lease(session, MAINTENANCE_LEASE, LEASE_INTERVAL)
        ):
            for line in run_maintenance(*self._sweeps):
                log.info("swept", did=line.text)
