"""Password hashes, made and checked in threads of their own: few, and so yielding that reads go on beside them."""

import asyncio
import os
import secrets
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lms_graphql.core.errors import RequestError, RequestErrorCode

T = TypeVar("T")

THREADS = 1
MAX_QUEUED = 16
"""At work or waiting in a process: about half a second. Whoever comes then is sent away, before anything was done."""
MAX_QUEUED_PER_CLIENT = 10
"""From one address, so that nobody alone keeps all others from signing in."""
MAX_IN_FLIGHT = 40
"""From their first word to their last, in a process: while they wait for the database or for their turn, they are not
to take the room of readers."""
MAX_IN_FLIGHT_PER_CLIENT = 30
"""From one address, as above."""
NICENESS = 15
"""A thread that hashes gives way to those that serve: hashing takes all the processor that it gets."""

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""argon2id at OWASP's first recommendation; one lane, because the threads are ours to count."""


def hash_password(password: str) -> str:
    """For the command line and for seeds. A request goes through `PasswordHashingPool`."""
    return _HASHER.hash(password)


class PasswordHashingPool:
    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="hashing", initializer=_give_way)
        self._taken: Counter[str] = Counter()
        self._under_way: Counter[str] = Counter()
        self._of_nobody = hash_password(secrets.token_hex())

    def admit(self, origin: str) -> AbstractContextManager[None]:
        """
        For the whole of what needs a place in the line, with what comes before it and after it. RequestError where
        there is none, before anything was done for who comes from there.
        """
        is_full = _is_full(self._under_way, origin, MAX_IN_FLIGHT, MAX_IN_FLIGHT_PER_CLIENT)
        if is_full or _is_full(self._taken, origin, MAX_QUEUED, MAX_QUEUED_PER_CLIENT):
            raise RequestError(RequestErrorCode.UNAVAILABLE, "Too many are signing in. Try again in a moment.")
        return _counted(self._under_way, origin)

    def queue_slot(self, origin: str) -> AbstractContextManager[None]:
        """A place in the line, held while passwords are worked on and no longer."""
        return _counted(self._taken, origin)

    async def hash(self, password: str) -> str:
        return await self._run(lambda: hash_password(password))

    async def verify(self, hashed: str | None, password: str) -> bool:
        """Whether this is the password; where there is no hash it is not, which takes as long to say."""
        matches = await self._run(lambda: verify_password(hashed or self._of_nobody, password))
        return matches and hashed is not None

    def needs_rehash(self, hashed: str) -> bool:
        """Whether it was made with weaker parameters than today's."""
        return _HASHER.check_needs_rehash(hashed)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)


def verify_password(hashed: str, password: str) -> bool:
    """For the command line, as `hash_password`."""
    try:
        return _HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


@contextmanager
def _counted(where: Counter[str], origin: str) -> Iterator[None]:
    where[origin] += 1
    try:
        yield
    finally:
        where[origin] -= 1
        if not where[origin]:
            del where[origin]


def _is_full(taken: Counter[str], origin: str, most: int, most_of_one: int) -> bool:
    return taken.total() >= most or taken[origin] >= most_of_one


def _give_way() -> None:
    """On Linux each thread has a priority of its own; elsewhere this would slow the whole process down."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
