"""Depth and root fields of documents: what counts, and how much is allowed."""

import pytest

from tests.factories import Factories
from tests.live_service import Client

pytestmark = pytest.mark.sqlite_only

TOO_COMPLEX = ["QUERY_TOO_COMPLEX"]
CONNECTIONS = {
    "edges": "category { courses(first: 1) { edges { node { %s } } } }",
    "nodes": "category { courses(first: 1) { pageInfo { hasNextPage } nodes { %s } } }",
    "fragment": "category { courses(first: 1) { ... on CourseConnection { edges { ... { node { %s } } } } } }",
}
"""Two levels each, around the fields of a course."""


def twelve_levels(connection: str, fields: str) -> str:
    for _ in range(5):
        fields = CONNECTIONS[connection] % fields
    return f'{{ course(slug: "x") {{ {fields} }} }}'


@pytest.mark.parametrize("connection", list(CONNECTIONS))
def test_fields_of_connections_are_no_levels(client: Client, connection: str) -> None:
    assert client.error_codes(twelve_levels(connection, "id")) == []
    assert client.error_codes(twelve_levels(connection, "category { id }")) == TOO_COMPLEX


def test_fragment_of_edge_counts_where_it_is_spread(client: Client) -> None:
    spread = twelve_levels("edges", "id").replace("edges { node { id } }", "edges { ...E }")
    fragment = "fragment E on CourseEdge { node { %s } }"
    assert client.error_codes(spread + fragment % "id") == []
    assert client.error_codes(spread + fragment % "category { id }") == TOO_COMPLEX


@pytest.mark.parametrize("name", ["edges", "node", "nodes", "pageInfo"])
def test_names_of_connection_fields_count_elsewhere(client: Client, name: str) -> None:
    """Nested without end, they would reach the validation of the document."""
    assert client.error_codes("{ " + f"{name} {{ " * 30 + "id" + " }" * 30 + " }") == TOO_COMPLEX
    parents = "... on Category { " + "parent { " * 11 + "id" + " }" * 12
    assert client.error_codes(f'{{ node(id: "x") {{ {parents} }} }}') == TOO_COMPLEX


def test_mutation_may_have_25_root_fields(client: Client, make: Factories) -> None:
    user = make.actor(make.user())
    fields = [f'm{number}: updateProfile(input: {{bio: "{number}"}}) {{ user {{ bio }} }} ' for number in range(26)]
    data = client.execute(f"mutation {{ {''.join(fields[:25])} }}", as_=user)
    assert [payload["user"]["bio"] for payload in data.values()] == [str(number) for number in range(25)]
    assert client.error_codes(f"mutation {{ {''.join(fields)} }}", as_=user) == TOO_COMPLEX
    assert client.error_codes("{ me { bio } }", as_=user) == []
    assert client.execute("{ me { bio } }", as_=user) == {"me": {"bio": "24"}}
