"""Number of statements that authentication adds to a request."""

import pytest

from tests.auth import SessionIssuer, bearer_headers
from tests.factories import Factories
from tests.live_service import Client, Service, StatementRecorder

TREE = "query Tree($slug: String!) { course(slug: $slug) { id title sections { id title lectures { id title } } } }"
CATEGORIES = "{ categories { id } }"


@pytest.fixture
def headers(service: Service, make: Factories) -> dict[str, str]:
    session_issuer = SessionIssuer(service.database, service.resources.settings, service.resources.signer)
    return bearer_headers(session_issuer.sign_in(make.user()))


@pytest.mark.parametrize("document", [CATEGORIES, TREE])
def test_access_token_costs_one_statement(
    client: Client, make: Factories, statements: StatementRecorder, headers: dict[str, str], document: str
) -> None:
    body = {"query": document, "variables": {"slug": make.course(sections=3, lectures=3).slug}}
    body = body if document is TREE else {"query": document}
    counts = []
    for request_headers in ({}, headers):
        client.post(body, headers=request_headers)  # the very first request opens a connection
        with statements:
            assert "errors" not in client.post(body, headers=request_headers).json()
        counts.append(statements.count)
    anonymous, signed_in = counts
    assert anonymous >= 1
    assert signed_in <= anonymous + 1


def test_viewer_query_costs_two_statements(
    client: Client, statements: StatementRecorder, headers: dict[str, str]
) -> None:
    with statements:
        assert client.post({"query": "{ me { id } }"}, headers=headers).json()["data"]["me"]
    assert statements.count <= 2


def test_malformed_access_token_costs_no_statement(client: Client, statements: StatementRecorder) -> None:
    """A flood of malformed tokens does not reach the database."""
    with statements:
        for token in ("x", "a.b.c", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA"):
            response = client.post({"query": CATEGORIES}, headers={"authorization": f"Bearer {token}"})
            assert response.status_code == 401
    assert statements.count == 0
