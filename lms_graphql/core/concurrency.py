"""Who waits: in order for a turn, and for how long."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

MAX_YIELD_SECONDS = 0.02
"""How long those who give way wait at most: longer than most reads take, and no end of it where reads never cease."""


class FairLock:
    """A lock that is handed on in the order in which it was asked for."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._taken = False

    @contextmanager
    def acquire(self) -> Iterator[None]:
        with self._guard:
            called = threading.Event()
            if self._taken:
                self._waiting.append(called)
            else:
                self._taken = True
                called.set()
        called.wait()
        try:
            yield
        finally:
            with self._guard:
                if self._waiting:
                    self._waiting.popleft().set()
                else:
                    self._taken = False


class WaitTracker:
    """When each who waits came, by the ticket they were given."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._since: dict[object, float] = {}

    def __len__(self) -> int:
        return len(self._since)

    def enter(self) -> object:
        ticket = object()
        with self._guard:
            self._since[ticket] = time.monotonic()
        return ticket

    def leave(self, ticket: object) -> None:
        with self._guard:
            self._since.pop(ticket, None)

    def longest_wait_seconds(self) -> float:
        """How long the first has waited; 0 where nobody waits."""
        with self._guard:
            first = next(iter(self._since.values()), None)
        return 0.0 if first is None else time.monotonic() - first


class ReadPriorityGate:
    """On one event loop: some go first, as many as like; others one after the other, who let them pass."""

    def __init__(self) -> None:
        self._first = 0
        self._none_left = asyncio.Event()
        self._turn = asyncio.Lock()

    @contextmanager
    def reader(self) -> Iterator[None]:
        self._first += 1
        try:
            yield
        finally:
            self._first -= 1
            if not self._first:
                self._none_left.set()

    @asynccontextmanager
    async def writer(self) -> AsyncIterator[None]:
        async with self._turn:
            with suppress(TimeoutError):
                async with asyncio.timeout(MAX_YIELD_SECONDS):
                    await self._let_pass()
            yield

    async def _let_pass(self) -> None:
        while self._first:
            self._none_left.clear()
            await self._none_left.wait()
