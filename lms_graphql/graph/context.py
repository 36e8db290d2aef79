"""What every resolver of one operation shares: who asks, and the way to the database."""

import asyncio
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

import strawberry
from sqlalchemy.orm import Session

from lms_graphql.core import clock, ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.database import Database
from lms_graphql.core.errors import Refusal, Refusals
from lms_graphql.core.hashing import Hashing
from lms_graphql.core.lines import Courtesy
from lms_graphql.core.listing import EVERYTHING, Listing, counts, pages
from lms_graphql.core.paging import Slice
from lms_graphql.core.signing import Signer
from lms_graphql.core.tally import counted
from lms_graphql.graph.allowance import Allowance
from lms_graphql.graph.loaders import Loaders, Read
from lms_graphql.settings import IN_FORCE, Settings

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Equipment:
    """What all operations of a process share. `nodes`: how an object of each kind is read by its key."""

    database: Database
    settings: Settings
    hashing: Hashing
    signer: Signer
    nodes: Mapping[str, Read]
    require_live: Callable[[Session, Actor, datetime], None]
    """Raises where the actor could no longer write when the transaction began."""
    courtesy: Courtesy = field(default_factory=Courtesy)
    """Those who read go before those who sign in."""


class Context:
    """`origin`: the address of the machine that asks, as the network says."""

    def __init__(self, equipment: Equipment, actor: Actor, origin: str) -> None:
        self.database = equipment.database
        self.settings = settings = equipment.settings
        self.hashing = equipment.hashing
        self.signer = equipment.signer
        self.courtesy = equipment.courtesy
        self.actor = actor
        self.origin = origin
        self.most_cost = settings.limit_cost if actor.is_signed_in else settings.limit_cost_anonymous
        self.allowance = Allowance(self.most_cost, settings.limit_seconds)
        self._nodes = equipment.nodes
        self._require_live = equipment.require_live
        self._sent: list[int] = []
        self._loaders = Loaders(self.database, actor, self._sent)

    @property
    def statements(self) -> int:
        """How many have been sent to the database so far."""
        return sum(self._sent)

    def become(self, actor: Actor) -> None:
        """Who has just signed in goes on as themselves."""
        self.actor = actor
        self._loaders = Loaders(self.database, actor, self._sent)

    def close(self) -> None:
        """
        At the operation's end. What refers to itself in a circle waits for the collector, which stops the process
        for as long as a page takes once there is much of it.
        """
        self._loaders.close()

    def one(self, read: Read, key: Any, default: Any = None) -> Any:
        """The value at this key, or the default; a future of it unless it is at hand."""
        return self._loaders.load(read, key, default)

    async def fetch(self, read: Read, key: Any) -> Any:
        """As `one`, for a resolver that goes on with what it gets."""
        found = self._loaders.load(read, key, None)
        return await found if isinstance(found, asyncio.Future) else found

    def many(self, read: Read, key: Any) -> Any:
        """The rows that hang on this key."""
        return self._loaders.load(read, key, ())

    def node(self, id: str) -> Any:
        """The row with this global id, where there is one that the viewer may see."""
        decoded = ids.decode(id)
        read = self._nodes.get(decoded[0]) if decoded is not None else None
        return None if read is None or decoded is None else self._loaders.load(read, decoded[1], None)

    async def nodes(self, ids: Sequence[str]) -> list[Any]:
        """The rows with these global ids, None in place of what is not there for the viewer."""
        found = [self.node(id) for id in ids]
        late = [row for row in found if isinstance(row, asyncio.Future)]
        # All are waited for, also where one fails: the failure of a future that nobody looks at lands in the log.
        await asyncio.gather(*late, return_exceptions=True)
        return [row.result() if isinstance(row, asyncio.Future) else row for row in found]

    def page(self, listing: Listing, asked: Slice, parent: Hashable = EVERYTHING) -> Any:
        """A page of a list, or of the part of it that hangs on this parent."""
        return self._loaders.load(_PageRead(listing, asked, self), parent, None)

    def count(self, listing: Listing, parent: Hashable) -> Any:
        """How many this list has for this parent."""
        return self._loaders.load(_CountRead(listing), parent, 0)

    def read(self, function: Callable[Concatenate[Session, Actor, P], T], *args: P.args, **kwargs: P.kwargs) -> Any:
        """What a read gives that is no batch."""
        return self._loaders.run(lambda session: function(session, self.actor, *args, **kwargs))

    async def write(
        self,
        service: Callable[Concatenate[Session, Actor, P], T | Refusal | Refusals],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """
        Runs a service in one transaction. A refusal that it raises undoes all; one that it returns is refused as
        well, but what was written with it stays: a failed sign-in is counted.
        """

        def work(session: Session) -> T | Refusal | Refusals:
            began = clock.now()
            session.info[IN_FORCE] = self.settings
            result = service(session, self.actor, *args, **kwargs)
            session.flush()
            self._require_live(session, self.actor, began)
            return result

        try:
            result = await self.database.write(counted(work, self._sent))
        finally:
            self._loaders = Loaders(self.database, self.actor, self._sent)  # what was read before may be stale
        if isinstance(result, Refusal | Refusals):
            raise result
        return result


@dataclass(frozen=True)
class _PageRead:
    """A batch read of pages. Equal ones, of the same list and slice, share a loader and so a statement."""

    listing: Listing
    asked: Slice
    context: Context

    def __call__(self, session: Session, actor: Actor, parents: Sequence[Any]) -> Mapping[Any, Any]:
        return pages(session, actor, self.listing, parents, self.asked, self._count)

    def _count(self, parent: Any) -> Any:
        return self.context.count(self.listing, parent)


@dataclass(frozen=True)
class _CountRead:
    listing: Listing

    def __call__(self, session: Session, actor: Actor, parents: Sequence[Any]) -> Mapping[Any, Any]:
        return counts(session, actor, self.listing, parents)


Info = strawberry.Info[Context, None]
