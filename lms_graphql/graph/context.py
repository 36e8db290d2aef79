"""Context of an operation: the actor, the settings and the access to the database that all its resolvers share."""

import asyncio
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

import strawberry
from sqlalchemy.orm import Session

from lms_graphql.core import clock, global_ids, tracing
from lms_graphql.core.actor import Actor
from lms_graphql.core.concurrency import ReadPriorityGate
from lms_graphql.core.database import Database
from lms_graphql.core.errors import DomainError, DomainErrors
from lms_graphql.core.list_queries import ROOT, ListQuery, fetch_counts, fetch_pages
from lms_graphql.core.pagination import PageArguments
from lms_graphql.core.password_hashing import PasswordHashingPool
from lms_graphql.core.query_counter import counting
from lms_graphql.core.signing import Signer
from lms_graphql.graph.execution.loaders import BatchRead, Loaders
from lms_graphql.graph.execution.plan_loads import PendingLoad, PlanLoads
from lms_graphql.graph.execution.response_budget import ResponseBudget
from lms_graphql.settings import SESSION_SETTINGS_KEY, Settings

P = ParamSpec("P")
T = TypeVar("T")


class PlanUse(StrEnum):
    """Part that a query plan had in an operation, for the log."""

    NONE = "none"
    """The executor has run the operation: a mutation, or a query for which there is no plan."""
    PLANNED = "planned"
    FALLBACK = "fallback"
    """The plan has failed, and the executor has run the query."""


class MutationOutcome(NamedTuple):
    """Payload of a mutation that has run, or the error that it raised."""

    payload: Any
    error: Exception | None


@dataclass(frozen=True)
class AppResources:
    """Objects that all operations of a process share."""

    database: Database
    settings: Settings
    hashing: PasswordHashingPool
    signer: Signer
    nodes: Mapping[str, BatchRead]
    """For each kind in a global id, the batch read of its objects by key."""
    require_active_session: Callable[[Session, Actor, datetime], None]
    """Raise UNAUTHENTICATED if the actor's session had ended when the transaction began."""
    read_priority: ReadPriorityGate = field(default_factory=ReadPriorityGate)
    """Reads have priority over logins."""


class ReadContext:
    """Actor, settings and reads of an operation, for the resolvers of queries. `Context` adds what mutations need.

    A value that is not loaded yet is a future, or a `PendingLoad` while a query plan runs.
    """

    trees: Any = None
    """The `PlanTrees` of a query plan, if trees are cached."""

    def __init__(self, resources: AppResources, actor: Actor, loaders: Loaders | PlanLoads) -> None:
        self.settings = resources.settings
        self.actor = actor
        self._resources = resources
        self._loaders = loaders

    def close(self) -> None:
        """Drop the loaders at the end of the operation, because they and the context refer to each other.

        Reference cycles wait for the garbage collector. If there are many, it stops the process for as long as a
        page takes.
        """
        self._loaders.close()

    def load(self, read: BatchRead, key: Any, default: Any = None) -> Any:
        """Return the value of this key or the default. It is pending unless it is loaded already."""
        return self._loaders.load(read, key, default)

    async def load_async(self, read: BatchRead, key: Any) -> Any:
        """Return the value of this key or None, for a resolver that needs the value itself."""
        value = self._loaders.load(read, key, None)
        return await value if isinstance(value, asyncio.Future | PendingLoad) else value

    def load_list(self, read: BatchRead, key: Any) -> Any:
        """Return the rows that belong to this key. They are pending unless they are loaded already."""
        return self._loaders.load(read, key, ())

    def node(self, id: str) -> Any:
        """Return the row with this global id, which may be pending. None if it does not exist or is not visible."""
        decoded = global_ids.decode(id)
        read = self._resources.nodes.get(decoded[0]) if decoded is not None else None
        return None if read is None or decoded is None else self._loaders.load(read, decoded[1], None)

    async def nodes(self, ids: Sequence[str]) -> list[Any]:
        """Return the rows with these global ids, with None for rows that do not exist or are not visible."""
        return await self._loaders.gather([self.node(id) for id in ids])

    def page(self, query: ListQuery, arguments: PageArguments, parent: Hashable = ROOT) -> Any:
        """Return a page of the list, or of the items of this parent."""
        return self._loaders.load(_PageRead(query, arguments, self), parent, None)

    def count(self, query: ListQuery, parent: Hashable) -> Any:
        """Return the number of items of this parent in the list."""
        return self._loaders.load(_CountRead(query), parent, 0)

    def read(self, function: Callable[Concatenate[Session, Actor, P], T], *args: P.args, **kwargs: P.kwargs) -> Any:
        """Return the pending result of what the function reads, for reads that are not batch reads."""

        def job(session: Session) -> T:
            with tracing.read_span(function, 1):
                return function(session, self.actor, *args, **kwargs)

        return self._loaders.run(job)


class Context(ReadContext):
    """State of one operation. `client_ip` is the network address of the client, `user_agent` what it calls itself."""

    def __init__(self, resources: AppResources, actor: Actor, client_ip: str, user_agent: str | None = None) -> None:
        self._statement_counts: list[int] = []
        self.database = resources.database
        self.reads_are_causal = actor.is_signed_in
        """True if reads must see the last writes of all nodes of a cluster. Those of anonymous viewers need not,
        until their operation has written something."""
        super().__init__(resources, actor, self._new_loaders(actor))
        self.hashing = resources.hashing
        self.signer = resources.signer
        self.read_priority = resources.read_priority
        self.client_ip = client_ip
        self.user_agent = user_agent
        settings = resources.settings
        self.max_cost = settings.limit_cost if actor.is_signed_in else settings.limit_cost_anonymous
        self.budget = ResponseBudget(self.max_cost, settings.limit_seconds)
        self.plan_use = PlanUse.NONE
        self.mutation_outcome: MutationOutcome | None = None
        """Outcome of the operation's only mutation, if a plan has run it and its payload is not complete yet."""
        self.write_count = 0
        """Number of writes that were committed."""
        self.written_fields: set[str | int] = set()
        """Response keys of the mutations that have committed a write."""
        self.may_have_committed = False
        """True from the end of a service on: if the request times out then, the change may be saved."""

    @property
    def statement_count(self) -> int:
        """Number of SQL statements that the operation has sent so far."""
        return sum(self._statement_counts)

    def close(self) -> None:
        self.mutation_outcome = None  # because the traceback of an error refers to the context
        super().close()

    def switch_actor(self, actor: Actor) -> None:
        """Continue the operation as another actor: the user who has just logged in or out."""
        self.actor = actor
        self.reads_are_causal = True
        self._loaders = self._new_loaders(actor)

    def for_plan(self, loads: PlanLoads, trees: Any = None) -> ReadContext:
        """Return the context for the resolvers of a query plan. It cannot write."""
        context = ReadContext(self._resources, self.actor, loads)
        context.trees = trees
        return context

    async def run_read(self, work: Callable[[Session], T], is_large: bool = False) -> T:
        """Run the work in a worker thread, and count its statements."""
        work = counting(work, self._statement_counts)
        return await self.database.read(work, is_large=is_large, is_causal=self.reads_are_causal)

    async def write(
        self,
        service: Callable[Concatenate[Session, Actor, P], T | DomainError | DomainErrors],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a service in one transaction and return its result.

        A domain error that the service raises rolls the transaction back. A domain error that it returns is raised
        after the commit: a failed login, for example, must be counted.
        """

        def work(session: Session) -> T | DomainError | DomainErrors:
            started_at = clock.now()
            session.info[SESSION_SETTINGS_KEY] = self.settings
            result = service(session, self.actor, *args, **kwargs)
            session.flush()
            self._resources.require_active_session(session, self.actor, started_at)
            self.may_have_committed = True  # before `Database` looks whether the caller was cancelled
            return result

        try:
            result = await self.database.write(counting(work, self._statement_counts))
            self.write_count += 1
        finally:
            self.reads_are_causal = True
            self._loaders = self._new_loaders(self.actor)  # because rows that were read before the write may be stale
        if isinstance(result, DomainError | DomainErrors):
            raise result
        return result

    def _new_loaders(self, actor: Actor) -> Loaders:
        return Loaders(self.database, actor, self._statement_counts, is_causal=self.reads_are_causal)


@dataclass(frozen=True)
class _PageRead:
    """Batch read of pages. Equal ones, of the same list and page arguments, share a loader and so a statement."""

    query: ListQuery
    arguments: PageArguments
    context: ReadContext

    @property
    def __name__(self) -> str:
        return f"page of {self.query.order.name}"

    def __call__(self, session: Session, actor: Actor, parents: Sequence[Any]) -> Mapping[Any, Any]:
        return fetch_pages(session, actor, self.query, parents, self.arguments, self._count)

    def _count(self, parent: Any) -> Any:
        return self.context.count(self.query, parent)


@dataclass(frozen=True)
class _CountRead:
    query: ListQuery

    @property
    def __name__(self) -> str:
        return f"count of {self.query.order.name}"

    def __call__(self, session: Session, actor: Actor, parents: Sequence[Any]) -> Mapping[Any, Any]:
        return fetch_counts(session, actor, self.query, parents)


Info = strawberry.Info[Context, None]
