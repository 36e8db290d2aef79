"""Random values of input types, as clients send them: with nulls, omitted fields and lists."""

from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLNonNull,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
)

from lms_graphql.graph.schema.strawberry_internals import is_one_of_input

SCALARS: dict[str, list[Any]] = {
    "Boolean": [True, False],
    "DateTime": ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.123456+05:30"],
    "Decimal": ["19.99", 7, "0"],
    "Float": [0, 2.5, -1e9],
    "ID": ["Q291cnNlOjE", "", 12],
    "Int": [0, 1, -(2**31)],
    "String": ["", "text", "ä😀"],
}


def random_input(input_type: Any, random: Random) -> Any:
    """Return a value that graphql-core accepts for this type."""
    if not is_non_null_type(input_type) and random.random() < 0.2:
        return None
    kind = get_nullable_type(input_type)
    if is_list_type(kind):
        return [random_input(kind.of_type, random) for _ in range(random.randint(0, 3))]
    if isinstance(kind, GraphQLEnumType):
        return random.choice(list(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        return _random_object(kind, random)
    return random.choice(SCALARS[kind.name])


def _random_object(input_type: GraphQLInputObjectType, random: Random) -> dict[str, Any]:
    if is_one_of_input(input_type):
        name, definition = random.choice(list(input_type.fields.items()))
        return {name: random_input(GraphQLNonNull(get_nullable_type(definition.type)), random)}
    return {
        name: random_input(definition.type, random)
        for name, definition in input_type.fields.items()
        if is_required_input_field(definition) or random.random() < 0.7
    }
