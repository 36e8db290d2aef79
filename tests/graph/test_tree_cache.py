"""Cached trees: what is stored and for whom, statements, budgets, memory and threads."""

import asyncio
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from graphql import GraphQLObjectType
from sqlalchemy import update

from lms_graphql.catalog.models import Course, CourseStatus, Lecture
from lms_graphql.core import clock
from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from lms_graphql.graph.context import Context
from lms_graphql.graph.execution import response_budget, tree_cache, tree_reads
from lms_graphql.graph.execution.response_budget import BudgetExceededError, ResponseBudget
from lms_graphql.graph.execution.tree_cache import ENTRY_BYTES, Tree, TreeCache, TreeKey
from lms_graphql.graph.schema.strawberry_internals import field_metadata
from lms_graphql.graph.schema.versioned_trees import IN_TREE, TREE
from lms_graphql.schema import schema
from lms_graphql.settings import ExecutorChoice
from tests.concurrency import run_at_once
from tests.factories import CourseTree, Factories
from tests.graph.executor_runs import ExecutorRuns, run_executors
from tests.live_service import Service
from tests.statement_events import listen_to_statements

pytestmark = pytest.mark.sqlite_only

TREE_QUERY = "query ($slug: String!) { course(slug: $slug) { title sections { title lectures { title type } } } }"
LIST_QUERY = "{ courses(first: 20) { nodes { title sections { title lectures { title type } } } } }"


@pytest.fixture
def executors(service: Service) -> Iterator[ExecutorRuns]:
    with run_executors(schema.graphql_schema, service.resources.settings) as executors:
        yield executors


@pytest.fixture
def course(make: Factories) -> CourseTree:
    return make.course(sections=2, lectures=3)


def statement_count(executors: ExecutorRuns, document: str, actor: Actor = ANONYMOUS, **variables: Any) -> int:
    """Return the number of statements of a planned query, whose answer is that of the reference executor."""
    outcome = executors.run(ExecutorChoice.PLANS, document, actor, **variables)
    reference = executors.run(ExecutorChoice.REFERENCE, document, actor, **variables)
    assert outcome.plan_use == "planned"
    assert (outcome.data, outcome.errors) == (reference.data, reference.errors)
    return outcome.statement_count


def test_only_sections_and_lectures_are_declared() -> None:
    """A field that is declared must not depend on the viewer, the time or arguments: see `versioned_trees`."""
    declared = {}
    for graphql_type in schema.graphql_schema.type_map.values():
        for name, definition in graphql_type.fields.items() if isinstance(graphql_type, GraphQLObjectType) else ():
            metadata = field_metadata(definition)
            if TREE in metadata or IN_TREE in metadata:
                declared[f"{graphql_type.name}.{name}"] = TREE in metadata
                assert not definition.args
    assert declared == {"Course.sections": True, "Section.lectures": False}


@pytest.mark.query_budget
def test_second_request_reads_only_the_course(executors: ExecutorRuns, course: CourseTree) -> None:
    counts = [statement_count(executors, TREE_QUERY, slug=course.slug) for _ in range(2)]
    assert counts == [5, 1], "course, sections, lectures and twice the version; then the course"
    with executors.resources.database.engine.begin() as connection:
        connection.execute(update(Course).values(version=Course.version + 1))
    assert statement_count(executors, TREE_QUERY, slug=course.slug) == 5


def test_equal_selections_share_their_trees(executors: ExecutorRuns, course: CourseTree) -> None:
    assert statement_count(executors, TREE_QUERY, slug=course.slug) == 5
    fragment = "fragment S on Section { title lectures { ... on Lecture { title type } } }"
    other = f"query Other($slug: String!) {{ course(slug: $slug) {{ sections {{ ...S }} id }} }} {fragment}"
    assert statement_count(executors, other, slug=course.slug) == 1
    for selection in (
        "title lectures { type title }",
        "title lectures { title description }",
        "title lectures { title: type type }",
        "name: title lectures { title type }",
        "title others: lectures { title type }",
        "title lectures { title type } __typename",
    ):
        document = f"query ($slug: String!) {{ course(slug: $slug) {{ sections {{ {selection} }} }} }}"
        assert statement_count(executors, document, slug=course.slug) == 5, selection
    assert len(executors.trees) == 7


@pytest.mark.parametrize("field", ["lock { reason }", "content { body }", "course { title }", "next { id }"])
def test_other_fields_below_are_read_each_time(executors: ExecutorRuns, course: CourseTree, field: str) -> None:
    document = f"query ($slug: String!) {{ course(slug: $slug) {{ sections {{ lectures {{ title {field} }} }} }} }}"
    counts = {statement_count(executors, document, slug=course.slug) for _ in range(2)}
    assert len(counts) == 1
    assert len(executors.trees) == 0


def test_only_published_courses_of_others_are_cached(executors: ExecutorRuns, make: Factories) -> None:
    draft, published, archived = (make.course(status=status, lectures=2) for status in CourseStatus)
    make.section(published, order_index=9)  # an empty one, which only course staff see
    document = "query ($id: ID!) { node(id: $id) { ... on Course { sections { title lectures { title } } } } }"
    admin = make.actor(make.user(Role.SUPER_ADMIN))
    for course in (draft, archived, published):
        for actor in (make.actor(course.instructor), admin):
            counts = [statement_count(executors, document, actor, id=course.global_id) for _ in range(2)]
            assert counts == [3, 3]
    learner = make.user()
    make.enrollment(learner, archived)
    assert statement_count(executors, document, make.actor(learner), id=archived.global_id) == 3
    assert len(executors.trees) == 0
    for actor in (make.actor(make.user()), make.actor(draft.instructor), ANONYMOUS):
        statement_count(executors, document, actor, id=published.global_id)
    assert len(executors.trees) == 1
    assert statement_count(executors, document, admin, id=published.global_id) == 3


def test_zero_bytes_switch_the_cache_off(service: Service, course: CourseTree) -> None:
    settings = service.resources.settings.model_copy(update={"tree_cache_bytes": 0})
    with run_executors(schema.graphql_schema, settings) as executors:
        assert [statement_count(executors, TREE_QUERY, slug=course.slug) for _ in range(2)] == [3, 3]


def test_large_list_stores_some_trees_each_time(executors: ExecutorRuns, make: Factories) -> None:
    for _ in range(15):
        make.course(lectures=1)
    assert statement_count(executors, LIST_QUERY) == 7, "courses, ten trees with versions, sections and lectures"
    assert len(executors.trees) == tree_reads.MAX_TREES_READ == 10
    assert statement_count(executors, LIST_QUERY) == 5
    assert len(executors.trees) == 15
    assert statement_count(executors, LIST_QUERY) == 1


@pytest.mark.parametrize("moment", ["FROM courses", "FROM sections", "FROM lectures"])
def test_tree_that_changes_while_it_is_read_is_not_stored(
    executors: ExecutorRuns, course: CourseTree, moment: str
) -> None:
    database, seen = executors.resources.database, list[str]()

    def change(*event: Any) -> None:
        """Change the course before the first of these statements that belongs to a tree."""
        text = str(event)
        if moment in text and "slug" not in text and not seen:
            seen.append(text)
            with database.engine.begin() as connection:
                connection.execute(update(Lecture).values(title="Changed"))
                connection.execute(update(Course).values(version=Course.version + 1))

    with listen_to_statements((database.read_engine,), change):
        executors.run(ExecutorChoice.PLANS, TREE_QUERY, slug=course.slug)
    assert seen
    assert len(executors.trees) == 0
    assert statement_count(executors, TREE_QUERY, slug=course.slug) == 5


def test_tree_of_a_node_that_lags_behind_is_not_stored(executors: ExecutorRuns, course: CourseTree) -> None:
    """The course comes from one node of a cluster. Then another one has the version only after it was read."""
    database, versions = executors.resources.database, iter((course.row.version - 1, course.row.version))

    def set_version(*event: Any) -> None:
        if "FROM courses" in str(event) and "slug" not in str(event):
            values = {"version": next(versions), "updated_at": Course.updated_at}
            with database.engine.begin() as connection:
                connection.execute(update(Course).values(values))

    with listen_to_statements((database.read_engine,), set_version):
        executors.run(ExecutorChoice.PLANS, TREE_QUERY, slug=course.slug)
    assert next(versions, None) is None
    assert len(executors.trees) == 0


def outcome_within(executors: ExecutorRuns, choice: ExecutorChoice, cost: int, document: str) -> str:
    """Return the message with which the query exceeds the budget of this cost, or OK."""

    async def run() -> str:
        context = Context(executors.resources, ANONYMOUS, "127.0.0.1")
        context.budget = ResponseBudget(cost, 60)
        operation = executors.documents.prepare(document).operation(None)
        try:
            await executors.runners[choice].run(operation, {}, context, operation.costs.total({}))
        except BudgetExceededError as error:
            return str(error)
        finally:
            context.close()
        return "OK"

    return asyncio.run(run())


def test_trees_from_memory_count_as_objects(executors: ExecutorRuns, make: Factories, course: CourseTree) -> None:
    make.course(lectures=4)
    costs = range(1, 8)
    expected = [outcome_within(executors, ExecutorChoice.REFERENCE, cost, LIST_QUERY) for cost in costs]
    assert {outcome.partition(".")[0] for outcome in expected} == {"OK", "The response has too many objects"}
    for _ in range(3):  # without trees, with the first one, with all
        assert [outcome_within(executors, ExecutorChoice.PLANS, cost, LIST_QUERY) for cost in costs] == expected
    assert len(executors.trees) == 2


def test_trees_from_memory_count_their_characters(
    executors: ExecutorRuns, make: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.course("Course", sections=2, lectures=3)
    document = "{ courses { nodes { title sections { title lectures { title } } } } }"
    characters = len("Course") + 2 * len("Section 0") + 6 * len("Lecture 0")
    for limit, expected in ((characters - 1, "The response is too long"), (characters, "OK")):
        monkeypatch.setattr(response_budget, "MAX_CHARACTERS", limit)
        for choice in (ExecutorChoice.REFERENCE, ExecutorChoice.PLANS, ExecutorChoice.PLANS):
            assert outcome_within(executors, choice, 1_000, document).startswith(expected), choice


def a_key(number: int) -> TreeKey:
    return TreeKey(number.to_bytes(32), number, (number, clock.now() + timedelta(seconds=number)))


def test_ten_thousand_trees_stay_within_their_memory() -> None:
    random, max_bytes = Random(1), 8_000_000
    cache = TreeCache(max_bytes)
    tracemalloc.start()
    try:
        for number in range(10_000):
            cache.store(a_key(number), Tree(bytes(random.randint(2, 5_000)), number * 1_000, number * 1_000))
        allocated = tracemalloc.take_snapshot().filter_traces(
            [tracemalloc.Filter(True, __file__), tracemalloc.Filter(True, tree_cache.__file__)]
        )
    finally:
        tracemalloc.stop()
    assert 0.9 * max_bytes < cache.bytes <= max_bytes
    memory = sum(trace.size for trace in allocated.traces)
    assert 0.9 * cache.bytes < memory < 1.02 * max_bytes


def test_tree_that_was_not_used_is_removed_first() -> None:
    keys = [a_key(number) for number in range(4)]
    cache = TreeCache(20_000)
    for key in keys[:3]:
        cache.store(key, Tree(b"x" * 5_000, 1, 1))
    assert cache.find(keys[0])
    cache.store(keys[3], Tree(b"x" * 5_000, 1, 1))
    assert [cache.find(key) is not None for key in keys] == [True, False, True, True]
    cache.store(a_key(9), Tree(b"x" * 30_000, 1, 1))
    assert len(cache) == 3, "what does not fit removes nothing"


def test_threads_share_a_cache() -> None:
    cache = TreeCache(100_000)
    keys = [a_key(number) for number in range(60)]
    trees = [Tree(bytes([number]) * 3_000, number, number) for number in range(60)]

    def work(seed: int) -> None:
        random = Random(seed)
        for _ in range(2_000):
            number = random.randrange(60)
            assert cache.find(keys[number]) in (None, trees[number])
            cache.store(keys[number], trees[number])

    run_at_once(*(lambda seed=seed: work(seed) for seed in range(4)))
    assert cache.bytes == sum(len(tree.json) + ENTRY_BYTES for tree in cache._trees.values()) <= 100_000
