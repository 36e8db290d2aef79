"""Concurrency primitives: fair lock, wait tracker, read-priority gate."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

MAX_YIELD_SECONDS = 0.02
"""Longest time that a writer waits for readers. Most reads take less. The limit is needed because reads may overlap
without end."""


class FairLock:
    """A mutex for threads that is granted in the order in which they requested it (FIFO)."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._is_locked = False

    @contextmanager
    def acquire(self) -> Iterator[None]:
        with self._guard:
            granted = threading.Event()
            if self._is_locked:
                self._waiting.append(granted)
            else:
                self._is_locked = True
                granted.set()
        granted.wait()
        try:
            yield
        finally:
            with self._guard:
                if self._waiting:
                    self._waiting.popleft().set()
                else:
                    self._is_locked = False


class WaitTracker:
    """Start time of every current wait, by its ticket."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._start_times: dict[object, float] = {}

    def __len__(self) -> int:
        return len(self._start_times)

    def enter(self) -> object:
        """Record the start of a wait, and return the ticket with which it ends."""
        ticket = object()
        with self._guard:
            self._start_times[ticket] = time.monotonic()
        return ticket

    def leave(self, ticket: object) -> None:
        """Record the end of a wait. A ticket that has left already is ignored."""
        with self._guard:
            self._start_times.pop(ticket, None)

    def longest_wait_seconds(self) -> float:
        """Return how long the oldest wait has lasted; 0 if there is no wait."""
        with self._guard:
            oldest = next(iter(self._start_times.values()), None)
        return 0.0 if oldest is None else time.monotonic() - oldest


class ReadPriorityGate:
    """A gate on one event loop: readers pass at once, writers pass one at a time and yield to readers."""

    def __init__(self) -> None:
        self._reader_count = 0
        self._no_readers = asyncio.Event()
        self._writer_lock = asyncio.Lock()

    @contextmanager
    def reader(self) -> Iterator[None]:
        self._reader_count += 1
        try:
            yield
        finally:
            self._reader_count -= 1
            if not self._reader_count:
                self._no_readers.set()

    @asynccontextmanager
    async def writer(self) -> AsyncIterator[None]:
        """Wait for earlier writers, then until no reader is left, but for readers at most MAX_YIELD_SECONDS."""
        async with self._writer_lock:
            with suppress(TimeoutError):
                async with asyncio.timeout(MAX_YIELD_SECONDS):
                    await self._wait_for_readers()
            yield

    async def _wait_for_readers(self) -> None:
        while self._reader_count:
            self._no_readers.clear()
            await self._no_readers.wait()
