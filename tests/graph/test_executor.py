"""Both executors return the same data, nulls and errors for the same documents."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, execute, parse
from hypothesis import given as for_all
from hypothesis import strategies as st

from lms_graphql.graph.execution.operation_runner import executor_class
from lms_graphql.graph.execution.response_budget import ResponseBudget
from lms_graphql.graph.schema.builder import build_schema
from lms_graphql.graph.schema.fields import field, object_type
from lms_graphql.graph.schema.node import Node
from lms_graphql.settings import ExecutorChoice


@dataclass
class Row:
    key: int
    name: Any
    maybe: Any
    failure: str | None = None
    kind: str = "Thing"

    @property
    def born(self) -> Any:
        return {None: datetime(2026, 1, 1, tzinfo=UTC), "null": None}.get(self.failure, self.failure)

    @property
    def id(self) -> str:
        return f"row{self.key}"


def later(value: Any) -> Any:
    """Return a future of the value, as a loader does. An exception is raised by the future."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def arrive() -> None:
        if isinstance(value, Exception):
            future.set_exception(value)
        else:
            future.set_result(value)

    asyncio.get_running_loop().call_soon(arrive)
    return future


def resolve(row: Any, value: Any) -> Any:
    """Return the value, or fail as the row says."""
    failures: dict[str | None, Callable[[], Any]] = {
        "late": lambda: later(value),
        "raise": raise_lookup_error,
        "late raise": lambda: later(LookupError("no")),
        "null": lambda: None,
        "late null": lambda: later(None),
    }
    return failures.get(row.failure, lambda: value)()


def raise_lookup_error() -> None:
    raise LookupError("no")


@object_type
class Thing(Node):
    """A thing."""

    name: str = field("Never null.")
    maybe: int | None = field("Null or a number.")
    born: datetime | None = field("Read from the row, whose value may be no date-time.")
    failure: strawberry.Private[str | None]

    @strawberry.field
    def friend(self) -> "Thing":
        return resolve(self, Row(self.key + 100, "friend", None))

    @strawberry.field
    def maybe_friend(self) -> "Thing | None":
        return resolve(self, Row(self.key + 200, "friend", 5, self.failure))

    @strawberry.field
    def friends(self) -> list["Thing"]:
        return resolve(self, [Row(self.key + n, "f", n, self.failure if n == 2 else None) for n in range(3)])

    @strawberry.field
    def texts(self) -> list[str | None]:
        return [later("a"), "b", later(None)]

    @strawberry.field
    def mixed(self) -> "list[Thing | None]":
        return [later(Row(1, "late", None)), Row(2, "loaded", 3), None]

    @strawberry.field
    def when(self) -> datetime | None:
        return datetime(2026, 1, 1, tzinfo=UTC) if self.failure is None else self.failure  # type: ignore[return-value]

    @strawberry.field
    async def slow(self) -> str | None:
        await asyncio.sleep(0)
        return resolve(self, "slow") if self.failure in {None, "raise"} else None


ROWS: list[Any] = []


@strawberry.type
class Query:
    @strawberry.field
    def things(self) -> list[Thing]:
        return list(ROWS)

    @strawberry.field
    def maybe_things(self) -> list[Thing | None] | None:
        return later([*ROWS, None])

    @strawberry.field
    def node(self) -> Node | None:
        return later(ROWS[0])


SCHEMA = build_schema(Query, types=(Thing,)).graphql_schema
DOCUMENTS = [
    "{ things { id name maybe } }",
    "{ things { id alias: name again: name ...F friends { id name maybe } } } fragment F on Thing { maybe }",
    "{ maybeThings { name friend { name friend { id } } maybeFriend { name friends { id friend { id } } } slow } }",
    "{ node { __typename id ... on Thing { friends { friend { name } } maybeFriend { friend { id } } } } }",
    "{ a: maybeThings { friends { maybeFriend { friends { name } } } } b: things { maybeFriend { id } } }",
    "{ things { texts mixed { id name } when } maybeThings { born when texts } }",
    "{ things { born } maybeThings { id born } }",
    "query Q($yes: Boolean = false) { things { id name @include(if: $yes) friend @skip(if: $yes) { id } } }",
]
FAILURES = [None, "late", "raise", "late raise", "null", "late null"]


async def execute_with(choice: ExecutorChoice, document: str) -> ExecutionResult:
    context = SimpleNamespace(budget=ResponseBudget(1_000, 10))
    result: Any = execute(SCHEMA, parse(document), executor_class=executor_class(choice), context_value=context)
    return result if isinstance(result, ExecutionResult) else await result


def execute_with_both(document: str) -> tuple[ExecutionResult, ExecutionResult]:
    """Return the result of the fast executor and that of the standard one."""

    async def both() -> tuple[ExecutionResult, ExecutionResult]:
        fast = await execute_with(ExecutorChoice.PLANS, document)
        return fast, await execute_with(ExecutorChoice.STANDARD, document)

    return asyncio.run(both())


def errors_of(result: ExecutionResult) -> list[tuple[str, str]]:
    return sorted((str(error.path), error.message) for error in result.errors or ())


@pytest.fixture(autouse=True)
def no_rows() -> Iterator[None]:
    ROWS.clear()
    yield
    ROWS.clear()


@for_all(
    st.sampled_from(DOCUMENTS),
    st.lists(st.tuples(st.sampled_from(FAILURES), st.sampled_from(["a name", None, 5])), min_size=1, max_size=4),
)
def test_executors_return_the_same_data_and_nulls(document: str, rows: list[tuple[str | None, Any]]) -> None:
    ROWS[:] = [Row(number, name, number, failure) for number, (failure, name) in enumerate(rows)]
    fast, standard = execute_with_both(document)
    assert fast.data == standard.data
    if len(rows) == 1:
        assert set(errors_of(fast)) == set(errors_of(standard))
        return
    # graphql-core stops at the first failure below a position that becomes null. Ours waits for all, and reports all.
    assert set(errors_of(fast)) >= set(errors_of(standard))
    assert bool(fast.errors) == bool(standard.errors)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_executors_return_equal_results_without_failures(document: str) -> None:
    ROWS[:] = [Row(number, "a name", None) for number in range(3)]
    fast, standard = execute_with_both(document)
    assert fast.data == standard.data
    assert errors_of(fast) == errors_of(standard)
    assert fast.data is not None
    assert standard.data is not None
    assert list(fast.data) == list(standard.data), "fields are in the order of the document"
