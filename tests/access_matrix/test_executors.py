"""All executors return the same responses for all documents of the access matrix."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import time_machine

from lms_graphql.core import clock
from lms_graphql.core.actor import Actor
from lms_graphql.settings import ExecutorChoice
from tests.access_matrix.runner import MatrixRunner
from tests.conftest import disable_maintenance
from tests.live_service import Client, Service, client_with


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


@pytest.fixture(scope="module")
def other_clients(running_service: Service) -> Iterator[dict[ExecutorChoice, Client]]:
    """Return clients of services with the other executors, on the same database."""
    settings = running_service.resources.settings
    with ExitStack() as stack:
        yield {
            executor: stack.enter_context(client_with(settings, executor=executor))
            for executor in (ExecutorChoice.REFERENCE, ExecutorChoice.STANDARD)
        }


def response_body(client: Client, text: str, actor: Actor) -> Any:
    body = client.graphql(text, as_=actor)
    return {**body, "errors": sorted(body.get("errors", ()), key=str)}


@pytest.mark.slow
@pytest.mark.sqlite_only  # executors know no database
@pytest.mark.parametrize("viewer", ["cancelled", "instructor"])
def test_executors_return_the_same_responses(
    runner: MatrixRunner, other_clients: dict[ExecutorChoice, Client], viewer: str
) -> None:
    actor = runner.objects.actor(viewer)
    for text, selections in runner.documents:
        with time_machine.travel(clock.now(), tick=False):  # because attempts show their remaining seconds
            plans = response_body(runner.client, text, actor)
            for executor, client in other_clients.items():
                assert response_body(client, text, actor) == plans, (executor, selections[0].path)
