"""Lost connections at each statement of a planned query: what was not read is read again."""

import pytest

from lms_graphql.graph.execution import plan_runner
from tests.error_injection import ErrorInjector, InjectedError
from tests.factories import Factories
from tests.live_service import Client, Service, StatementRecorder

pytestmark = pytest.mark.parametrize(
    "service_settings", [pytest.param("mariadb", marks=pytest.mark.slow)], indirect=True
)
TREE = "query ($slug: String!) { course(slug: $slug) { title sections { title lectures { title next { title } } } } }"
LEVELS = 5
"""The course, its sections, their lectures, the neighbours of those, and the next lectures."""


@pytest.mark.parametrize("max_cost_of_one_hop", [0, 500])
def test_lost_connection_is_retried_at_the_level_that_was_not_read(
    service: Service,
    client: Client,
    make: Factories,
    statements: StatementRecorder,
    monkeypatch: pytest.MonkeyPatch,
    max_cost_of_one_hop: int,
) -> None:
    monkeypatch.setattr(plan_runner, "MAX_COST_OF_ONE_HOP", max_cost_of_one_hop)
    slug = make.course(sections=2, lectures=2).slug
    expected = client.execute(TREE, slug=slug)  # opens the connection, which sends statements of its own
    with statements:
        assert client.execute(TREE, slug=slug) == expected
    assert len(statements.texts) == LEVELS
    for number in range(1, LEVELS + 1):
        with statements, ErrorInjector(service.database, InjectedError.CONNECTION_LOST).inject_at(number):
            assert client.execute(TREE, slug=slug) == expected
        assert len(statements.texts) == LEVELS + 1, "one statement is sent twice"
