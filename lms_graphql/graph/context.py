"""What every resolver of one operation shares: who asks, and the way to the database."""

import asyncio
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

import strawberry
from sqlalchemy.orm import Session

from lms_graphql.core import clock, global_ids
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
from lms_graphql.graph.execution.response_budget import ResponseBudget
from lms_graphql.settings import SESSION_SETTINGS_KEY, Settings

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class AppResources:
    """What all operations of a process share. `nodes`: how an object of each kind is read by its key."""

    database: Database
    settings: Settings
    hashing: PasswordHashingPool
    signer: Signer
    nodes: Mapping[str, BatchRead]
    require_active_session: Callable[[Session, Actor, datetime], None]
    """Raises where the actor could no longer write when the transaction began."""
    read_priority: ReadPriorityGate = field(default_factory=ReadPriorityGate)
    """Those who read go before those who sign in."""


class Context:
    """`origin`: the address of the machine that asks, as the network says."""

    def __init__(self, resources: AppResources, actor: Actor, origin: str) -> None:
        self.database = resources.database
        self.settings = settings = resources.settings
        self.hashing = resources.hashing
        self.signer = resources.signer
        self.courtesy = resources.read_priority
        self.actor = actor
        self.client_ip = origin
        self.max_cost = settings.limit_cost if actor.is_signed_in else settings.limit_cost_anonymous
        self.budget = ResponseBudget(self.max_cost, settings.limit_seconds)
        self._nodes = resources.nodes
        self._require_live = resources.require_active_session
        self._sent: list[int] = []
        self._loaders = Loaders(self.database, actor, self._sent)

    @property
    def statement_count(self) -> int:
        """How many have been sent to the database so far."""
        return sum(self._sent)

    def switch_actor(self, actor: Actor) -> None:
        """Who has just signed in goes on as themselves."""
        self.actor = actor
        self._loaders = Loaders(self.database, actor, self._sent)

    def close(self) -> None:
        """
        At the operation's end. What refers to itself in a circle waits for the collector, which stops the process
        for as long as a page takes once there is much of it.
        """
        self._loaders.close()

    def load(self, read: BatchRead, key: Any, default: Any = None) -> Any:
        """The value at this key, or the default; a future of it unless it is at hand."""
        return self._loaders.load(read, key, default)

    async def load_async(self, read: BatchRead, key: Any) -> Any:
        """As `load`, for a resolver that goes on with what it gets."""
        found = self._loaders.load(read, key, None)
        return await found if isinstance(found, asyncio.Future) else found

    def load_list(self, read: BatchRead, key: Any) -> Any:
        """The rows that hang on this key."""
        return self._loaders.load(read, key, ())

    def node(self, id: str) -> Any:
        """The row with this global id, where there is one that the viewer may see."""
        decoded = global_ids.decode(id)
        read = self._nodes.get(decoded[0]) if decoded is not None else None
        return None if read is None or decoded is None else self._loaders.load(read, decoded[1], None)

    async def nodes(self, ids: Sequence[str]) -> list[Any]:
        """The rows with these global ids, None in place of what is not there for the viewer."""
        found = [self.node(id) for id in ids]
        late = [row for row in found if isinstance(row, asyncio.Future)]
        # All are waited for, also where one fails: the failure of a future that nobody looks at lands in the log.
        await asyncio.gather(*late, return_exceptions=True)
        return [row.result() if isinstance(row, asyncio.Future) else row for row in found]

    def page(self, listing: ListQuery, asked: PageArguments, parent: Hashable = ROOT) -> Any:
        """A page of a list, or of the part of it that hangs on this parent."""
        return self._loaders.load(_PageRead(listing, asked, self), parent, None)

    def count(self, listing: ListQuery, parent: Hashable) -> Any:
        """How many this list has for this parent."""
        return self._loaders.load(_CountRead(listing), parent, 0)

    def read(self, function: Callable[Concatenate[Session, Actor, P], T], *args: P.args, **kwargs: P.kwargs) -> Any:
        """What a read gives that is no batch."""
        return self._loaders.run(lambda session: function(session, self.actor, *args, **kwargs))

    async def write(
        self,
        service: Callable[Concatenate[Session, Actor, P], T | DomainError | DomainErrors],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """
        Runs a service in one transaction. A refusal that it raises undoes all; one that it returns is refused as
        well, but what was written with it stays: a failed sign-in is counted.
        """

        def work(session: Session) -> T | DomainError | DomainErrors:
            began = clock.now()
            session.info[SESSION_SETTINGS_KEY] = self.settings
            result = service(session, self.actor, *args, **kwargs)
            session.flush()
            self._require_live(session, self.actor, began)
            return result

        try:
            result = await self.database.write(counting(work, self._sent))
        finally:
            self._loaders = Loaders(self.database, self.actor, self._sent)  # what was read before may be stale
        if isinstance(result, DomainError | DomainErrors):
            raise result
        return result


@dataclass(frozen=True)
class _PageRead:
    """A batch read of pages. Equal ones, of the same list and slice, share a loader and so a statement."""

    listing: ListQuery
    asked: PageArguments
    context: Context

    def __call__(self, session: Session, actor: Actor, parents: Sequence[Any]) -> Mapping[Any, Any]:
        return fetch_pages(session, actor, self.listing, parents, self.asked, self._count)

    def _count(self, parent: Any) -> Any:
        return self.context.count(self.listing, parent)


@dataclass(frozen=True)
class _CountRead:
    listing: ListQuery

    def __call__(self, session: Session, actor: Actor, parents: Sequence[Any]) -> Mapping[Any, Any]:
        return fetch_counts(session, actor, self.listing, parents)


Info = strawberry.Info[Context, None]
