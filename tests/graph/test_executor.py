"""The short ways of field execution answer just as graphql-core's own executor does, errors and nulls included."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, execute, parse
from hypothesis import given as for_all
from hypothesis import strategies as st
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext as Standard

from lms_graphql.graph.execution.executor import RowExecutor
from lms_graphql.graph.execution.response_budget import ResponseBudget
from lms_graphql.graph.schema.builder import build_schema
from lms_graphql.graph.schema.fields import field, object_type
from lms_graphql.graph.schema.node import Node


@dataclass
class Leaf:
    key: int
    name: Any
    maybe: Any
    fault: str | None = None
    kind: str = "Thing"

    @property
    def born(self) -> Any:
        return {None: datetime(2026, 1, 1, tzinfo=UTC), "null": None}.get(self.fault, self.fault)

    @property
    def id(self) -> str:
        return f"leaf{self.key}"


def late(value: Any) -> Any:
    """As a loader would hand it out: there in a later tick, or failed."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def arrive() -> None:
        if isinstance(value, Exception):
            future.set_exception(value)
        else:
            future.set_result(value)

    asyncio.get_running_loop().call_soon(arrive)
    return future


def handed(row: Any, value: Any) -> Any:
    """The value, or what the row says is wrong with it."""
    faults: dict[str | None, Any] = {
        "late": lambda: late(value),
        "raise": _raise,
        "late raise": lambda: late(LookupError("no")),
        "null": lambda: None,
        "late null": lambda: late(None),
    }
    return faults.get(row.fault, lambda: value)()


def _raise() -> None:
    raise LookupError("no")


@object_type
class Thing(Node):
    """A thing."""

    name: str = field("Never null.")
    maybe: int | None = field("Null or a number.")
    born: datetime | None = field("Read off the row, where it may be no instant.")
    fault: strawberry.Private[str | None]

    @strawberry.field
    def friend(self) -> "Thing":
        """Never null."""
        return handed(self, Leaf(self.key + 100, "friend", None))

    @strawberry.field
    def maybe_friend(self) -> "Thing | None":
        """Null or a thing."""
        return handed(self, Leaf(self.key + 200, "friend", 5, self.fault))

    @strawberry.field
    def friends(self) -> list["Thing"]:
        """A list without nulls."""
        return handed(self, [Leaf(self.key + n, "f", n, self.fault if n == 2 else None) for n in range(3)])

    @strawberry.field
    def listed(self) -> list[str | None]:
        """Values of which some are still to come."""
        return [late("a"), "b", late(None)]

    @strawberry.field
    def mixed(self) -> "list[Thing | None]":
        """Rows of which some are still to come."""
        return [late(Leaf(1, "late", None)), Leaf(2, "there", 3), None]

    @strawberry.field
    def when(self) -> datetime | None:
        """An instant, or something that is none."""
        return datetime(2026, 1, 1, tzinfo=UTC) if self.fault is None else self.fault  # type: ignore[return-value]

    @strawberry.field
    async def slow(self) -> str | None:
        """By a coroutine."""
        await asyncio.sleep(0)
        return handed(self, "slow") if self.fault in {None, "raise"} else None


ROWS: list[Any] = []


@strawberry.type
class Query:
    @strawberry.field
    def things(self) -> list[Thing]:
        return list(ROWS)

    @strawberry.field
    def perhaps(self) -> list[Thing | None] | None:
        return late([*ROWS, None])

    @strawberry.field
    def node(self) -> Node | None:
        return late(ROWS[0])


schema = build_schema(Query, types=(Thing,))._schema
DOCUMENTS = [
    "{ things { id name maybe } }",
    "{ things { id alias: name again: name ...F friends { id name maybe } } } fragment F on Thing { maybe }",
    "{ perhaps { name friend { name friend { id } } maybeFriend { name friends { id friend { id } } } slow } }",
    "{ node { __typename id ... on Thing { friends { friend { name } } maybeFriend { friend { id } } } } }",
    "{ a: perhaps { friends { maybeFriend { friends { name } } } } b: things { maybeFriend { id } } }",
    "{ things { listed mixed { id name } when } perhaps { born when listed } }",
    "{ things { born } perhaps { id born } }",
    "query Q($yes: Boolean = false) { things { id name @include(if: $yes) friend @skip(if: $yes) { id } } }",
]
FAULTS = [None, "late", "raise", "late raise", "null", "late null"]


async def answer(document: str, executor: Any) -> ExecutionResult:
    context = SimpleNamespace(budget=ResponseBudget(1_000, 10))
    result: Any = execute(schema, parse(document), executor_class=executor, context_value=context)
    return result if isinstance(result, ExecutionResult) else await result


def told(result: ExecutionResult) -> set[tuple[str, str]]:
    return {(str(error.path), error.message) for error in result.errors or ()}


def shown(result: ExecutionResult) -> Any:
    return result.data, sorted((str(error.path), error.message) for error in result.errors or ())


@pytest.fixture(autouse=True)
def no_rows() -> Iterator[None]:
    ROWS.clear()
    yield
    ROWS.clear()


@for_all(
    st.sampled_from(DOCUMENTS),
    st.lists(st.tuples(st.sampled_from(FAULTS), st.sampled_from(["a name", None, 5])), min_size=1, max_size=4),
)
def test_both_executors_give_the_same_data_and_nulls(document: str, rows: list[tuple[str | None, Any]]) -> None:
    ROWS[:] = [Leaf(number, name, number, fault) for number, (fault, name) in enumerate(rows)]

    async def both() -> tuple[Any, Any]:
        return await answer(document, RowExecutor), await answer(document, Standard)

    ours, standard = asyncio.run(both())
    assert ours.data == standard.data
    ours_told, standards = told(ours), told(standard)
    if len(rows) == 1:
        assert ours_told == standards
        return
    # graphql-core stops at the first fault below a place that is nulled; waiting for all, we tell of the others, too.
    assert ours_told >= standards
    assert bool(ours_told) == bool(standards)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_without_faults_nothing_differs(document: str) -> None:
    ROWS[:] = [Leaf(number, "a name", None) for number in range(3)]

    async def both() -> tuple[Any, Any]:
        return shown(await answer(document, RowExecutor)), shown(await answer(document, Standard))

    ours, standard = asyncio.run(both())
    assert ours == standard
    assert list(ours[0]) == list(standard[0]), "in the order asked"
