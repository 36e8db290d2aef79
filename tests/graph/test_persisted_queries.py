"""Automatic persisted queries: their clients learn that the service stores no documents, and send the document."""

import hashlib
import json
from typing import Any

import pytest

from tests.live_service import Client

pytestmark = pytest.mark.sqlite_only

GRAPHQL_JSON = "application/graphql-response+json"
QUERY = "{ categories { id } }"
PERSISTED_QUERY = {"version": 1, "sha256Hash": hashlib.sha256(QUERY.encode()).hexdigest()}
EXTENSIONS = {"persistedQuery": PERSISTED_QUERY}
NOT_SUPPORTED = {
    "errors": [
        {"message": "PersistedQueryNotSupported", "extensions": {"code": "PERSISTED_QUERY_NOT_SUPPORTED"}},
    ]
}


@pytest.mark.parametrize(
    ("accept", "status"), [("*/*", 200), ("application/json", 200), (f"{GRAPHQL_JSON}, application/json;q=0.9", 400)]
)
@pytest.mark.parametrize("missing", [{}, {"query": None}, {"query": ""}])
def test_hash_alone_is_not_supported(client: Client, accept: str, status: int, missing: dict[str, Any]) -> None:
    body = {"operationName": "Q", "variables": {}, "extensions": EXTENSIONS, **missing}
    response = client.post(body, headers={"accept": accept})
    assert (response.status_code, response.json()) == (status, NOT_SUPPORTED)
    assert response.headers["cache-control"] == "no-store"


def test_hash_alone_is_not_supported_by_get(client: Client) -> None:
    """Apollo's option `useGETForHashedQueries` sends the hash in the URL."""
    response = client.get("/graphql", params={"operationName": "Q", "extensions": json.dumps(EXTENSIONS)})
    assert (response.status_code, response.json()) == (200, NOT_SUPPORTED)


def test_query_with_hash_runs(client: Client) -> None:
    assert client.post({"query": QUERY, "extensions": EXTENSIONS}).json()["data"] == {"categories": []}
    parameters = {"query": QUERY, "extensions": json.dumps(EXTENSIONS)}
    assert client.get("/graphql", params=parameters).json()["data"] == {"categories": []}


@pytest.mark.parametrize(
    "extensions", [None, {}, {"persistedQuery": None}, {"persistedQuery": {}}, {"other": PERSISTED_QUERY}, []]
)
def test_request_without_query_and_hash_is_malformed(client: Client, extensions: Any) -> None:
    response = client.post({"extensions": extensions})
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
