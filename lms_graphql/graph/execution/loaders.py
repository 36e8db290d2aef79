"""Batch reads as data loaders, found by the identity of the read. There are no loader classes and no registry.

A batch read is a function `(session, actor, keys) -> {key: value}`. All loads of one tick of the event loop become
one call of it. All calls of one tick go to a worker thread together.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Mapping, Sequence
from typing import Any

from aiodataloader import DataLoader
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from lms_graphql.core import db_errors, tracing
from lms_graphql.core.actor import Actor
from lms_graphql.core.database import Database
from lms_graphql.core.query_counter import counting

BatchRead = Callable[[Session, Actor, Sequence[Any]], Mapping[Any, Any]]
Job = Callable[[Session], Any]
Outcome = tuple[Any, BaseException | None]
BatchTask = asyncio.Task[list[Outcome]]
BatchFunction = Callable[[list[Any]], Coroutine[Any, Any, list[Any]]]

MAX_BATCH_SIZE = 5_000
"""Keys in one statement. SQLite and MySQL accept more."""


class ReadBatcher:
    """Runs the jobs of one tick in one database task. Each job has its own outcome."""

    def __init__(self, database: Database, statement_counts: list[int], is_causal: bool) -> None:
        self._database = database
        self._is_causal = is_causal
        self._statement_counts = statement_counts
        self._pending: list[tuple[Job, asyncio.Future[Any]]] = []
        self._tasks: set[BatchTask] = set()

    def submit(self, job: Job) -> asyncio.Future[Any]:
        """Add a job to the next database task. Return a future of its result."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        if not self._pending:
            loop.call_soon(self._start_task)
        self._pending.append((job, future))
        return future

    def _start_task(self) -> None:
        batch, self._pending = self._pending, []
        work = counting(lambda session: [run_job(job, session) for job, _ in batch], self._statement_counts)
        task = asyncio.ensure_future(self._database.read(work, is_causal=self._is_causal))
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._finish_task(done, [future for _, future in batch]))

    def _finish_task(self, task: BatchTask, futures: Sequence["asyncio.Future[Any]"]) -> None:
        self._tasks.discard(task)
        task_error = db_errors.AbandonedError() if task.cancelled() else task.exception()
        outcomes: Sequence[Outcome] = [(None, task_error)] * len(futures) if task_error is not None else task.result()
        for future, (value, error) in zip(futures, outcomes, strict=True):
            if future.done():
                continue
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(value)


def run_job(job: Job, session: Session) -> Outcome:
    """Return the result of the job and its error. Raise only errors after which the job must run again."""
    try:
        return job(session), None
    except DBAPIError as error:
        if db_errors.must_reach_database_layer(error):
            raise  # because it runs the whole task again after a lost connection or a conflict
        return None, error
    except Exception as error:
        return None, error


class BatchDataLoader(DataLoader[Any, Any]):
    """aiodataloader's loader, whose keys are the keys of its batch read."""

    max_batch_size = MAX_BATCH_SIZE

    @staticmethod
    def get_cache_key(key: Any) -> Any:
        return key


class Loaders:
    """Loaders of one operation. Each value is read once."""

    def __init__(
        self, database: Database, actor: Actor, statement_counts: list[int], *, is_causal: bool = True
    ) -> None:
        """Create no loader yet. Each database task appends the number of its statements to `statement_counts`."""
        self._batcher = ReadBatcher(database, statement_counts, is_causal)
        self._actor = actor
        self._loaders: dict[Hashable, BatchDataLoader] = {}

    def load(self, read: BatchRead, key: Any, default: Any) -> Any:
        """Return the value of this key or the default if it is loaded already, else a future of it."""
        loader = self._loaders.get((read, default))
        if loader is None:
            batch_function = _batch_function(self._batcher, self._actor, read, default)
            loader = self._loaders[read, default] = BatchDataLoader(batch_function)
        future = loader.load(key)
        if future.done() and future.exception() is None:
            return future.result()
        # graphql-core cancels what is pending beside a field that fails. Other fields may wait for the same future.
        return asyncio.shield(future)

    def run(self, job: Job) -> "asyncio.Future[Any]":
        """Return a future of the result of a read that is not a batch read."""
        return self._batcher.submit(job)

    @staticmethod
    async def gather(values: Sequence[Any]) -> list[Any]:
        """Return the values with results in place of futures.

        All futures are awaited, even if one fails: asyncio logs the exception of a future that is never awaited.
        """
        await asyncio.gather(*filter(asyncio.isfuture, values), return_exceptions=True)
        return [value.result() if asyncio.isfuture(value) else value for value in values]

    def close(self) -> None:
        """Drop all loaders, because their reads refer to the context and the context to them."""
        self._loaders.clear()


def read_batch(read: BatchRead, session: Session, actor: Actor, keys: Sequence[Any]) -> Mapping[Any, Any]:
    with tracing.read_span(read, len(keys)):
        return read(session, actor, keys)


def _batch_function(batcher: ReadBatcher, actor: Actor, read: BatchRead, default: Any) -> BatchFunction:
    async def load_batch(keys: list[Any]) -> list[Any]:
        values = await batcher.submit(lambda session: read_batch(read, session, actor, keys))
        return [values.get(key, default) for key in keys]

    return load_batch
