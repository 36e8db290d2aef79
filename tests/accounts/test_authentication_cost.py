"""What it costs the database that somebody is signed in."""

import pytest

from tests.auth import Reception, bearer
from tests.factories import Factories
from tests.live_service import Client, Service, Statements

TREE = "query Tree($slug: String!) { course(slug: $slug) { id title sections { id title lectures { id title } } } }"
CATEGORIES = "{ categories { id } }"


@pytest.fixture
def token(service: Service, make: Factories) -> dict[str, str]:
    reception = Reception(service.database, service.resources.settings, service.resources.signer)
    return bearer(reception.sign_in(make.user()))


@pytest.mark.parametrize("document", [CATEGORIES, TREE])
def test_a_token_costs_one_statement(
    client: Client, make: Factories, statements: Statements, token: dict[str, str], document: str
) -> None:
    body = {"query": document, "variables": {"slug": make.course(sections=3, lectures=3).slug}}
    body = body if document is TREE else {"query": document}
    counts = []
    for headers in ({}, token):
        client.post(body, headers=headers)  # the first time of all, a connection is made
        with statements:
            assert "errors" not in client.post(body, headers=headers).json()
        counts.append(statements.count)
    anonymous, signed_in = counts
    assert anonymous >= 1
    assert signed_in <= anonymous + 1


def test_to_ask_who_one_is_costs_two_statements(
    client: Client, statements: Statements, token: dict[str, str]
) -> None:
    with statements:
        assert client.post({"query": "{ me { id } }"}, headers=token).json()["data"]["me"]
    assert statements.count <= 2


def test_a_token_that_is_none_costs_no_statement(client: Client, statements: Statements) -> None:
    """Whoever floods the service with rubbish keeps the database out of it."""
    with statements:
        for rubbish in ("x", "a.b.c", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA"):
            assert (
                client.post({"query": CATEGORIES}, headers={"authorization": f"Bearer {rubbish}"}).status_code == 401
            )
    assert statements.count == 0
