"""Batch reads as dataloaders, by the identity of the read. There is no registry and nothing to keep in step.

A batch read is a function `(session, actor, keys) -> {key: value}`. Loads that are asked for in one tick become one
call of it; calls that are ready in one tick cross over to a worker thread together.
"""

import asyncio
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from aiodataloader import DataLoader
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from lms_graphql.core import db_errors
from lms_graphql.core.actor import Actor
from lms_graphql.core.database import Database
from lms_graphql.core.query_counter import counting

BatchRead = Callable[[Session, Actor, Sequence[Any]], Mapping[Any, Any]]
Job = Callable[[Session], Any]
Outcome = tuple[Any, BaseException | None]
BatchTask = asyncio.Task[list[Outcome]]

MAX_BATCH_SIZE = 5_000
"""Keys in one statement: below what SQLite and MySQL take."""


class ReadBatcher:
    """Takes the jobs of one tick to the database in one hop, each with an outcome of its own."""

    def __init__(self, database: Database, sent: list[int]) -> None:
        self._database = database
        self._sent = sent
        self._waiting: list[tuple[Job, asyncio.Future[Any]]] = []
        self._under_way: set[BatchTask] = set()

    def submit(self, job: Job) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[Any] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._depart)
        self._waiting.append((job, outcome))
        return outcome

    def _depart(self) -> None:
        crew, self._waiting = self._waiting, []
        work = counting(lambda session: [_attempt(job, session) for job, _ in crew], self._sent)
        hop = asyncio.ensure_future(self._database.read(work))
        self._under_way.add(hop)
        hop.add_done_callback(lambda done: self._arrive(done, [outcome for _, outcome in crew]))

    def _arrive(self, hop: BatchTask, outcomes: Sequence["asyncio.Future[Any]"]) -> None:
        self._under_way.discard(hop)
        failed = db_errors.AbandonedError() if hop.cancelled() else hop.exception()
        results: Sequence[Outcome] = [(None, failed)] * len(outcomes) if failed is not None else hop.result()
        for outcome, (value, error) in zip(outcomes, results, strict=True):
            if outcome.done():
                continue
            if error is not None:
                outcome.set_exception(error)
            else:
                outcome.set_result(value)


def _attempt(job: Job, session: Session) -> Outcome:
    try:
        return job(session), None
    except DBAPIError as error:
        if db_errors.must_reach_database_layer(error):
            raise  # a lost link or a conflict: the whole hop goes again, on another session where it must
        return None, error
    except Exception as error:
        return None, error


class CancelSafeDataLoader(DataLoader[Any, Any]):
    """aiodataloader's, which would hand out a future that was cancelled with its first waiter."""

    max_batch_size = MAX_BATCH_SIZE

    @staticmethod
    def get_cache_key(key: Any) -> Any:
        return key

    def load(self, key: Any) -> "asyncio.Future[Any]":
        cached = self._cache.get(key)
        if cached is not None:
            if not cached.cancelled():
                return cached
            self.clear(key)
        return super().load(key)


class Loaders:
    """One operation's loaders: what it has read once it does not read again."""

    def __init__(self, database: Database, actor: Actor, sent: list[int]) -> None:
        """`sent`: to which each hop adds how many statements it took."""
        self._crossing = ReadBatcher(database, sent)
        self._actor = actor
        self._loaders: dict[Hashable, CancelSafeDataLoader] = {}

    def load(self, read: BatchRead, key: Any, default: Any) -> Any:
        """The value at this key: at once where it is there already, else a future of it."""
        loader = self._loaders.get((read, default))
        if loader is None:
            batch = _batch_of(self._crossing, self._actor, read, default)
            loader = self._loaders[read, default] = CancelSafeDataLoader(batch)
        future = loader.load(key)
        if future.done() and not future.cancelled() and future.exception() is None:
            return future.result()
        return future

    def run(self, job: Job) -> "asyncio.Future[Any]":
        """A read that is no batch: a list, a figure."""
        return self._crossing.submit(job)

    def close(self) -> None:
        """Nothing is read any more: what refers to the loaders, and they to it, lets go."""
        self._loaders.clear()


def _batch_of(crossing: ReadBatcher, actor: Actor, read: BatchRead, default: Any) -> Callable[[list[Any]], Any]:
    async def batch(keys: list[Any]) -> list[Any]:
        found = await crossing.submit(lambda session: read(session, actor, keys))
        return [found.get(key, default) for key in keys]

    return batch
