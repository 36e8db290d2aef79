"""Limits of time, memory and concurrency that hold for each request, whatever it selects."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pymysql
import pytest
from graphql import GraphQLError, build_schema, execute, execute_sync, parse
from sqlalchemy.exc import OperationalError

from lms_graphql import settings
from lms_graphql.core.actor import ANONYMOUS
from lms_graphql.core.errors import RequestError, RequestErrorCode
from lms_graphql.graph import error_formatting
from lms_graphql.graph.context import Context
from lms_graphql.graph.execution.executor import ReferenceExecutor
from lms_graphql.graph.execution.response_budget import BudgetExceededError, ResponseBudget
from lms_graphql.schema import schema
from lms_graphql.settings import Settings
from tests.factories import Factories
from tests.live_service import Client, Service, run_service

pytestmark = pytest.mark.sqlite_only

GRAPHQL_JSON = "application/graphql-response+json"


def post_within_limits(client: Client, document: str, **variables: Any) -> httpx.Response:
    """Return the response. It must take at most 5 seconds of this process's CPU and be shorter than 25 MB."""
    started = time.process_time()
    headers = {"accept": GRAPHQL_JSON}
    response = client.post({"query": document, "variables": variables}, headers=headers)
    assert time.process_time() - started < 5
    assert len(response.content) < 25_000_000
    return response


def codes(response: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in response.json()["errors"]]


def test_too_many_errors_are_rejected_early(client: Client, make: Factories) -> None:
    instructor = make.course(lectures=0).instructor
    for _ in range(39):
        make.course(instructor=instructor, lectures=0)
    aliases = " ".join(f"a{number}: email" for number in range(25))
    instructors = f"nodes {{ instructor {{ {aliases} }} }}"
    document = f"{{ courses(first: 40) {{ nodes {{ instructor {{ courses(first: 40) {{ {instructors} }} }} }} }} }}"
    response = post_within_limits(client, document)
    assert (response.status_code, codes(response)) == (400, ["QUERY_TOO_COMPLEX"])
    assert "data" not in response.json()


def test_forbidden_fields_do_not_fail_the_page(client: Client, make: Factories) -> None:
    for _ in range(30):
        make.course(lectures=0)
    body = client.graphql("{ courses(first: 30) { nodes { title instructor { email lastLoginAt } } } }")
    assert len(body["data"]["courses"]["nodes"]) == 30
    assert {error["extensions"]["code"] for error in body["errors"]} == {"FORBIDDEN"}
    assert len(body["errors"]) == 60


def test_long_lists_without_pages_are_rejected_early(client: Client, make: Factories) -> None:
    course = make.course(sections=100, lectures=1)
    nested = "sections { course { sections { course { sections { id title price: course { id } } } } } }"
    document = f"query Q($slug: String!) {{ course(slug: $slug) {{ {nested} }} }}"
    response = post_within_limits(client, document, slug=course.slug)
    assert (response.status_code, codes(response)) == (400, ["QUERY_TOO_COMPLEX"])


def test_too_long_response_is_rejected(client: Client, make: Factories) -> None:
    for _ in range(90):
        make.course(lectures=0, description="long " * 2_000)
    allowed = post_within_limits(client, "{ courses(first: 90) { nodes { description } } }")
    assert len(allowed.content) > 900_000
    aliases = " ".join(f"a{number}: description" for number in range(29))
    response = post_within_limits(client, f"{{ courses(first: 90) {{ nodes {{ {aliases} }} }} }}")
    assert (response.status_code, codes(response)) == (400, ["QUERY_TOO_COMPLEX"])


def test_deadline_ends_execution_between_objects() -> None:
    context = SimpleNamespace(budget=ResponseBudget(cost=100, seconds=-1))
    with pytest.raises(BudgetExceededError) as raised:
        execute(
            schema.graphql_schema,
            parse("{ __schema { types { name } } }"),
            executor_class=ReferenceExecutor,
            context_value=context,
        )
    assert raised.value.code is RequestErrorCode.TIMEOUT


def test_introspection_is_within_the_anonymous_budget(client: Client) -> None:
    from graphql import get_introspection_query

    units = 100_000
    budget = ResponseBudget(cost=units // 10, seconds=10)
    execute(
        schema.graphql_schema,
        parse(get_introspection_query()),
        executor_class=ReferenceExecutor,
        context_value=SimpleNamespace(budget=budget),
    )
    assert budget._units > units / 3, "the schema may grow"


def test_long_documents_are_not_cached(service: Service, client: Client) -> None:
    before = len(service.documents)
    for number in range(5):
        client.execute(f"query Q{number} {{ categories {{ id }} }} #{'x' * 20_000}")
    assert len(service.documents) == before


def test_error_message_shortens_long_names(client: Client) -> None:
    for document in (f"{{ {'x' * 9_000} }}", f"{{ courses(filter: {{ {'y' * 9_000}: 1 }}) {{ totalCount }} }}"):
        assert len(client.post({"query": document}).content) < 1_000


def test_number_of_many_digits_is_rejected_by_graphql(client: Client) -> None:
    document = "{ courses(first: " + "9" * 9_000 + ") { totalCount } }"
    text = client.post({"query": document}).text
    assert "BAD_USER_INPUT" in text or "GRAPHQL_VALIDATION_FAILED" in text
    assert "int_max_str_digits" not in text


TIMEOUT_SECONDS = 60
"""How long a condition may take on a busy machine."""


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def post(service: Service, body: dict[str, Any]) -> httpx.Response:
    return httpx.post(f"{service.url}/graphql", json=body, timeout=TIMEOUT_SECONDS)


@contextlib.contextmanager
def busy_database_threads(
    service: Service, pool: ThreadPoolExecutor, queued: int = 0, is_large: bool = False
) -> Iterator[None]:
    """Keep the threads that read for requests busy until the block ends, with more reads in their queue."""
    done, begun = threading.Event(), threading.Semaphore(0)

    def occupy(_: object) -> None:
        begun.release()
        done.wait(TIMEOUT_SECONDS)

    threads = service.resources.settings.worker_threads // (2 if is_large else 1)
    for _ in range(threads + queued):
        pool.submit(lambda: asyncio.run(service.database.read(occupy, is_large=is_large)))
    try:
        for _ in range(threads):
            assert begun.acquire(timeout=TIMEOUT_SECONDS)
        yield
    finally:
        done.set()


def send_partial_request(service: Service, size: int = 1) -> socket.socket:
    """Return the connection of a request of which only so many bytes were sent."""
    host, port = service.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=TIMEOUT_SECONDS)
    head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    connection.sendall(f"{head}content-length: {size + 500}\r\n\r\n{{".encode() + b" " * (size - 1))
    return connection


@pytest.mark.slow
def test_incomplete_body_returns_408(service_settings: Settings) -> None:
    with (
        run_service(service_settings.model_copy(update={"limit_seconds": 1})) as service,
        send_partial_request(service) as connection,
    ):
        response = connection.recv(10_000).decode()
    assert response.startswith("HTTP/1.1 408")
    assert '"TIMEOUT"' in response


def test_excess_requests_in_flight_return_503_at_once(service_settings: Settings) -> None:
    restricted_settings = service_settings.model_copy(update={"limit_in_flight": 1, "limit_seconds": TIMEOUT_SECONDS})
    body = {"query": "{ categories { id } }"}
    with run_service(restricted_settings) as service, ThreadPoolExecutor(6) as pool:
        with busy_database_threads(service, pool):
            requests = {pool.submit(post, service, body) for _ in range(2)}
            rejected, waiting = wait(requests, TIMEOUT_SECONDS, FIRST_COMPLETED)
            assert (len(rejected), len(waiting)) == (1, 1), "while the other request is in flight"
        (accepted,), (response,) = [future.result() for future in waiting], [future.result() for future in rejected]
    assert accepted.status_code == 200
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert codes(response) == ["UNAVAILABLE"]


def test_incomplete_requests_do_not_block_others(service: Service) -> None:
    with contextlib.ExitStack() as connections:
        for _ in range(100):
            connections.enter_context(send_partial_request(service))
        time.sleep(0.2)
        response = post(service, {"query": "{ categories { id } }"})
    assert response.status_code == 200


@pytest.mark.slow
def test_incomplete_large_requests_block_only_large_ones(service_settings: Settings) -> None:
    body = {"query": "{ categories { id } }"}
    large = {**body, "variables": {"unused": "x" * 200_000}}
    with run_service(service_settings.model_copy(update={"limit_seconds": 300})) as service:
        assert post(service, large).status_code == 200
        with contextlib.ExitStack() as connections:
            for _ in range(64):
                connections.enter_context(send_partial_request(service, 150_000))
            wait_until(lambda: post(service, large).status_code == 503)
            rejected = post(service, large)
            assert (codes(rejected), rejected.headers["retry-after"]) == (["UNAVAILABLE"], "1")
            assert post(service, body).status_code == 200
        wait_until(lambda: post(service, large).status_code == 200)


@pytest.mark.slow
def test_long_database_queue_returns_503_but_stays_ready(service_settings: Settings) -> None:
    with run_service(service_settings) as service:
        with ThreadPoolExecutor(8) as pool, busy_database_threads(service, pool, queued=4):
            wait_until(lambda: service.database.read_queue_seconds() > 0.5)
            response = post(service, {"query": "{ categories { id } }"})
            # A slow machine may miss some answers.
            wait_until(lambda: httpx.get(f"{service.url}/health/ready", timeout=TIMEOUT_SECONDS).status_code == 200)
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert post(service, {"query": "{ categories { id } }"}).status_code == 200


@pytest.mark.slow
def test_long_queue_of_large_queries_rejects_only_large_ones(service_settings: Settings) -> None:
    large = {"query": "{ courses(first: 50) { nodes { sections { lectures { id } } } } }"}
    with run_service(service_settings.model_copy(update={"limit_queue_milliseconds": 10})) as service:
        with ThreadPoolExecutor(8) as pool, busy_database_threads(service, pool, queued=1, is_large=True):
            wait_until(lambda: service.database.read_queue_seconds(is_large=True) > 0.01)
            response = post(service, large)
            assert post(service, {"query": "{ categories { id } }"}).status_code == 200
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert response.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
        assert post(service, large).status_code == 200


def test_database_statement_timeout_returns_timeout_code() -> None:
    for code in (1969, 3024):
        timeout = OperationalError("SELECT", {}, pymysql.err.OperationalError(code, "too long"))
        error = GraphQLError("x", original_error=timeout)
        assert error_formatting.from_field_error(error).extensions == {"code": "TIMEOUT"}


def test_disappeared_row_is_unavailable() -> None:
    """A course may be unpublished after its lectures are read and before the course of each lecture is."""
    lecture_schema = build_schema(
        "type Query { lecture: Lecture } type Lecture { course: Course! } type Course { id: ID }"
    )
    result = execute_sync(lecture_schema, parse("{ lecture { course { id } } }"), {"lecture": {"course": None}})
    assert result.data == {"lecture": None}
    (error,) = map(error_formatting.from_field_error, result.errors or [])
    assert (error.extensions, error.path) == ({"code": "UNAVAILABLE"}, ["lecture", "course"])
    assert "Lecture" not in error.message


def test_unavailable_database_returns_503_with_retry_after() -> None:
    url = "mysql+pymysql://lms:lms@127.0.0.1:9/lms"
    with run_service(settings.load_settings({"LMS_DATABASE_URL": url}, dotenv=Path("/nowhere"))) as service:
        headers = {"accept": GRAPHQL_JSON}
        body = {"query": '{ category(slug: "a") { id } b: category(slug: "b") { id } }'}
        response = httpx.post(f"{service.url}/graphql", json=body, headers=headers, timeout=30)
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")


def test_two_failing_nodes_log_nothing(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    class FailingContext(Context):
        def node(self, id: str) -> Any:
            future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            future.set_exception(RequestError(RequestErrorCode.UNAVAILABLE, "The service is busy."))
            return future

    async def load_nodes() -> None:
        context = FailingContext(service.resources, ANONYMOUS, "")
        with pytest.raises(RequestError):
            await context.nodes(["a", "b"])

    asyncio.run(load_nodes())
    assert not caplog.records
