"""Inputs are converted to the same objects, with the same errors, as by Strawberry's own conversion."""

from random import Random
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLNonNull, Undefined, coerce_input_value
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.types.arguments import convert_argument

from lms_graphql.graph.schema.strawberry_internals import input_definition
from lms_graphql.schema import schema
from tests.concurrency import race_rounds
from tests.graph.random_inputs import random_input

INPUT_TYPES = [each for each in schema.graphql_schema.type_map.values() if isinstance(each, GraphQLInputObjectType)]
CONVERTED_BY_STRAWBERRY = {"AnswerInput", "QuestionInput"}
"""Inputs with a `Maybe` that cannot be null."""


def convert(input_type: GraphQLInputObjectType, value: Any) -> Any:
    """Return the object or the message of the error."""
    python_type, registry = input_definition(input_type).origin, schema.schema_converter.scalar_registry
    try:
        return convert_argument(value, python_type, registry, schema.config)
    except StrawberryInputCoercionError as error:
        return str(error)


@pytest.mark.parametrize("input_type", INPUT_TYPES, ids=str)
def test_input_is_converted_as_by_strawberry(
    input_type: GraphQLInputObjectType, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(input_type.name)
    sent = [random_input(GraphQLNonNull(input_type), random) for _ in range(race_rounds(30))]
    values = [coerce_input_value(value, input_type) for value in sent]
    assert Undefined not in values
    converted = [convert(input_type, value) for value in values]
    for each in INPUT_TYPES:
        monkeypatch.setattr(input_definition(each), "from_input", None)
    expected = [convert(input_type, value) for value in values]
    assert converted == expected
    assert repr(converted) == repr(expected)  # 1 equals True and 1.0


def test_list_is_copied() -> None:
    """graphql-core gives the same default to all requests that omit the value."""
    input_type: Any = schema.graphql_schema.type_map["InviteLearnersInput"]
    emails = ["learner@example.com"]
    converted = convert(input_type, {"courseId": "Q291cnNlOjE", "emails": emails})
    assert converted.emails == emails
    assert converted.emails is not emails


def test_inputs_have_a_function_unless_it_would_change_their_validation() -> None:
    without = {each.name for each in INPUT_TYPES if input_definition(each).from_input is None}
    assert without == CONVERTED_BY_STRAWBERRY
