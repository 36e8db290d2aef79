"""Worker threads of one kind of database access, with the waits for them."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from lms_graphql.core import metrics
from lms_graphql.core.concurrency import WaitTracker

T = TypeVar("T")


class WorkerThreads:
    """Threads that run functions in the order in which they are given. `access` is their name in metrics."""

    def __init__(self, access: str, count: int) -> None:
        self.access, self.count = access, count
        self._threads = ThreadPoolExecutor(count, thread_name_prefix=f"database-{access}")
        self._waits = WaitTracker()
        self._wait_seconds = metrics.DATABASE_WAIT_SECONDS.labels(access)
        self._busy = metrics.DATABASE_BUSY.labels(access)

    def run(self, function: Callable[..., T], *arguments: object) -> asyncio.Future[T]:
        """Run the function in a thread."""
        ticket, queued_at = self._waits.enter(), time.monotonic()

        def begin() -> T:
            self._waits.leave(ticket)
            self._wait_seconds.observe(time.monotonic() - queued_at)
            with self._busy.track_inprogress():
                return function(*arguments)

        # The context is that of the request, so that log lines of the thread have its id.
        future = asyncio.get_running_loop().run_in_executor(self._threads, copy_context().run, begin)
        future.add_done_callback(lambda _: self._waits.leave(ticket))  # it may have been cancelled before it began
        return future

    def longest_wait_seconds(self) -> float:
        """Return how long the oldest function that has not begun has waited."""
        return self._waits.longest_wait_seconds()

    def shutdown(self) -> None:
        """Finish what has begun, and drop what has not."""
        self._threads.shutdown(wait=True, cancel_futures=True)
