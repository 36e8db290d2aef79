"""Query plans: which queries use them, how they take turns, and what they leave behind."""

import asyncio
import gc
import json
import threading
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from graphql.execution import VariableValues
from sqlalchemy import event
from sqlalchemy.orm import Session

from benchmarks.workloads import WORKLOADS
from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from lms_graphql.graph.context import PlanUse
from lms_graphql.graph.execution import plan_runner
from lms_graphql.graph.execution.plan_cache import MAX_CACHED_FIELDS, MAX_FAILURES, PlanCache
from lms_graphql.schema import schema
from lms_graphql.settings import ExecutorChoice
from tests.concurrency import race_rounds
from tests.factories import CourseTree, Factories
from tests.graph.executor_runs import ExecutorRuns, Outcome, run_executors
from tests.live_service import Client, LogCapture, Service

pytestmark = pytest.mark.sqlite_only

TREE = "query ($slug: String!) { course(slug: $slug) { title sections { title lectures { title next { title } } } } }"
SMALL = "query ($slug: String!) { course(slug: $slug) { title } }"
NO_VALUES = VariableValues({}, {})


@pytest.fixture
def course(make: Factories) -> CourseTree:
    return make.course(sections=2, lectures=2)


def logged_plan_use(log: LogCapture) -> str:
    """Return what the log says about the plan of the last operation."""
    lines = [json.loads(line) for line in log.lines if '"event":"operation"' in line]
    use: str = lines[-1]["plan"]
    return use


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_workloads_of_the_benchmark_are_planned(
    client: Client, course: CourseTree, captured_log: LogCapture, workload: Any
) -> None:
    variables = {"slug": course.slug} if "slug" in workload.variables else workload.variables
    assert client.execute(workload.document, **variables)
    assert logged_plan_use(captured_log) == "planned"


def test_log_tells_fallbacks_and_operations_without_a_plan(
    client: Client, make: Factories, captured_log: LogCapture
) -> None:
    learner = make.actor(make.user(Role.LEARNER))
    client.graphql("{ users { totalCount } me { id } }", learner)
    assert logged_plan_use(captured_log) == "fallback"
    client.graphql("{ __schema { queryType { name } } }", learner)
    assert logged_plan_use(captured_log) == "none"


@pytest.fixture
def executors(service: Service) -> Iterator[ExecutorRuns]:
    """Return executors on the database of the service, with one worker thread and without the cache of trees."""
    settings = service.resources.settings.model_copy(update={"worker_threads": 1, "tree_cache_bytes": 0})
    with run_executors(schema.graphql_schema, settings) as executors:
        yield executors


def count_hops(executors: ExecutorRuns, document: str, **variables: Any) -> int:
    """Return how often a planned query goes to a worker thread."""
    database, hops = executors.resources.database, []
    read = database.read

    async def counted_read(work: Any, **options: Any) -> Any:
        hops.append(work)
        return await read(work, **options)

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(database, "read", counted_read)
        assert executors.run(ExecutorChoice.PLANS, document, **variables).plan_use == "planned"
    return len(hops)


def test_small_queries_need_one_hop_and_large_ones_take_turns(
    executors: ExecutorRuns, course: CourseTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert count_hops(executors, "{ __typename }") == 0
    assert count_hops(executors, "{ me { id } }") == 0
    assert count_hops(executors, TREE, slug=course.slug) == 1
    monkeypatch.setattr(plan_runner, "MAX_COST_OF_ONE_HOP", 0)
    assert count_hops(executors, TREE, slug=course.slug) == 5, "course, sections, lectures, neighbours, next lectures"


def test_bad_arguments_do_not_pause_the_plan(executors: ExecutorRuns, course: CourseTree) -> None:
    document = "query Page($after: String) { courses(first: 1, after: $after) { nodes { title } } }"
    for _ in range(MAX_FAILURES + 1):
        failed = executors.run(ExecutorChoice.PLANS, document, after="no cursor")
        assert (failed.plan_use, failed.data) == (PlanUse.FALLBACK, None)
    assert executors.run(ExecutorChoice.PLANS, document).plan_use is PlanUse.PLANNED


def test_small_query_overtakes_a_large_one(
    executors: ExecutorRuns, course: CourseTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_runner, "MAX_COST_OF_ONE_HOP", 1)
    finished = []

    async def run(name: str, document: str, **variables: Any) -> Outcome:
        outcome = await executors.execute(ExecutorChoice.PLANS, document, ANONYMOUS, variables)
        finished.append(name)
        return outcome

    async def run_both() -> list[Outcome]:
        large = asyncio.create_task(run("large", TREE, slug=course.slug))
        await asyncio.sleep(0)  # lets the large query begin
        return [await run("small", "{ categories { name } }"), await large]

    outcomes = asyncio.run(run_both())
    assert finished == ["small", "large"]
    assert all(outcome.plan_use == "planned" for outcome in outcomes)


def test_small_query_does_not_wait_for_the_threads_of_large_ones(
    executors: ExecutorRuns, course: CourseTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_runner, "MAX_COST_OF_ONE_HOP", 10)
    released, variables = threading.Event(), {"slug": course.slug}

    def occupy(session: Session) -> None:
        released.wait(60)

    async def run_both() -> Outcome:
        occupied = asyncio.create_task(executors.resources.database.read(occupy, is_large=True))
        large = asyncio.create_task(executors.execute(ExecutorChoice.PLANS, TREE, ANONYMOUS, variables))
        await asyncio.sleep(0)  # lets both begin
        try:
            async with asyncio.timeout(20):
                small = await executors.execute(ExecutorChoice.PLANS, SMALL, ANONYMOUS, variables)
            finished, _ = await asyncio.wait({large}, timeout=0.3)
            assert not finished, "the large query has used a thread of the small ones"
        finally:
            released.set()
        await occupied
        assert (await large).plan_use == "planned"
        return small

    assert asyncio.run(run_both()).plan_use == "planned"


@pytest.mark.parametrize("max_cost_of_one_hop", [0, 500])
def test_failed_plan_keeps_its_database_connection(
    executors: ExecutorRuns, course: CourseTree, monkeypatch: pytest.MonkeyPatch, max_cost_of_one_hop: int
) -> None:
    monkeypatch.setattr(plan_runner, "MAX_COST_OF_ONE_HOP", max_cost_of_one_hop)
    assert executors.run(ExecutorChoice.PLANS, TREE, slug=course.slug).data
    connections: list[Any] = []
    event.listen(executors.resources.database.read_engine, "connect", lambda *opened: connections.append(opened))
    outcome = executors.run(ExecutorChoice.PLANS, '{ courses(after: "nonsense") { nodes { id } } }')
    assert outcome.plan_use == "fallback"
    assert executors.run(ExecutorChoice.PLANS, TREE, slug=course.slug).data
    assert not connections


def test_plans_send_no_more_statements_than_the_executor(executors: ExecutorRuns, course: CourseTree) -> None:
    documents = [
        *(workload.document for workload in WORKLOADS),
        TREE,
        "query ($slug: String!) { a: course(slug: $slug) { id } b: course(slug: $slug) { instructor { fullName } } }",
        "{ courses { totalCount nodes { instructor { courses(first: 2) { totalCount nodes { id } } } } } }",
    ]
    for document in documents:
        outcomes = executors.run_all(document, ANONYMOUS, slug=course.slug, first=10)
        counts = {choice: outcome.statement_count for choice, outcome in outcomes.items()}
        assert outcomes[ExecutorChoice.PLANS].plan_use == "planned", document
        assert counts[ExecutorChoice.PLANS] <= counts[ExecutorChoice.REFERENCE], document


def test_failed_plan_does_not_use_up_the_budget(client: Client, make: Factories) -> None:
    courses = [make.course(sections=1, lectures=1) for _ in range(3)]
    aliases = " ".join(f"d{number}: description" for number in range(20))
    document = f"{{ courses {{ nodes {{ {aliases} instructor {{ email }} }} }} }}"
    body = client.graphql(document)
    assert len(body["data"]["courses"]["nodes"]) == len(courses)
    assert {error["extensions"]["code"] for error in body["errors"]} == {"FORBIDDEN"}


def different_document(number: int) -> str:
    first = number % 90 + 1
    return f"query Q{number} {{ courses(first: {first}) {{ nodes {{ id title instructor {{ fullName }} }} }} }}"


@pytest.mark.slow
def test_plans_of_many_documents_take_little_memory(executors: ExecutorRuns) -> None:
    """`LMS_TEST_ROUNDS=10000` tests as many documents as the cache must bear."""
    cache = PlanCache(schema.graphql_schema, max_fields=4_000)
    sizes = []
    tracemalloc.start()
    try:
        for number in range(race_rounds(150)):
            prepared = executors.documents.parse_and_validate(different_document(number))
            plan = cache.find(prepared.operation(None), NO_VALUES).plan
            assert plan is not None
            plan.write([])
            if number % 50 == 0:
                gc.collect()
                sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert cache.cached_fields <= 4_000
    assert 0 < len(cache) < 100
    assert sizes[-1] < 4_000 * 600
    assert MAX_CACHED_FIELDS * 600 < 50_000_000


@pytest.mark.usefixtures("no_maintenance")  # maintenance leaves a session to the collector
def test_removed_plans_leave_no_reference_cycles(executors: ExecutorRuns) -> None:
    documents = [executors.documents.parse_and_validate(different_document(number)) for number in range(5)]
    cache = PlanCache(schema.graphql_schema)
    for prepared in documents:
        plan = cache.find(prepared.operation(None), NO_VALUES).plan
        assert plan is not None
        plan.write([])
        del plan
    gc.collect()
    gc.disable()
    try:
        cache = PlanCache(schema.graphql_schema)
        documents.clear()
        del prepared
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_signed_in_and_anonymous_viewers_share_a_plan(executors: ExecutorRuns, make: Factories) -> None:
    learner = make.user(Role.LEARNER)
    document = "{ me { id username } courses { nodes { viewerEnrollment { id } } } }"
    for actor, expected in ((ANONYMOUS, None), (Actor(learner.id, learner.role), learner.username)):
        outcome = executors.run(ExecutorChoice.PLANS, document, actor)
        assert (outcome.data["me"] or {}).get("username") == expected
        assert outcome.plan_use == "planned"
