"""Random queries and payloads have the same answers on plans, the reference executor and graphql-core's own."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql import settings
from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Category, Course
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from lms_graphql.demo.builder import build_demo
from lms_graphql.graph.context import PlanUse
from lms_graphql.graph.execution import plan_cache, plan_runner, tree_reads
from lms_graphql.operations import migrations, seed_data
from lms_graphql.operations.database_access import open_database
from lms_graphql.schema import NODE_LOADERS, schema
from lms_graphql.settings import ExecutorChoice, Settings
from tests.concurrency import race_rounds
from tests.graph.executor_runs import ExecutorRuns, run_executors
from tests.graph.random_documents import random_document
from tests.graph.random_payloads import random_outcome

NO_LIMITS = {
    f"limit_{name}": 1_000_000
    for name in ("aliases", "cost", "cost_anonymous", "depth", "directives", "fragments", "root_fields", "tokens")
}
TREES = frozenset({"courses", "nodes", "sections", "lectures"})
"""Names of the fields that lead to what is cached as trees."""
VIEWERS = {"anonymous": None, "learner": Role.LEARNER, "instructor": Role.INSTRUCTOR, "admin": Role.SUPER_ADMIN}


@pytest.fixture(scope="module")
def demo_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Return settings with a database of demo data, without limits of documents."""
    url = f"sqlite:///{tmp_path_factory.mktemp('demo')}/lms.db"
    loaded = settings.load_settings({"LMS_DATABASE_URL": url}, dotenv=Path("/nowhere"))
    with open_database(loaded) as database:
        migrations.migrate(database.engine)
        database.write_sync(lambda session: seed_data.seed(session, "one-for-the-three-of-them"))
        database.write_sync(lambda session: build_demo(session, courses=4, learners=6))
    return loaded.model_copy(update=NO_LIMITS)


@pytest.fixture(scope="module")
def executors(demo_settings: Settings) -> Iterator[ExecutorRuns]:
    with run_executors(schema.graphql_schema, demo_settings) as executors:
        yield executors


@pytest.fixture(scope="module")
def viewers(demo_settings: Settings) -> dict[str, Actor]:
    with open_database(demo_settings) as database:
        rows = database.read_sync(lambda session: session.execute(select(User.email, User.id)).all())
    keys: dict[str | None, int] = dict(rows)
    return {
        name: ANONYMOUS if role is None else Actor(keys[f"{name}@learnwithroko.com"], role)
        for name, role in VIEWERS.items()
    }


@pytest.fixture(scope="module")
def texts(demo_settings: Settings) -> dict[str, list[str]]:
    """Return values for arguments that are texts, by the names of the arguments."""

    def read(session: Session) -> dict[str, list[str]]:
        slugs = [*session.scalars(select(Course.slug).limit(8)), *session.scalars(select(Category.slug).limit(8))]
        return {"slug": slugs, "username": list(session.scalars(select(User.username).limit(8)))}

    with open_database(demo_settings) as database:
        values = database.read_sync(read)
    ids = [global_ids.encode(kind, key) for kind in NODE_LOADERS for key in range(1, 9)]
    return {**values, "id": ids, "search": ["python", "data"]}


@pytest.mark.slow
@pytest.mark.parametrize("object_fields", [None, TREES], ids=["all", "trees"])
@pytest.mark.parametrize("max_cost_of_one_hop", [0, 1_000_000])
def test_random_documents_have_the_same_answers(
    executors: ExecutorRuns,
    viewers: dict[str, Actor],
    texts: dict[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
    max_cost_of_one_hop: int,
    object_fields: frozenset[str] | None,
) -> None:
    monkeypatch.setattr(plan_cache, "MAX_FAILURES", 1_000_000)
    monkeypatch.setattr(plan_runner, "MAX_COST_OF_ONE_HOP", max_cost_of_one_hop)
    monkeypatch.setattr(tree_reads, "MAX_TREES_READ", 1_000)
    uses: Counter[PlanUse] = Counter()
    for seed in range(race_rounds(20)):
        document = random_document(schema.graphql_schema, executors.documents, Random(seed), texts, object_fields)
        for viewer, actor in viewers.items():
            with time_machine.travel(clock.now(), tick=False):  # because attempts show their remaining seconds
                outcomes = executors.run_all(document.text, actor, **document.variables)
                # The first run has stored its trees, which takes additional statements.
                again = executors.run(ExecutorChoice.PLANS, document.text, actor, **document.variables)
            plan, reference, standard = (outcomes[choice] for choice in ExecutorChoice)
            where = f"{seed} {viewer}\n{document.text}\n{document.variables}"
            assert plan.data == reference.data == standard.data, where
            assert plan.errors == reference.errors == standard.errors, where
            assert (again.data, again.errors) == (plan.data, plan.errors), where
            if plan.plan_use is PlanUse.PLANNED:
                assert again.statement_count <= reference.statement_count, where
            else:
                assert plan.errors or plan.plan_use is PlanUse.NONE, f"The plan failed without a reason: {where}"
            uses[plan.plan_use] += 1
    assert uses[PlanUse.PLANNED] > uses.total() / 3, uses
    assert object_fields is None or len(executors.trees) > 50
    assert not uses[PlanUse.NONE], uses


@pytest.mark.slow
def test_payloads_of_all_mutations_have_the_same_answers(
    executors: ExecutorRuns, viewers: dict[str, Actor], texts: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No mutation runs: each executor gets the same payload, or the same error."""
    monkeypatch.setattr(plan_cache, "MAX_FAILURES", 1_000_000)
    graphql_schema, database = schema.graphql_schema, executors.resources.database
    assert graphql_schema.mutation_type is not None
    uses: Counter[PlanUse] = Counter()
    for name in graphql_schema.mutation_type.fields:
        for seed in range(race_rounds(3)):
            random = Random(f"{name} {seed}")
            document = random_document(graphql_schema, executors.documents, random, texts, mutation=name)
            make_outcome = partial(random_outcome, schema=graphql_schema, mutation=name, random=random)
            mutation = database.read_sync(make_outcome)
            for viewer, actor in viewers.items():
                with time_machine.travel(clock.now(), tick=False):
                    outcomes = executors.run_all(document.text, actor, mutation, **document.variables)
                plan, reference, standard = (outcomes[choice] for choice in ExecutorChoice)
                where = f"{seed} {viewer} {mutation}\n{document.text}\n{document.variables}"
                assert plan.data == reference.data == standard.data, where
                assert plan.errors == reference.errors == standard.errors, where
                is_planned = plan.plan_use is PlanUse.PLANNED
                assert is_planned or plan.errors or mutation.payload is None, where
                assert not is_planned or plan.statement_count <= reference.statement_count, where
                uses[plan.plan_use] += 1
    assert uses[PlanUse.PLANNED] > uses.total() / 3, uses
    assert not uses[PlanUse.NONE], uses
