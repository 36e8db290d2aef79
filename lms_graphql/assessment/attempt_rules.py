"""Rules of attempts: time limits, deadlines, attempts left, the order of questions, and review. Pure."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from lms_graphql.assessment.models import AttemptStatus, ReviewPolicy

T = TypeVar("T")

SHUFFLE_SEED_BYTES = 16


def time_limit_seconds(time_limit: int | None, extra_time_percent: int) -> int | None:
    """Return the time limit of a learner: with the extra time, rounded up to the second. None without a limit."""
    return None if time_limit is None else -(-time_limit * (100 + extra_time_percent) // 100)


def deadline(started_at: datetime, time_limit: int | None, extra_time_percent: int) -> datetime | None:
    """Return the instant up to which answers count; None without a time limit."""
    seconds = time_limit_seconds(time_limit, extra_time_percent)
    return None if seconds is None else started_at + timedelta(seconds=seconds)


def closing_time(deadline_at: datetime | None, grace_seconds: int) -> datetime | None:
    """Return the instant up to which answers are accepted: the deadline with the grace for the network."""
    return None if deadline_at is None else deadline_at + timedelta(seconds=grace_seconds)


def is_overdue(closes_at: datetime | None, now: datetime) -> bool:
    """Return whether answers are no longer accepted. `closes_at` is the deadline with the grace for the network."""
    return closes_at is not None and now > closes_at


def remaining_seconds(deadline_at: datetime | None, now: datetime) -> int | None:
    """Return the whole seconds until the deadline, without the grace and never negative. None without a deadline."""
    return None if deadline_at is None else max(0, (deadline_at - now) // timedelta(seconds=1))


def attempts_left(max_attempts: int | None, extra_attempts: int, used: int) -> int | None:
    """Return how many attempts a learner may still start. None if there is no limit."""
    return None if max_attempts is None else max(0, max_attempts + extra_attempts - used)


def new_shuffle_seed() -> str:
    return secrets.token_hex(SHUFFLE_SEED_BYTES)


def shuffled(items: Sequence[T], seed: str | None, identity: Callable[[T], object]) -> list[T]:
    """Return the items in the order of the seed, or unchanged without one.

    The order follows from hashes, so that it is the same on every version of Python. `identity` must differ for each
    item.
    """
    if seed is None:
        return list(items)
    return sorted(items, key=lambda item: hashlib.sha256(f"{seed}:{identity(item)}".encode()).digest())


class ReviewFacts(NamedTuple):
    """Facts about a learner and a quiz on which review depends."""

    attempts_left: int | None
    has_open_attempt: bool
    has_passed: bool


def may_review(policy: ReviewPolicy, status: AttemptStatus, facts: ReviewFacts) -> bool:
    """Return whether a learner may see what was right in an attempt of theirs."""
    if status not in (AttemptStatus.GRADING, AttemptStatus.GRADED):
        return False
    match policy:
        case ReviewPolicy.NEVER:
            return False
        case ReviewPolicy.AFTER_SUBMIT:
            return True
        case ReviewPolicy.AFTER_LAST_ATTEMPT:
            return facts.attempts_left is None or (facts.attempts_left == 0 and not facts.has_open_attempt)
        case ReviewPolicy.AFTER_PASS:
            return facts.has_passed
