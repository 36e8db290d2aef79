"""Trees from memory are those of the database, for all viewers and after each mutation of the access matrix."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.access_matrix.fixture_objects import VIEWERS
from tests.access_matrix.mutations import cases
from tests.access_matrix.runner import SCHEMA, MatrixRunner
from tests.conftest import disable_maintenance
from tests.live_service import Client, Service, run_service

pytestmark = pytest.mark.slow

TREES = """
query Trees($ids: [ID!]!) {
  nodes(ids: $ids) {
    ... on Course { title status sections { id title updatedAt version lectures { id title updatedAt version } } }
  }
}"""


@pytest.fixture(scope="module")
def runner(running_service: Service) -> Iterator[MatrixRunner]:
    running_service.delete_all_rows()
    with pytest.MonkeyPatch.context() as monkeypatch:
        disable_maintenance(monkeypatch)
        runner = MatrixRunner(running_service)
        yield runner
        runner.client.close()


@pytest.fixture(scope="module")
def clients(running_service: Service) -> Iterator[tuple[Client, Client]]:
    """Return clients of services with and without cached trees, on the database of the runner."""
    settings = running_service.resources.settings
    with (
        run_service(settings) as cached,
        run_service(settings.model_copy(update={"tree_cache_bytes": 0})) as uncached,
    ):
        clients = Client(cached), Client(uncached)
        yield clients
        for client in clients:
            client.close()


def require_same_trees(runner: MatrixRunner, clients: tuple[Client, Client], viewers: list[str]) -> list[Any]:
    """Compare the trees of all courses, and return them for each viewer."""
    ids = [course.global_id for course in runner.objects.of_kind("Course")]
    trees = []
    for viewer in viewers:
        actor = runner.objects.actor(viewer)
        cached, uncached = (client.execute(TREES, actor, ids=ids) for client in clients)
        assert cached == uncached, viewer
        trees.append(cached)
    return trees


def test_viewers_see_their_own_trees(runner: MatrixRunner, clients: tuple[Client, Client]) -> None:
    """Each viewer sees the same trees, in whichever order the viewers read them."""
    viewers = [*VIEWERS, *reversed(VIEWERS)]
    trees = require_same_trees(runner, clients, viewers)
    assert trees[0 : len(VIEWERS)] == trees[: len(VIEWERS) - 1 : -1]
    assert len({str(tree) for tree in trees}) > 3, "staff see empty sections, and not everyone sees all courses"


def test_trees_are_current_after_each_mutation(runner: MatrixRunner, clients: tuple[Client, Client]) -> None:
    assert SCHEMA.mutation_type is not None
    sent = 0
    for case in cases(runner.objects):
        if callable(case.input):
            continue  # it needs a refresh token
        input_type = SCHEMA.mutation_type.fields[case.mutation].args["input"].type
        document = f"mutation ($i: {input_type}) {{ {case.mutation}(input: $i) {{ errors {{ code }} }} }}"
        payload = runner.client.execute(document, runner.objects.actor(case.sender), i=case.input)
        assert payload[case.mutation]["errors"] == [], case
        require_same_trees(runner, clients, ["anonymous", "enrolled", "instructor"])
        sent += 1
    assert sent > 100
