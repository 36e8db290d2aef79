"""`LMS_EXECUTOR`: the HTTP endpoint responds alike with each executor."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from lms_graphql import settings
from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.errors import OperatorError
from lms_graphql.graph.context import ReadContext
from lms_graphql.graph.execution import response_budget
from lms_graphql.settings import ExecutorChoice, Settings
from tests.factories import Factories
from tests.live_service import ACTOR_HEADER, Client, LogCapture, Service, run_service

pytestmark = [pytest.mark.slow, pytest.mark.sqlite_only]

GRAPHQL_JSON = "application/graphql-response+json"
COURSE = "query Course($slug: String!) { course(slug: $slug) { ...C } } fragment C on Course { "
RENAME = "updateProfile(input: $input) { user { id firstName fullName } errors { code message path } }"
REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "tree": (COURSE + "id title sections { title lectures { id title lock { reason } content { body } } } }", {}),
    "nested objects": (COURSE + "instructor { fullName courses { nodes { title } } } category { slug } }", {}),
    "page": ("{ courses(first: 2) { totalCount edges { cursor node { title } } pageInfo { hasNextPage } } }", {}),
    "last page": ("query P($n: Int) { courses(last: $n) { nodes { id createdAt price { amount } } } }", {"n": 1.0}),
    "node": ("query N($id: ID!) { node(id: $id) { __typename id ... on Course { title status } } }", {}),
    "nodes": ('query N($id: ID!) { nodes(ids: [$id, "nothing"]) { id ... on Course { slug } } }', {}),
    "skipped field": ("query S($no: Boolean = false) { courses { nodes { id title @include(if: $no) } } }", {}),
    "introspection": ("{ __schema { types { name fields { name type { name } } } } }", {}),
    "field without permission": (COURSE + "title instructor { email } publishProblems { message } }", {}),
    "root field without permission": ("{ users { totalCount } categories { id } }", {}),
    "bad cursor": ('{ courses(after: "nothing") { nodes { id } } }', {}),
    "bad variable": ("query P($n: Int) { courses(first: $n) { totalCount } }", {"n": "many"}),
    "invalid document": ("{ courses { nothing } }", {}),
    "syntax error": ("{ courses", {}),
    "too much cost": ("{ courses(first: 99) { nodes { sections { lectures { id } } } } }", {}),
    "mutation": (f"mutation M($input: UpdateProfileInput!) {{ {RENAME} }}", {"input": {"firstName": "Grace"}}),
    "serial mutations": (
        f"mutation M($input: UpdateProfileInput!) {{ first: {RENAME} second: {RENAME} }}",
        {"input": {"lastName": "Hopper"}},
    ),
    "mutation with user errors": (
        f"mutation M($input: UpdateProfileInput!) {{ {RENAME} }}",
        {"input": {"firstName": "x" * 101}},
    ),
    "mutation without permission": ('mutation { deleteCategory(input: {categoryId: "x"}) { deletedId } }', {}),
}


OTHERS = [ExecutorChoice.REFERENCE, ExecutorChoice.STANDARD]


@pytest.fixture(scope="module")
def other_services(service_settings: Settings) -> Iterator[dict[ExecutorChoice, Service]]:
    """Run services with the other executors, on the same database as the service with plans."""
    with ExitStack() as stack:
        yield {
            choice: stack.enter_context(run_service(service_settings.model_copy(update={"executor": choice})))
            for choice in OTHERS
        }


@pytest.fixture
def clients(
    other_services: dict[ExecutorChoice, Service], service: Service, client: Client
) -> Iterator[dict[ExecutorChoice, Client]]:
    """Return a client for each executor, with an empty database."""
    assert service.resources.settings.executor is ExecutorChoice.PLANS
    others = {choice: Client(other) for choice, other in other_services.items()}
    yield {ExecutorChoice.PLANS: client, **others}
    for other in others.values():
        other.close()


@pytest.fixture(params=ExecutorChoice)
def each_client(request: pytest.FixtureRequest, clients: dict[ExecutorChoice, Client]) -> Client:
    return clients[request.param]


def comparable(response: httpx.Response) -> Any:
    """Return status, headers and body. Errors are sorted, and random ids of internal errors are left out."""
    body = response.json()
    for error in body.get("errors", ()):
        error["extensions"].pop("id", None)
    body["errors"] = sorted(body.get("errors", ()), key=str)
    varying = {"date", "content-length", "x-request-id"}
    headers = {name: value for name, value in response.headers.items() if name not in varying}
    return response.status_code, headers, body


def send(client: Client, document: str, variables: dict[str, Any], actor: Actor | None = None) -> httpx.Response:
    headers = {"accept": GRAPHQL_JSON}
    if actor is not None:
        headers[ACTOR_HEADER] = f"{actor.key}:{actor.role}"
    return client.post({"query": document, "variables": variables}, headers=headers)


@pytest.mark.parametrize("role", [None, Role.LEARNER, Role.SUPER_ADMIN])
@pytest.mark.parametrize("name", REQUESTS)
def test_executors_return_equal_http_responses(
    clients: dict[ExecutorChoice, Client], make: Factories, name: str, role: Role | None
) -> None:
    course = make.course(sections=2, lectures=2, category=make.category())
    for _ in range(2):
        make.course(instructor=course.instructor)
    actor = None if role is None else make.actor(make.user(role))
    document, variables = REQUESTS[name]
    variables = {"slug": course.slug, "id": course.global_id, **variables}
    plans, reference, standard = (
        comparable(send(clients[choice], document, variables, actor)) for choice in ExecutorChoice
    )
    assert plans == reference == standard


def test_unexpected_exceptions_are_masked(
    each_client: Client, monkeypatch: pytest.MonkeyPatch, captured_log: LogCapture
) -> None:
    def fail(self: ReadContext, id: str) -> Any:
        raise LookupError("secret")

    monkeypatch.setattr(ReadContext, "node", fail)
    response = send(each_client, '{ node(id: "x") { id } categories { id } }', {})
    assert response.status_code == 200
    assert response.json()["data"] == {"node": None, "categories": []}
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL_ERROR"
    assert "secret" not in response.text
    assert error["extensions"]["id"] in captured_log.text


def test_disappeared_row_is_null_and_unavailable(each_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    row = SimpleNamespace(kind="Course", key=1, id="x", title=None)
    monkeypatch.setattr(ReadContext, "node", lambda *_: row)
    response = send(each_client, '{ node(id: "x") { id ... on Course { title } } }', {})
    assert (response.status_code, response.json()["data"]) == (503, {"node": None})
    (error,) = response.json()["errors"]
    assert (error["path"], error["extensions"]) == (["node", "title"], {"code": "UNAVAILABLE"})


def test_too_many_errors_reject_the_request(each_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_budget, "MAX_ERRORS", 3)
    document = "{ " + " ".join(f"a{number}: instructorApplications {{ totalCount }}" for number in range(4)) + " }"
    response = send(each_client, document, {})
    assert response.status_code == 400
    assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["QUERY_TOO_COMPLEX"]
    assert "data" not in response.json()


@pytest.mark.slow
@pytest.mark.parametrize("executor", ExecutorChoice)
def test_request_ends_at_the_deadline(
    service_settings: Settings, monkeypatch: pytest.MonkeyPatch, executor: ExecutorChoice
) -> None:
    monkeypatch.setattr(ReadContext, "node", lambda *_: asyncio.sleep(30))
    short_limit_settings = service_settings.model_copy(update={"executor": executor, "limit_seconds": 1})
    with run_service(short_limit_settings) as service:
        client = Client(service)
        response = send(client, '{ node(id: "x") { id } }', {})
        client.close()
    assert response.status_code == 504
    assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["TIMEOUT"]


def test_environment_chooses_the_executor() -> None:
    def chosen(**environment: str) -> ExecutorChoice:
        return settings.load_settings(environment, dotenv=Path("/nowhere")).executor

    assert chosen() is ExecutorChoice.PLANS
    assert chosen(LMS_EXECUTOR="reference") is ExecutorChoice.REFERENCE
    assert chosen(LMS_EXECUTOR="standard") is ExecutorChoice.STANDARD
    with pytest.raises(OperatorError, match="LMS_EXECUTOR"):
        chosen(LMS_EXECUTOR="quick")
