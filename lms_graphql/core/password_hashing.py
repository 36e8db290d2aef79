"""Password hashing, in threads that are few and have low priority, so that reads go on at the same time."""

import asyncio
import os
import secrets
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import NamedTuple, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lms_graphql.core.cpu_affinity import free_this_thread
from lms_graphql.core.errors import RequestError, RequestErrorCode

T = TypeVar("T")

THREADS = 1
MAX_QUEUED = 16
"""Queue slots of a process: passwords that are hashed or wait for it, which is about half a second of work. Further
requests are rejected before any work is done for them."""
MAX_QUEUED_PER_CLIENT = 10
"""Queue slots of one client IP, so that a single client cannot keep all others from logging in."""
MAX_IN_FLIGHT = 40
"""Requests with a password in a process, from their first step to their last. While they wait for the database or for
a hashing thread, they must not use the capacity that reads need."""
MAX_IN_FLIGHT_PER_CLIENT = 30
"""Requests with a password in flight from one client IP, for the same reason as MAX_QUEUED_PER_CLIENT."""
NICENESS = 15
"""Niceness of hashing threads, so that they yield to the threads that serve requests. Hashing takes all the processor
time that it gets."""

MAX_NORMALIZED_CHARACTERS = 1_024
"""Texts up to this length are normalized. No password is longer in any spelling, and a long run of accents would take
quadratic time."""

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""argon2id with the parameters that OWASP recommends first. One lane, because THREADS alone sets the parallelism."""


class PasswordMatch(NamedTuple):
    """Result of verifying a password. `needs_rehash` is true if it is correct but its hash is of an older kind."""

    is_correct: bool
    needs_rehash: bool


_NO_MATCH = PasswordMatch(is_correct=False, needs_rehash=False)


def normalize_password(password: str) -> str:
    """Return the NFKC form of a password, because keyboards and systems spell the same letter differently.

    Return a text that is longer than any password unchanged.
    """
    return unicodedata.normalize("NFKC", password) if len(password) <= MAX_NORMALIZED_CHARACTERS else password


def hash_password(password: str) -> str:
    """Return the hash of a password. For the command line and seeds: requests use `PasswordHashingPool`."""
    return _HASHER.hash(normalize_password(password))


def check_password(hashed: str, password: str) -> PasswordMatch:
    """Return whether the password matches, and whether its hash must be replaced.

    Older hashes were made of passwords as they were typed. So a password that normalization changes is tried in both
    spellings, which takes twice as long. All others are tried once.
    """
    normalized = normalize_password(password)
    if _matches(hashed, normalized):
        return PasswordMatch(is_correct=True, needs_rehash=_HASHER.check_needs_rehash(hashed))
    if normalized != password and _matches(hashed, password):
        return PasswordMatch(is_correct=True, needs_rehash=True)
    return _NO_MATCH


def verify_password(hashed: str, password: str) -> bool:
    """Return whether the password matches. For the command line, like `hash_password`."""
    return check_password(hashed, password).is_correct


class PasswordHashingPool:
    """Hashing threads of a process, with the admission of the requests that need them."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="hashing", initializer=_prepare_thread)
        self._queued: Counter[str] = Counter()
        self._in_flight: Counter[str] = Counter()
        self._dummy_hash = hash_password(secrets.token_hex())

    def admit(self, client_ip: str) -> AbstractContextManager[None]:
        """Admit a request that will need a queue slot. The context covers the whole request, not only the slot.

        Raise RequestError UNAVAILABLE if the process, or this client IP, has too many requests queued or in flight.
        """
        is_full = _is_full(self._in_flight, client_ip, MAX_IN_FLIGHT, MAX_IN_FLIGHT_PER_CLIENT)
        if is_full or _is_full(self._queued, client_ip, MAX_QUEUED, MAX_QUEUED_PER_CLIENT):
            message = "Too many passwords are being checked. Try again in a moment."
            raise RequestError(RequestErrorCode.UNAVAILABLE, message)
        return _occupy(self._in_flight, client_ip)

    def queue_slot(self, client_ip: str) -> AbstractContextManager[None]:
        """Occupy a queue slot while passwords are hashed or verified, and no longer."""
        return _occupy(self._queued, client_ip)

    async def hash(self, password: str) -> str:
        return await self._run(lambda: hash_password(password))

    async def verify(self, hashed: str | None, password: str) -> PasswordMatch:
        """Return whether the password matches.

        Without a hash, a dummy hash is verified, so that the time taken does not reveal its absence.
        """
        match = await self._run(lambda: check_password(hashed or self._dummy_hash, password))
        return match if hashed is not None else _NO_MATCH

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)


def _matches(hashed: str, password: str) -> bool:
    try:
        return _HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


@contextmanager
def _occupy(counts: Counter[str], client_ip: str) -> Iterator[None]:
    counts[client_ip] += 1
    try:
        yield
    finally:
        counts[client_ip] -= 1
        if not counts[client_ip]:
            del counts[client_ip]


def _is_full(counts: Counter[str], client_ip: str, max_total: int, max_per_client: int) -> bool:
    return counts.total() >= max_total or counts[client_ip] >= max_per_client


def _prepare_thread() -> None:
    """Let this thread use all CPUs, with lower priority. On Linux only: elsewhere it would slow down the process."""
    free_this_thread()
    if sys.platform == "linux":
        with suppress(OSError):  # because a sandbox may forbid it, and logins must work there, too
            os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
