"""Headers that every response has: the request id and `nosniff`. No response repeats the client's `Host`."""

import json
from collections.abc import Iterator

import pytest

from lms_graphql.settings import Settings
from tests.live_service import Client, LogCapture, Service, run_service

pytestmark = pytest.mark.sqlite_only

CATEGORIES = {"query": "{ categories { id } }"}


@pytest.fixture
def broken_client(service_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """Return a client of a service whose liveness check raises an unexpected error."""

    async def fail(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("lms_graphql.app.Endpoints.live", fail)
    with run_service(service_settings) as service:
        client = Client(service)
        yield client
        client.close()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health/live", 200),
        ("GET", "/graphql?query={categories{id}}", 200),
        ("GET", "/graphql", 400),
        ("POST", "/graphql", 415),
        ("PUT", "/graphql", 405),
        ("GET", "/nothing", 404),
        ("GET", "/certificates/nothing.pdf", 404),
        ("GET", "/graphiql/assets/nothing.js", 404),
        ("OPTIONS", "/graphql", 405),
    ],
)
def test_every_response_has_the_common_headers(client: Client, method: str, path: str, status: int) -> None:
    response = client.send(method, path)
    assert response.status_code == status
    assert response.headers.get_list("x-content-type-options") == ["nosniff"]
    assert len(response.headers["x-request-id"]) == 32


def test_graphiql_page_has_the_common_headers(client: Client) -> None:
    response = client.get("/graphql", headers={"accept": "text/html"})
    assert response.headers["content-type"].startswith("text/html")
    assert response.headers.get_list("x-content-type-options") == ["nosniff"]


def test_unexpected_error_has_the_common_headers(broken_client: Client) -> None:
    headers = {"origin": "http://localhost:3000", "x-request-id": "abc"}
    response = broken_client.get("/health/live", headers=headers)
    assert response.status_code == 500
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["x-request-id"] == "abc"
    assert response.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert "broken" not in response.text


@pytest.mark.parametrize(
    "request_id", ["5f0c", "2b0c7e1e-7a0f-4b0a-9d9c-3a1f6f1f5b11", "Root=1-6789:x/y+z_.", "a" * 64]
)
def test_request_id_of_the_client_is_used(client: Client, captured_log: LogCapture, request_id: str) -> None:
    response = client.post(CATEGORIES, headers={"x-request-id": request_id})
    assert response.headers["x-request-id"] == request_id
    (line,) = [json.loads(line) for line in captured_log.text.splitlines() if '"operation"' in line]
    assert line["request_id"] == request_id


@pytest.mark.parametrize("request_id", ["", "two words", "a" * 65, '"quoted"', "a\tb", "a,b", "<script>", "é"])
def test_malformed_request_id_is_replaced(client: Client, captured_log: LogCapture, request_id: str) -> None:
    header = request_id.encode()
    response = client.send("POST", "/graphql", json=CATEGORIES, headers=[(b"x-request-id", header)])
    assert len(response.headers["x-request-id"]) == 32
    (line,) = [json.loads(line) for line in captured_log.text.splitlines() if '"operation"' in line]
    assert line["request_id"] == response.headers["x-request-id"]


def test_each_request_has_its_own_id(client: Client) -> None:
    assert len({client.get("/health/live").headers["x-request-id"] for _ in range(3)}) == 3


@pytest.mark.parametrize("path", ["/graphql/", "//evil.example/graphql/", "/health/live/", "/graphiql/assets"])
def test_no_response_leads_to_the_host_of_the_client(client: Client, service: Service, path: str) -> None:
    headers = {"host": "evil.example", "x-forwarded-host": "evil.example"}
    for method in ("GET", "POST"):
        response = client.send(method, service.url + path, headers=headers)
        assert "location" not in response.headers
        assert "evil.example" not in f"{response.headers} {response.text}"
        assert response.status_code in {200, 400, 404, 405, 415}


def test_trailing_slash_is_the_same_endpoint(client: Client) -> None:
    assert client.send("POST", "/graphql/", json=CATEGORIES).json()["data"] == {"categories": []}
    assert "text/html" in client.get("/graphql/", headers={"accept": "text/html"}).headers["content-type"]
