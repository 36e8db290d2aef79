"""All executors return the same responses for all documents of the access matrix."""

from collections.abc import Iterator

import pytest
import time_machine

from lms_graphql.core import clock
from lms_graphql.settings import ExecutorChoice
from tests.access_matrix.runner import MatrixRunner
from tests.conftest import disable_maintenance
from tests.live_service import Client, Service, run_service


@pytest.fixture(scope="module", autouse=True)
def maintenance_is_disabled() -> Iterator[None]:
    """Let no service refresh statistics between two responses that are compared."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        disable_maintenance(monkeypatch)
        yield


@pytest.fixture(scope="module")
def runner(running_service: Service) -> Iterator[MatrixRunner]:
    running_service.delete_all_rows()
    runner = MatrixRunner(running_service)
    yield runner
    runner.client.close()


@pytest.fixture(scope="module", params=[ExecutorChoice.REFERENCE, ExecutorChoice.STANDARD])
def other_client(request: pytest.FixtureRequest, running_service: Service) -> Iterator[Client]:
    """Return a client of a service with another executor, on the same database."""
    settings = running_service.resources.settings.model_copy(update={"executor": request.param})
    with run_service(settings) as service:
        client = Client(service)
        yield client
        client.close()


@pytest.mark.slow
@pytest.mark.sqlite_only  # executors know no database
@pytest.mark.parametrize("viewer", ["cancelled", "instructor"])
def test_executors_return_the_same_responses(runner: MatrixRunner, other_client: Client, viewer: str) -> None:
    actor = runner.objects.actor(viewer)
    for text, selections in runner.documents:
        with time_machine.travel(clock.now(), tick=False):  # because attempts show their remaining seconds
            bodies = [client.graphql(text, as_=actor) for client in (runner.client, other_client)]
        for body in bodies:
            body["errors"] = sorted(body.get("errors", ()), key=str)
        plans, other = bodies
        assert plans == other, selections[0].path
