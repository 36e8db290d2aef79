"""Cross-origin requests of browser front ends, in development and in production."""

from collections.abc import Iterator

import pytest

from lms_graphql.settings import Settings
from lms_graphql.settings.model import Environment
from tests.live_service import Client, run_service

pytestmark = pytest.mark.sqlite_only

FRONT_END = "https://learn.example.com"
LOCAL_ORIGINS = ["http://localhost:3000", "http://127.0.0.1:5173", "http://localhost"]
FOREIGN_ORIGINS = [
    "https://evil.example",
    "http://localhost.evil.example:3000",
    "http://evil.example:3000/localhost",
    "http://127.0.0.1.evil.example",
    "http://127x0x0x1:3000",
    "http://localhost:3000@evil.example",
    "null",
]
CLIENT_HEADERS = [
    "Authorization",
    "Content-Type",
    "apollographql-client-name",
    "apollographql-client-version",
    "apollo-require-preflight",
    "x-request-id",
    "traceparent",
    "tracestate",
    "sentry-trace",
    "baggage",
    "idempotency-key",
]


@pytest.fixture(scope="module")
def production_client(service_settings: Settings) -> Iterator[Client]:
    """Return a client of a service in production, with one front end and a header of its own."""
    changes = {"env": Environment.PRODUCTION, "cors_origins": (FRONT_END,), "cors_headers": ("x-client-version",)}
    changes["secret_key"] = "f3b1c9a7" * 8
    with run_service(service_settings.model_copy(update=changes)) as service:
        client = Client(service)
        yield client
        client.close()


def may_send(client: Client, origin: str, *headers: str) -> bool:
    """Return whether a browser sends requests with these headers from this origin."""
    requested = {"access-control-request-method": "POST", "access-control-request-headers": ",".join(headers)}
    response = client.send("OPTIONS", "/graphql", headers={"origin": origin, **requested})
    return response.status_code == 200 and response.headers.get("access-control-allow-origin") == origin


def may_read(client: Client, origin: str) -> bool:
    """Return whether a browser lets this origin read a response. Caches must know that this depends on the origin."""
    response = client.post({"query": "{ __typename }"}, headers={"origin": origin})
    assert response.status_code == 200
    assert "Origin" in response.headers["vary"]
    return response.headers.get("access-control-allow-origin") == origin


@pytest.mark.parametrize("origin", LOCAL_ORIGINS)
def test_local_front_ends_are_allowed_in_development_only(
    client: Client, production_client: Client, origin: str
) -> None:
    assert may_send(client, origin, "content-type")
    assert may_read(client, origin)
    assert not may_send(production_client, origin, "content-type")
    assert not may_read(production_client, origin)


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_foreign_origins_are_rejected(client: Client, production_client: Client, origin: str) -> None:
    for each in (client, production_client):
        assert not may_send(each, origin, "content-type")
        assert not may_read(each, origin)


def test_configured_front_end_is_allowed_in_production(production_client: Client) -> None:
    assert may_send(production_client, FRONT_END, "content-type")
    assert may_read(production_client, FRONT_END)


def test_headers_of_common_clients_are_allowed(client: Client, production_client: Client) -> None:
    assert may_send(client, LOCAL_ORIGINS[0], *CLIENT_HEADERS)
    assert may_send(production_client, FRONT_END, *CLIENT_HEADERS)


def test_other_headers_need_the_setting(client: Client, production_client: Client) -> None:
    assert not may_send(client, LOCAL_ORIGINS[0], "x-client-version")
    assert may_send(production_client, FRONT_END, "X-Client-Version")
    assert not may_send(production_client, FRONT_END, "x-other")


def test_front_ends_may_read_retry_after_and_request_id(client: Client) -> None:
    response = client.post({"query": "{ __typename }"}, headers={"origin": LOCAL_ORIGINS[0]})
    assert response.headers["access-control-expose-headers"] == "retry-after, x-request-id"
