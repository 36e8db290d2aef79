"""Loads of a query plan: what its resolvers ask for is collected, and then read together, level by level."""

from collections.abc import Callable, Generator, Sequence
from typing import Any, cast

from sqlalchemy.orm import Session

from lms_graphql.core.actor import Actor
from lms_graphql.graph.execution.loaders import MAX_BATCH_SIZE, BatchRead, Job, read_batch

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


class PlanLoads:
    """Loads of one run of a plan. They need no event loop. Each value is read once."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._values: dict[BatchRead, dict[Any, Any]] = {}
        self._wanted: dict[BatchRead, dict[Any, None]] = {}

    def load(self, read: BatchRead, key: Any, default: Any) -> Any:
        """Return the value of this key or the default if it is read already, else a pending load."""
        values = self._values.get(read)
        if values is None:
            values = self._values[read] = {}
            self._wanted[read] = {}
        elif key in values:
            return PendingLoad(values, key, default).result()
        self._wanted[read][key] = None
        return PendingLoad(values, key, default)

    def run(self, job: Job) -> PendingLoad:
        """Return the pending result of a read that is not a batch read."""
        read: Callable[..., Any] = lambda session, _actor, keys: dict.fromkeys(keys, job(session))  # noqa: E731
        return cast("PendingLoad", self.load(read, None, None))

    @staticmethod
    async def gather(values: Sequence[Any]) -> list[Any]:
        """Return the values with results in place of pending loads. The next read reads all of these together."""
        return [await value if value.__class__ is PendingLoad else value for value in values]

    @property
    def has_wanted(self) -> bool:
        return any(self._wanted.values())

    def read_wanted(self, session: Session) -> None:
        """Read all that was asked for since the last read. After a database error the call may be repeated."""
        for read, wanted in self._wanted.items():
            keys, values = list(wanted), self._values[read]
            for start in range(0, len(keys), MAX_BATCH_SIZE):
                portion = keys[start : start + MAX_BATCH_SIZE]
                found = read_batch(read, session, self._actor, portion)
                values.update((key, found.get(key, _MISSING)) for key in portion)
            wanted.clear()

    def close(self) -> None:
        """Drop all values, because some reads refer to the context and the context to these loads."""
        self._values.clear()
        self._wanted.clear()
