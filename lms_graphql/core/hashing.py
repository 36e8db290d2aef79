"""Password hashes, made and checked in threads of their own: few, and so yielding that reads go on beside them."""

import asyncio
import contextlib
import os
import secrets
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lms_graphql.core.errors import RequestError, RequestFault

T = TypeVar("T")

THREADS = 1
MOST_PLACES = 16
"""At work or waiting in a process: about half a second. Whoever comes then is sent away, before anything was done."""
MOST_PLACES_OF_ONE = 10
"""From one address, so that nobody alone keeps all others from signing in."""
MOST_ENTERING = 40
"""On their way to a place, in a process: where the database stalls, they are not to take the room of readers."""
NICENESS = 15
"""A thread that hashes gives way to those that serve: hashing takes all the processor that it gets."""

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""argon2id at OWASP's first recommendation; one lane, because the threads are ours to count."""


def hash_now(password: str) -> str:
    """For the command line and for seeds. A request goes through `Hashing`."""
    return _HASHER.hash(password)


class Hashing:
    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="hashing", initializer=_give_way)
        self._taken: Counter[str] = Counter()
        self._entering = 0
        self._of_nobody = hash_now(secrets.token_hex())

    def require_room(self, origin: str) -> None:
        """RequestError where the line is full, before anything was done for who comes from there."""
        if self._taken.total() >= MOST_PLACES or self._taken[origin] >= MOST_PLACES_OF_ONE:
            raise _full()

    @contextlib.contextmanager
    def entering(self, origin: str) -> Iterator[None]:
        """On the way to a place, with what comes before it. RequestError as from `require_room`."""
        if self._entering >= MOST_ENTERING:
            raise _full()
        self.require_room(origin)
        self._entering += 1
        try:
            yield
        finally:
            self._entering -= 1

    @contextlib.contextmanager
    def place(self, origin: str) -> Iterator[None]:
        """A place in the line, held while passwords are worked on and no longer."""
        self._taken[origin] += 1
        try:
            yield
        finally:
            self._taken[origin] -= 1
            self._taken += Counter()  # leaves out who has none any more

    async def hash(self, password: str) -> str:
        return await self._run(lambda: hash_now(password))

    async def matches(self, hashed: str | None, password: str) -> bool:
        """Whether this is the password; where there is no hash it is not, which takes as long to say."""
        matches = await self._run(lambda: is_password_of(hashed or self._of_nobody, password))
        return matches and hashed is not None

    def is_old(self, hashed: str) -> bool:
        """Whether it was made with weaker parameters than today's."""
        return _HASHER.check_needs_rehash(hashed)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)


def is_password_of(hashed: str, password: str) -> bool:
    """For the command line, as `hash_now`."""
    try:
        return _HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


def _full() -> RequestError:
    return RequestError(RequestFault.UNAVAILABLE, "Too many are signing in. Try again in a moment.")


def _give_way() -> None:
    """On Linux each thread has a priority of its own; elsewhere this would slow the whole process down."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
