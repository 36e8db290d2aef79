"""Loads of a query plan: what its resolvers ask for is collected, and then read together, level by level."""

from collections.abc import Callable, Generator, Sequence
from typing import Any

from sqlalchemy.orm import Session

from lms_graphql.core.actor import Actor
from lms_graphql.graph.execution.loaders import MAX_BATCH_SIZE, BatchRead, Job

_MISSING = object()
"""Stands for the value of a key that a batch read has left out."""


class PendingLoad:
    """A value that a resolver has asked for. It is known after the next read."""

    __slots__ = ("_default", "_key", "_values")

    def __init__(self, values: dict[Any, Any], key: Any, default: Any) -> None:
        self._values, self._key, self._default = values, key, default

    def result(self) -> Any:
        value = self._values[self._key]
        return self._default if value is _MISSING else value

    def __await__(self) -> Generator["PendingLoad", None, Any]:
        if self._key not in self._values:
            yield self
        return self.result()


class _Batch:
    """Values of one batch read by key, and the keys that are not read yet."""

    __slots__ = ("read", "values", "wanted")

    def __init__(self, read: BatchRead) -> None:
        self.read = read
        self.values: dict[Any, Any] = {}
        self.wanted: dict[Any, None] = {}


class PlanLoads:
    """Loads of one run of a plan. They need no event loop. Each value is read once."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._batches: dict[Any, _Batch] = {}

    def load(self, read: BatchRead, key: Any, default: Any) -> Any:
        """Return the value of this key or the default if it is read already, else a pending load."""
        batch = self._batches.get(read)
        if batch is None:
            batch = self._batches[read] = _Batch(read)
        elif key in batch.values:
            value = batch.values[key]
            return default if value is _MISSING else value
        batch.wanted[key] = None
        return PendingLoad(batch.values, key, default)

    def run(self, job: Job) -> PendingLoad:
        """Return the pending result of a read that is not a batch read."""
        read: Callable[..., Any] = lambda session, _actor, keys: dict.fromkeys(keys, job(session))  # noqa: E731
        pending: PendingLoad = self.load(read, None, None)
        return pending

    @staticmethod
    def is_pending(value: Any) -> bool:
        return value.__class__ is PendingLoad

    @staticmethod
    async def gather(values: Sequence[Any]) -> list[Any]:
        """Return the values with results in place of pending loads. The next read reads all of these together."""
        return [await value if value.__class__ is PendingLoad else value for value in values]

    @property
    def has_wanted(self) -> bool:
        return any(batch.wanted for batch in self._batches.values())

    def read_wanted(self, session: Session) -> None:
        """Read all that was asked for since the last read. After a database error the call may be repeated."""
        for batch in self._batches.values():
            keys = list(batch.wanted)
            for start in range(0, len(keys), MAX_BATCH_SIZE):
                portion = keys[start : start + MAX_BATCH_SIZE]
                found = batch.read(session, self._actor, portion)
                for key in portion:
                    batch.values[key] = found.get(key, _MISSING)
            batch.wanted.clear()

    def close(self) -> None:
        """Drop all values, because some reads refer to the context and the context to these loads."""
        self._batches.clear()
