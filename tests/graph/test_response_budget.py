"""What one request may take of a process, whatever it asks for: time, memory, and the others' patience."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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
from lms_graphql.graph.execution.executor import RowExecutor
from lms_graphql.graph.execution.response_budget import BudgetExceededError, ResponseBudget
from lms_graphql.schema import schema
from lms_graphql.settings import Settings
from tests.factories import Factories
from tests.live_service import Client, Service, running

GRAPHQL_JSON = "application/graphql-response+json"


def in_time(client: Client, document: str, **variables: Any) -> httpx.Response:
    """The response, which must come soon and be small."""
    started = time.monotonic()
    headers = {"accept": GRAPHQL_JSON}
    response = client.post({"query": document, "variables": variables}, headers=headers)
    assert time.monotonic() - started < 5
    assert len(response.content) < 25_000_000
    return response


def codes(response: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in response.json()["errors"]]


def test_a_flood_of_errors_ends_early(client: Client, make: Factories) -> None:
    teacher = make.course(lectures=0).instructor
    for _ in range(39):
        make.course(instructor=teacher, lectures=0)
    aliases = " ".join(f"a{number}: email" for number in range(25))
    people = f"nodes {{ instructor {{ {aliases} }} }}"
    document = f"{{ courses(first: 40) {{ nodes {{ instructor {{ courses(first: 40) {{ {people} }} }} }} }} }}"
    response = in_time(client, document)
    assert (response.status_code, codes(response)) == (400, ["QUERY_TOO_COMPLEX"])
    assert "data" not in response.json()


def test_some_fields_that_are_not_for_the_viewer_leave_the_rest_of_a_page(client: Client, make: Factories) -> None:
    for _ in range(30):
        make.course(lectures=0)
    body = client.graphql("{ courses(first: 30) { nodes { title instructor { email lastLoginAt } } } }")
    assert len(body["data"]["courses"]["nodes"]) == 30
    assert {error["extensions"]["code"] for error in body["errors"]} == {"FORBIDDEN"}
    assert len(body["errors"]) == 60


def test_lists_without_pages_that_hold_more_than_they_count_end_early(client: Client, make: Factories) -> None:
    course = make.course(sections=100, lectures=0)
    nested = "sections { course { sections { course { sections { id title price: course { id } } } } } }"
    document = f"query Q($slug: String!) {{ course(slug: $slug) {{ {nested} }} }}"
    response = in_time(client, document, slug=course.slug)
    assert (response.status_code, codes(response)) == (400, ["QUERY_TOO_COMPLEX"])


def test_texts_may_make_an_answer_only_so_long(client: Client, make: Factories) -> None:
    for _ in range(90):
        make.course(lectures=0, description="long " * 2_000)
    once = in_time(client, "{ courses(first: 90) { nodes { description } } }")
    assert len(once.content) > 900_000
    aliases = " ".join(f"a{number}: description" for number in range(29))
    response = in_time(client, f"{{ courses(first: 90) {{ nodes {{ {aliases} }} }} }}")
    assert (response.status_code, codes(response)) == (400, ["QUERY_TOO_COMPLEX"])


def test_an_answer_that_takes_too_long_is_given_up_while_it_is_made() -> None:
    context = SimpleNamespace(budget=ResponseBudget(cost=100, seconds=-1))
    with pytest.raises(BudgetExceededError) as raised:
        execute(
            schema._schema,
            parse("{ __schema { types { name } } }"),
            executor_class=RowExecutor,
            context_value=context,
        )
    assert raised.value.code is RequestErrorCode.TIMEOUT


def test_introspection_stays_within_what_an_anonymous_request_may_take(client: Client) -> None:
    from graphql import get_introspection_query

    units = 100_000
    allowance = ResponseBudget(cost=units // 10, seconds=10)
    execute(
        schema._schema,
        parse(get_introspection_query()),
        executor_class=RowExecutor,
        context_value=SimpleNamespace(budget=allowance),
    )
    assert allowance._units > units / 3, "and there is room for the schema to grow"


def test_long_documents_are_not_kept(service: Service, client: Client) -> None:
    before = service.preparer.cached.cache_info().currsize
    for number in range(5):
        client.execute(f"query Q{number} {{ categories {{ id }} }} #{'x' * 20_000}")
    assert service.preparer.cached.cache_info().currsize == before


def test_an_unknown_name_is_repeated_only_so_far(client: Client) -> None:
    for document in (f"{{ {'x' * 9_000} }}", f"{{ courses(filter: {{ {'y' * 9_000}: 1 }}) {{ totalCount }} }}"):
        assert len(client.post({"query": document}).content) < 1_000


def test_a_number_of_many_digits_is_refused_in_our_own_words(client: Client) -> None:
    document = "{ courses(first: " + "9" * 9_000 + ") { totalCount } }"
    text = client.post({"query": document}).text
    assert "BAD_USER_INPUT" in text or "GRAPHQL_VALIDATION_FAILED" in text
    assert "int_max_str_digits" not in text


@pytest.fixture
def hurried(service_settings: Settings) -> Any:
    """A service of one request at a time, each of one second."""
    url = service_settings.url.render_as_string(hide_password=False)
    environment = {"LMS_DATABASE_URL": url, "LMS_LIMIT_IN_FLIGHT": "1", "LMS_LIMIT_SECONDS": "1"}
    with running(settings.load_settings(environment, dotenv=Path("/nowhere"))) as service:
        yield service


@contextlib.contextmanager
def all_threads_taken(service: Service, others: ThreadPoolExecutor, number: int = 4) -> Iterator[None]:
    """For the while, those that read and write for requests do something else."""
    done = threading.Event()
    for _ in range(number):
        others.submit(lambda: asyncio.run(service.database.read(lambda _: done.wait(10))))
    time.sleep(0.1)
    try:
        yield
    finally:
        done.set()


def half_sent(service: Service, size: int = 1) -> socket.socket:
    host, port = service.url.removeprefix("http://").split(":")
    link = socket.create_connection((host, int(port)), timeout=10)
    head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    link.sendall(f"{head}content-length: {size + 500}\r\n\r\n{{".encode() + b" " * (size - 1))
    return link


@pytest.mark.slow
def test_a_body_that_never_arrives_is_not_waited_for(hurried: Service) -> None:
    with half_sent(hurried) as link:
        answer = link.recv(10_000).decode()
    assert answer.startswith("HTTP/1.1 408")
    assert '"TIMEOUT"' in answer


def test_who_comes_when_too_many_are_served_is_sent_away_at_once(hurried: Service) -> None:
    body = {"query": "{ categories { id } }"}
    with ThreadPoolExecutor(6) as others, all_threads_taken(hurried, others):
        served = others.submit(httpx.post, f"{hurried.url}/graphql", json=body)
        time.sleep(0.2)
        started = time.monotonic()
        response = httpx.post(f"{hurried.url}/graphql", json=body)
        assert time.monotonic() - started < 2, "while the other is still served"
    assert served.result().status_code == 200
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert codes(response) == ["UNAVAILABLE"]


def test_requests_that_never_arrive_keep_nobody_out(service: Service) -> None:
    with contextlib.ExitStack() as links:
        for _ in range(100):
            links.enter_context(half_sent(service))
        time.sleep(0.2)
        response = httpx.post(f"{service.url}/graphql", json={"query": "{ categories { id } }"})
    assert response.status_code == 200


@pytest.mark.slow
def test_large_requests_that_never_arrive_keep_only_large_ones_out(service_settings: Settings) -> None:
    body = {"query": "{ categories { id } }"}
    large = {**body, "variables": {"unused": "x" * 200_000}}
    with running(service_settings.model_copy(update={"limit_seconds": 60})) as service:
        assert httpx.post(f"{service.url}/graphql", json=large).status_code == 200
        with contextlib.ExitStack() as links:
            for _ in range(64):
                links.enter_context(half_sent(service, 150_000))
            time.sleep(0.5)
            refused = httpx.post(f"{service.url}/graphql", json=large)
            assert (refused.status_code, codes(refused), refused.headers["retry-after"]) == (
                503,
                ["UNAVAILABLE"],
                "1",
            )
            assert httpx.post(f"{service.url}/graphql", json=body).status_code == 200
        time.sleep(0.5)
        assert httpx.post(f"{service.url}/graphql", json=large).status_code == 200


@pytest.mark.slow
def test_a_line_before_the_database_sends_new_requests_away_but_the_process_is_ready(
    service_settings: Settings,
) -> None:
    with running(service_settings) as service:
        with ThreadPoolExecutor(8) as others, all_threads_taken(service, others, 8):
            time.sleep(0.8)
            response = httpx.post(f"{service.url}/graphql", json={"query": "{ categories { id } }"})
            ready = [httpx.get(f"{service.url}/health/ready").status_code for _ in range(5)]
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert 200 in ready, "a machine that is slow for a moment aside"
        assert httpx.post(f"{service.url}/graphql", json={"query": "{ categories { id } }"}).status_code == 200


def test_a_statement_that_the_database_breaks_off_is_a_timeout() -> None:
    for code in (1969, 3024):
        broken_off = OperationalError("SELECT", {}, pymysql.err.OperationalError(code, "too long"))
        error = GraphQLError("x", original_error=broken_off)
        assert error_formatting.from_field_error(error).extensions == {"code": "TIMEOUT"}


def test_what_goes_away_while_it_is_read_may_be_asked_for_again() -> None:
    """As where a course is unpublished between its lectures, which are read first, and the course of each."""
    read = build_schema("type Query { lecture: Lecture } type Lecture { course: Course! } type Course { id: ID }")
    result = execute_sync(read, parse("{ lecture { course { id } } }"), {"lecture": {"course": None}})
    assert result.data == {"lecture": None}
    (error,) = map(error_formatting.from_field_error, result.errors or [])
    assert (error.extensions, error.path) == ({"code": "UNAVAILABLE"}, ["lecture", "course"])
    assert "Lecture" not in error.message


def test_a_request_that_the_database_was_away_for_is_told_when_to_come_back() -> None:
    url = "mysql+pymysql://lms:lms@127.0.0.1:9/lms"
    with running(settings.load_settings({"LMS_DATABASE_URL": url}, dotenv=Path("/nowhere"))) as service:
        headers = {"accept": GRAPHQL_JSON}
        body = {"query": '{ category(slug: "a") { id } b: category(slug: "b") { id } }'}
        response = httpx.post(f"{service.url}/graphql", json=body, headers=headers, timeout=30)
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")


def test_two_failing_nodes_leave_nothing_behind(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Context):
        def node(self, id: str) -> Any:
            future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            future.set_exception(RequestError(RequestErrorCode.UNAVAILABLE, "away"))
            return future

    async def ask() -> None:
        context = Failing(service.resources, ANONYMOUS, "")
        with pytest.raises(RequestError):
            await context.nodes(["a", "b"])

    asyncio.run(ask())
    assert not caplog.records
