"""The `Authorization` header: no token, a token, and headers that cannot be used."""

import http.client
import json

import httpx
import pytest

from tests.auth import SessionIssuer
from tests.factories import Factories
from tests.live_service import Client, Service

CATEGORIES = "{ categories { id } }"
ME = "{ me { id } }"


def send(client: Client, document: str, *headers: str) -> httpx.Response:
    return client.post(
        {"query": document}, headers=[(b"authorization", header.encode("latin-1")) for header in headers]
    )


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "bearer", "Bearer null", "Bearer  undefined", "null", "undefined"],
)
def test_header_without_token_is_anonymous(client: Client, header: str) -> None:
    """Apollo's documentation sends an empty header for anonymous visitors. Other front ends send these words."""
    response = send(client, "{ categories { id } me { id } }", header)
    assert response.status_code == 200
    assert response.json()["data"] == {"categories": [], "me": None}
    assert "www-authenticate" not in response.headers


@pytest.mark.parametrize("header", [" ", "Bearer ", "bearer  "])
def test_header_with_only_spaces_after_the_scheme_is_anonymous(service: Service, header: str) -> None:
    """The test's usual HTTP client rejects such headers, but others send them."""
    connection = http.client.HTTPConnection(service.url.removeprefix("http://"))
    body, headers = json.dumps({"query": ME}), {"authorization": header, "content-type": "application/json"}
    connection.request("POST", "/graphql", body, headers)
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())["data"]) == (200, {"me": None})
    connection.close()


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    "headers",
    [
        ["Bearer nonsense"],
        ["Bearer Null"],
        ["Bearer null null"],
        ["nonsense"],
        ["Bearer \xa0"],
        ["Basic bnVsbDpudWxs"],
        ["Basic"],
        ["Bearer", "Bearer"],
        ["", "Bearer nonsense"],
    ],
)
def test_unusable_header_is_challenged(client: Client, headers: list[str]) -> None:
    response = send(client, CATEGORIES, *headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert "data" not in response.json()


def test_second_header_is_rejected_with_a_valid_token(client: Client, service: Service, make: Factories) -> None:
    issuer = SessionIssuer(service.database, service.resources.settings, service.resources.signer)
    token = issuer.sign_in(make.user()).access_token
    assert send(client, ME, f"bearer   {token}").json()["data"]["me"]
    for headers in (["", f"Bearer {token}"], [f"Bearer {token}", "Bearer"]):
        assert send(client, ME, *headers).status_code == 401
