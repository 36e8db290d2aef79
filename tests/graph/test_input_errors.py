"""Errors about arguments: each says what is wrong and where, and repeats no sent value."""

from collections.abc import Iterator
from typing import Any

import pytest

from lms_graphql.settings import Settings
from lms_graphql.settings.model import Environment, ExecutorChoice
from tests.live_service import Client, Service, run_service

pytestmark = pytest.mark.sqlite_only

DATE_TIME = "Give an RFC 3339 date-time with its offset, for example 2026-01-31T12:00:00Z."
DECIMAL = 'Give a decimal number as a string, for example "19.99", or as an integer.'
ENUM = "This value does not exist in 'CourseOrder' enum."
ENUM_HINT = "Use one of the names that the schema lists."
NOT_AN_ID = "ID cannot represent a non-string and non-integer value."

LITERALS = [
    ("courses(orderBy: SECRET) { totalCount }", 20, f"{ENUM} {ENUM_HINT}"),
    (
        "courses(orderBy: [SECRET]) { totalCount }",
        20,
        "Enum 'CourseOrder' cannot represent non-enum value. Write one of its names without quotes.",
    ),
    ('courses(filter: {minPrice: "SECRET"}) { totalCount }', 30, DECIMAL),
    ("courses(filter: {minPrice: [1]}) { totalCount }", 30, DECIMAL),
    ("courses(filter: {minPrice: SECRET}) { totalCount }", 30, DECIMAL),
    ('courses(first: ["SECRET"]) { totalCount }', 18, "Int cannot represent non-integer value."),
    ('nodes(ids: ["a", ["SECRET"]]) { id }', 20, NOT_AN_ID),
    ('node(id: {a: "SECRET"}) { id }', 12, NOT_AN_ID),
    ("node(id: null) { id }", 12, "Expected value of non-null type 'ID!' not to be null."),
    ('course(slug: ["SECRET"]) { id }', 16, "String cannot represent a non string value."),
]
"""For each wrong literal: the selection, the column of the value, and the message."""
VARIABLES: list[tuple[str, Any, str, str]] = [
    ("CourseOrder", "SECRET", "", f"{ENUM} {ENUM_HINT}"),
    ("CourseOrder", 'SECRET\' "x"\n', "", f"{ENUM} {ENUM_HINT}"),
    (
        "CourseOrder",
        {"SECRET": "SECRET"},
        "",
        "Enum 'CourseOrder' cannot represent non-string value. Send one of its names as a string.",
    ),
    (
        "CourseFilter",
        {"difficulty": "SECRET"},
        " at .difficulty",
        f"This value does not exist in 'DifficultyLevel' enum. {ENUM_HINT}",
    ),
    ("CourseFilter", {"minPrice": "SECRET"}, " at .minPrice", DECIMAL),
    ("[ID!]!", ["a", ["SECRET"]], " at [1]", NOT_AN_ID),
    ("[ID!]!", None, "", "Expected value of non-null type '[ID!]!' not to be null."),
]
"""For each wrong variable: its type, its value, the place of the wrong part, and the message."""
USES = {
    "CourseOrder": "courses(orderBy: $v) { totalCount }",
    "CourseFilter": "courses(filter: $v) { totalCount }",
    "[ID!]!": "nodes(ids: $v) { id }",
}
GRANT = """mutation G($at: DateTime) { grantEnrollment(input: {courseId: "a", userId: "b", accessExpiresAt: %s}) {
  errors { code }
} }"""


@pytest.fixture(scope="module")
def production_service(service_settings: Settings) -> Iterator[Service]:
    """Run the service as in production, and with the standard executor, which must report the same errors."""
    changes = {"env": Environment.PRODUCTION, "executor": ExecutorChoice.STANDARD, "secret_key": "f3b1c9a7" * 8}
    with run_service(service_settings.model_copy(update=changes)) as service:
        yield service


@pytest.fixture(params=["development", "production"])
def any_client(
    request: pytest.FixtureRequest, running_service: Service, production_service: Service
) -> Iterator[Client]:
    """Return a client of the service in each environment."""
    client = Client(running_service if request.param == "development" else production_service)
    yield client
    client.close()


@pytest.mark.parametrize(("selection", "column", "message"), LITERALS)
def test_wrong_literal_is_named_with_its_location(
    any_client: Client, selection: str, column: int, message: str
) -> None:
    response = any_client.post({"query": f"{{ {selection} }}"})
    extensions = {"code": "GRAPHQL_VALIDATION_FAILED"}
    error = {"message": message, "locations": [{"line": 1, "column": column}], "extensions": extensions}
    assert response.json() == {"errors": [error]}


@pytest.mark.parametrize(("input_type", "value", "place", "message"), VARIABLES)
def test_wrong_variable_is_named_with_its_place(
    any_client: Client, input_type: str, value: Any, place: str, message: str
) -> None:
    document = f"query Q($v: {input_type}) {{ {USES[input_type]} }}"
    error = {
        "message": f"Variable '$v' has invalid value{place}: {message}",
        "locations": [{"line": 1, "column": 9}],
        "extensions": {"code": "BAD_USER_INPUT"},
    }
    assert any_client.graphql(document, v=value) == {"errors": [error]}


def test_wrong_date_time_is_named_in_literals_and_variables(any_client: Client) -> None:
    (error,) = any_client.graphql(GRANT % '"2024"')["errors"][-1:]
    assert (error["message"], error["locations"]) == (DATE_TIME, [{"line": 1, "column": 98}])
    (error,) = any_client.graphql(GRANT % "$at", at="2024")["errors"]
    assert error["message"] == f"Variable '$at' has invalid value: {DATE_TIME}"


def test_suggestions_are_for_development_only(client: Client, production_service: Service) -> None:
    production_client = Client(production_service)
    document = "query Q($v: CourseOrder) { courses(orderBy: $v) { totalCount } }"
    for text in ("{ courses(orderBy: NEWEZT) { totalCount } }", document):
        (error,) = client.graphql(text, v="NEWEZT")["errors"]
        assert error["message"].endswith(f"{ENUM} Did you mean the enum value 'NEWEST'?")
        (error,) = production_client.graphql(text, v="NEWEZT")["errors"]
        assert error["message"].endswith(f"{ENUM} {ENUM_HINT}")
    production_client.close()


def test_null_variable_with_default_is_named(any_client: Client) -> None:
    """A variable with a default fits the type of a required argument. Only its value shows that it does not."""
    (error,) = any_client.graphql('query Q($slug: String = "x") { course(slug: $slug) { id } }', slug=None)["errors"]
    problem = "Expected variable '$slug' provided to non-null type 'String!' not to be null."
    assert error["message"] == f"Argument 'slug' has invalid value: {problem}"
    assert error["locations"] == [{"line": 1, "column": 45}]
