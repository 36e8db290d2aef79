"""Cost and SQL statements of the pages: one request for each, and as many statements for few rows as for many."""

import itertools
import re
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lms_graphql.accounts.models import User
from tests.auth import SessionIssuer
from tests.clients.documents import compile_documents, operations, relay_operations
from tests.clients.school import SchoolFactory
from tests.demo_service import run_demo_service, seed_user_token
from tests.factories import Factories
from tests.live_service import Client, Service, StatementRecorder

pytestmark = [pytest.mark.slow, pytest.mark.query_budget]

FEW, MANY, PAGE_SIZE = 3, 21, 20
RELAY_NAMES = {
    "Catalog": "CatalogPageQuery",
    "CoursePage": "CoursePageQuery",
    "Player": "PlayerPageQuery",
    "LearnerDashboard": "LearnerPageQuery",
    "InstructorDashboard": "InstructorPageQuery",
}
COSTS = {
    "Catalog": 2181,
    "CoursePage": 265,
    "Player": 393,
    "LearnerDashboard": 2569,
    "InstructorDashboard": 655,
}
"""Costs with `PAGE_SIZE` items. The API guide has them, too."""
MAX_STATEMENTS = {"Catalog": 12, "CoursePage": 27, "Player": 27, "LearnerDashboard": 23, "InstructorDashboard": 34}
"""Checks of tokens are included. Loads of one type that come together share a statement: a page may take fewer."""
COURSE = "python-from-zero"
FIRST_LECTURE = f'{{ course(slug: "{COURSE}") {{ sections {{ lectures {{ id }} }} }} }}'
NAMED_PARAMETER = re.compile(r"%\(\w+\)s")
KEYS = re.compile(r"\((?:\?|%s)(?:, (?:\?|%s))*\)")


class Answer(NamedTuple):
    """Cost of a page, the number of its statements, and their texts without the number of keys."""

    cost: int
    statement_count: int
    statements: set[str]


class Pages:
    """The pages of a service, as Apollo Client, urql and Relay ask for them."""

    def __init__(self, service: Service, client: Client, make: Factories, relay_documents: dict[str, str]) -> None:
        self.service, self.client, self.make = service, client, make
        self.documents = {**operations(), **relay_documents}
        self.recorder = StatementRecorder(service.database)

    def answers(self, size: int) -> dict[str, Answer]:
        """Return what each operation took in a school of this size."""
        self.service.delete_all_rows()
        school = SchoolFactory(self.make, self.service, size).build()
        answers = {}
        for page, variables in school.variables(PAGE_SIZE).items():
            token = self._token(school.viewer(page))
            answers[page] = self._answer(page, token, variables)
            relay_variables = {{"first": "count"}.get(name, name): value for name, value in variables.items()}
            answers[RELAY_NAMES[page]] = self._answer(RELAY_NAMES[page], token, relay_variables)
        return answers

    def _answer(self, operation: str, token: str | None, variables: dict[str, Any]) -> Answer:
        with self.recorder:
            body = self.client.graphql(self.documents[operation], bearer=token, **variables)
        assert "errors" not in body, (operation, body["errors"])
        texts = self.recorder.texts
        return Answer(body["extensions"]["cost"], len(texts), set(map(_without_keys, texts)))

    def _token(self, user: User | None) -> str | None:
        resources = self.service.resources
        issuer = SessionIssuer(self.service.database, resources.settings, resources.signer)
        return issuer.sign_in(user).access_token if user else None


def _without_keys(text: str) -> str:
    """Return the text in the form that SQLAlchemy and MySQL's drivers share, whatever the number of keys."""
    return KEYS.sub("%s", NAMED_PARAMETER.sub("%s", text))


@pytest.fixture(scope="module")
def relay_documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return relay_operations(compile_documents(tmp_path_factory.mktemp("relay")))


@pytest.fixture
def pages(
    service: Service, client: Client, make: Factories, relay_documents: dict[str, str], no_maintenance: None
) -> Pages:
    return Pages(service, client, make, relay_documents)


def test_pages_take_the_same_statements_for_few_and_many_rows(pages: Pages) -> None:
    few, many = pages.answers(FEW), pages.answers(MANY)
    for operation, answer in few.items():
        assert many[operation].statements == answer.statements, operation
    maximums = MAX_STATEMENTS | {RELAY_NAMES[page]: maximum for page, maximum in MAX_STATEMENTS.items()}
    counts = {operation: answer.statement_count for operation, answer in many.items()}
    assert {operation: count for operation, count in counts.items() if count > maximums[operation]} == {}


@pytest.mark.sqlite_only
def test_pages_cost_less_than_half_of_the_limit(pages: Pages) -> None:
    settings = pages.service.resources.settings
    limits = dict.fromkeys(RELAY_NAMES, settings.limit_cost) | {"Catalog": settings.limit_cost_anonymous}
    answers = pages.answers(1)
    assert {page: answers[page].cost for page in COSTS} == COSTS
    for page, limit in limits.items():
        assert max(answers[page].cost, answers[RELAY_NAMES[page]].cost) * 2 <= limit, page


@pytest.mark.sqlite_only
def test_pages_have_no_errors_for_any_seed_user(tmp_path: Path) -> None:
    with run_demo_service(tmp_path, learners=5) as demo, closing(Client(demo)) as client:
        tokens = {name: seed_user_token(client, name) for name in ("learner", "instructor", "admin")}
        lecture = client.execute(FIRST_LECTURE)["course"]["sections"][0]["lectures"][0]
        variables = {"CoursePage": {"slug": COURSE}, "Player": {"lectureId": lecture["id"]}}
        for page, viewer in itertools.product(RELAY_NAMES, (None, *tokens)):
            token = tokens.get(viewer or "")
            data = client.execute(operations()[page], bearer=token, **variables.get(page, {}))
            missing = [name for name, value in data.items() if value is None]
            assert missing == ([] if viewer else ["me"]), (page, viewer)
