"""Plans, the reference executor and graphql-core's own return the same data and nulls for the same documents."""

import asyncio
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import strawberry
from hypothesis import HealthCheck
from hypothesis import given as for_all
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from lms_graphql.core.actor import Actor, Role
from lms_graphql.graph.context import Info, PlanUse
from lms_graphql.graph.execution import plan_cache
from lms_graphql.graph.schema.builder import build_schema
from lms_graphql.graph.schema.fields import field, object_type
from lms_graphql.graph.schema.node import Node
from lms_graphql.settings import ExecutorChoice, Settings
from tests.concurrency import race_rounds
from tests.graph.executor_runs import ExecutorRuns, Outcome, run_executors


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


def later(info: Info, value: Any) -> Any:
    """Return the value as a load that is pending. An exception is raised by the load."""

    def read(_session: Session, _actor: Actor) -> Any:
        if isinstance(value, Exception):
            raise value
        return value

    return info.context.read(read)


def shared_texts(_session: Session, _actor: Actor, keys: Sequence[str]) -> Mapping[str, str]:
    return {key: f"{key} by all" for key in keys}


def resolve(info: Info, row: Any, value: Any) -> Any:
    """Return the value, or fail as the row says."""
    failures: dict[str | None, Callable[[], Any]] = {
        "late": lambda: later(info, value),
        "raise": raise_lookup_error,
        "late raise": lambda: later(info, LookupError("no")),
        "null": lambda: None,
        "late null": lambda: later(info, None),
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
    def friend(self, info: Info) -> "Thing":
        return resolve(info, self, Row(self.key + 100, "friend", None))

    @strawberry.field
    def maybe_friend(self, info: Info, name: str = "friend") -> "Thing | None":
        return resolve(info, self, Row(self.key + 200, name, 5, self.failure))

    @strawberry.field
    def friends(self, info: Info) -> list["Thing"]:
        friends = [Row(self.key + n, "f", n, self.failure if n == 2 else None) for n in range(3)]
        return resolve(info, self, friends)

    @strawberry.field
    async def best_friend(self, info: Info) -> "Thing | None":
        key = await later(info, self.key + 1)
        best = resolve(info, self, Row(key + await later(info, 1), "best", None))
        return await best if inspect.isawaitable(best) else best

    @strawberry.field
    async def shared(self, info: Info) -> str | None:
        await later(info, None)
        return await info.context.load_async(shared_texts, "shared")

    @strawberry.field
    def likes(self) -> list[str | None]:
        return ["tea", None]

    @strawberry.field
    def texts(self, info: Info) -> list[str | None]:
        return [later(info, "a"), "b", later(info, None)]

    @strawberry.field
    def mixed(self, info: Info) -> "list[Thing | None]":
        return [later(info, Row(1, "late", None)), Row(2, "loaded", 3), None]

    @strawberry.field
    def when(self) -> datetime | None:
        return datetime(2026, 1, 1, tzinfo=UTC) if self.failure is None else self.failure  # type: ignore[return-value]

    @strawberry.field
    async def slow(self, info: Info) -> str | None:
        await asyncio.sleep(0)
        return resolve(info, self, "slow") if self.failure in {None, "raise"} else None


@object_type
class Animal(Node):
    """Another kind of object."""

    sound: str = field("Never null.")


class AnimalRow(NamedTuple):
    key: int
    sound: str
    kind: str = "Animal"

    @property
    def id(self) -> str:
        return f"animal{self.key}"


ROWS: list[Any] = []


@strawberry.type
class Query:
    @strawberry.field
    def things(self) -> list[Thing]:
        return list(ROWS)

    @strawberry.field
    def maybe_things(self, info: Info) -> list[Thing | None] | None:
        return later(info, [*ROWS, None])

    @strawberry.field
    def node(self, info: Info) -> Node | None:
        return later(info, ROWS[0])

    @strawberry.field
    def nodes(self, info: Info) -> list[Node | None]:
        return later(info, [AnimalRow(1, "moo"), *ROWS, None, AnimalRow(2, "meow")])


SCHEMA = build_schema(Query, types=(Thing, Animal)).graphql_schema
PLANNED = [
    "{ things { id name maybe } }",
    "{ things { id alias: name again: name ...F friends { id name maybe } } } fragment F on Thing { maybe }",
    "{ maybeThings { name friend { name friend { id } } maybeFriend { name friends { id friend { id } } } } }",
    "{ node { __typename id ... on Thing { friends { friend { name } } maybeFriend { friend { id } } } } }",
    "{ nodes { id ... on Thing { name bestFriend { name } } ... on Animal { sound } } __typename }",
    "{ a: maybeThings { friends { maybeFriend { friends { name } } } } b: things { maybeFriend { id } } }",
    "{ things { bestFriend { id bestFriend { name } } likes } }",
    "{ a: maybeThings { shared friend { shared } } b: maybeThings { shared } c: things { shared } }",
    "{ things { born } maybeThings { id born when } }",
    '{ things { id name @include(if: true) friend @skip(if: false) { id } maybeFriend(name: "Bo") { name } } }',
]
NOT_PLANNED = [
    "{ things { texts } }",
    "{ things { mixed { id name } } }",
    "{ maybeThings { id slow } }",
    "{ __schema { queryType { name } } things { id } }",
]
FAILURES = [None, "late", "raise", "late raise", "null", "late null"]


@pytest.fixture(scope="module")
def executors() -> Iterator[ExecutorRuns]:
    with run_executors(SCHEMA, Settings()) as executors:
        yield executors


@pytest.fixture(autouse=True)
def no_rows() -> Iterator[None]:
    ROWS.clear()
    yield
    ROWS.clear()


@pytest.fixture(autouse=True)
def plans_are_never_paused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_cache, "MAX_FAILURES", 1_000_000)


def assert_equal_outcomes(outcomes: Mapping[ExecutorChoice, Outcome]) -> None:
    standard = outcomes[ExecutorChoice.STANDARD]
    for outcome in outcomes.values():
        assert outcome.data == standard.data
        # If several fields fail below a position that becomes null, it depends on their order which one is reported.
        assert bool(outcome.errors) == bool(standard.errors)
        assert outcome.data is None or list(outcome.data) == list(standard.data)


@hypothesis_settings(max_examples=race_rounds(30), suppress_health_check=[HealthCheck.function_scoped_fixture])
@for_all(
    document=st.sampled_from([*PLANNED, *NOT_PLANNED]),
    rows=st.lists(st.tuples(st.sampled_from(FAILURES), st.sampled_from(["a name", None, 5])), min_size=1, max_size=4),
)
def test_executors_return_the_same_data_and_nulls(
    executors: ExecutorRuns, document: str, rows: list[tuple[str | None, Any]]
) -> None:
    ROWS[:] = [Row(number, name, number, failure) for number, (failure, name) in enumerate(rows)]
    assert_equal_outcomes(executors.run_all(document))


@pytest.mark.parametrize("failure", [None, "late"])
@pytest.mark.parametrize("document", PLANNED)
def test_queries_without_failures_are_planned(executors: ExecutorRuns, document: str, failure: str | None) -> None:
    ROWS[:] = [Row(number, "a name", None, failure if "born" not in document else None) for number in range(3)]
    outcomes = executors.run_all(document)
    assert_equal_outcomes(outcomes)
    assert not outcomes[ExecutorChoice.PLANS].errors
    assert outcomes[ExecutorChoice.PLANS].plan_use is PlanUse.PLANNED
    assert outcomes[ExecutorChoice.REFERENCE].plan_use is PlanUse.NONE


@pytest.mark.parametrize("document", NOT_PLANNED)
def test_unusual_queries_are_left_to_the_executor(executors: ExecutorRuns, document: str) -> None:
    ROWS[:] = [Row(number, "a name", None) for number in range(3)]
    outcomes = executors.run_all(document)
    assert_equal_outcomes(outcomes)
    assert not outcomes[ExecutorChoice.PLANS].errors
    assert outcomes[ExecutorChoice.PLANS].plan_use in {PlanUse.FALLBACK, PlanUse.NONE}


def test_failure_does_not_cancel_a_load_that_others_wait_for(executors: ExecutorRuns) -> None:
    ROWS[:] = [Row(1, "a name", None, "late raise"), Row(2, "a name", None)]
    for outcome in executors.run_all("{ maybeThings { shared friend { id } } }").values():
        assert outcome.data["maybeThings"] == [None, {"shared": "shared by all", "friend": {"id": "row102"}}, None]
        assert len(outcome.errors) == 1


def test_plan_depends_on_variables_of_directives(executors: ExecutorRuns) -> None:
    ROWS[:] = [Row(1, "a name", None)]
    fields = "{ things { id name @include(if: $yes) friend @skip(if: $yes) { id } } }"
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["id", "friend"]),
        ({"yes": True}, ["id", "name"]),
        ({"yes": False}, ["id", "friend"]),
    ]
    for variables, expected in cases:
        outcomes = executors.run_all(f"query Q($yes: Boolean = false) {fields}", **variables)
        assert_equal_outcomes(outcomes)
        assert list(outcomes[ExecutorChoice.PLANS].data["things"][0]) == expected
        assert outcomes[ExecutorChoice.PLANS].plan_use is PlanUse.PLANNED


def test_query_whose_plan_fails_three_times_is_not_planned(
    executors: ExecutorRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_cache, "MAX_FAILURES", 3)
    ROWS[:] = [Row(1, "a name", None, "raise")]
    document = "query Failing { things { maybeFriend { id } } }"

    def plan_uses(count: int) -> list[PlanUse]:
        return [executors.run(ExecutorChoice.PLANS, document).plan_use for _ in range(count)]

    now = [1000.0]
    monkeypatch.setattr(plan_cache, "time", SimpleNamespace(monotonic=lambda: now[0]))
    assert plan_uses(4) == [PlanUse.FALLBACK] * 3 + [PlanUse.NONE]
    ROWS[:] = [Row(1, "a name", None)]
    assert plan_uses(1) == [PlanUse.NONE]
    now[0] += plan_cache.PAUSE_SECONDS + 1
    assert plan_uses(1) == [PlanUse.PLANNED]


def test_failures_of_one_role_do_not_pause_the_plan_of_others(
    executors: ExecutorRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_cache, "MAX_FAILURES", 3)
    document = "query OfRoles { things { maybeFriend { id } } }"
    learner = Actor(key=1, role=Role.LEARNER)
    ROWS[:] = [Row(1, "a name", None, "raise")]
    uses = [executors.run(ExecutorChoice.PLANS, document).plan_use for _ in range(4)]
    assert uses[-1] is PlanUse.NONE
    ROWS[:] = [Row(1, "a name", None)]
    assert executors.run(ExecutorChoice.PLANS, document, learner).plan_use is PlanUse.PLANNED
