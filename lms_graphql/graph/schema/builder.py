"""The schema of this house: fields hung from above are on their types, descriptions come from docstrings."""

from collections.abc import Mapping
from typing import Any

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    Undefined,
    get_named_type,
    lexicographic_sort_schema,
    print_schema,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from lms_graphql.graph.schema.fields import docstring_description
from lms_graphql.graph.schema.scalars import SCALARS
from lms_graphql.graph.schema.type_extensions import extension_fields


class Schema(strawberry.Schema):
    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        fields = [*type_definition.fields, *extension_fields(type_definition.origin)]
        for field in fields:
            if field.description is None and field.base_resolver is not None:
                field.description = docstring_description(field.base_resolver.wrapped_func)
        return fields


def build_schema(query: type, mutation: type | None = None, types: tuple[Any, ...] = ()) -> Schema:
    config = StrawberryConfig(scalar_map=SCALARS)
    schema = Schema(query=query, mutation=mutation, types=types, config=config)
    for kind in schema._schema.type_map.values():
        if isinstance(kind, GraphQLObjectType):
            # Rows serve as objects, and Node.resolve_type says which type a row is: nothing is left to ask.
            kind.is_type_of = None
            for field in kind.fields.values():
                _leave_out_null_defaults(field.args)
                _describe_inputs(field.args)
        elif isinstance(kind, GraphQLInputObjectType):
            _leave_out_null_defaults(kind.fields)
    return schema


def _describe_inputs(arguments: Mapping[str, GraphQLArgument]) -> None:
    """A mutation's one argument is what its input type is: said once, there."""
    for argument in arguments.values():
        kind = get_named_type(argument.type)
        if argument.description is None and isinstance(kind, GraphQLInputObjectType):
            argument.description = kind.description


def _leave_out_null_defaults(inputs: Mapping[str, GraphQLArgument | GraphQLInputField]) -> None:
    """A Python default of None means "may be left out", not that null is given: the SDL says no `= null`."""
    for given in inputs.values():
        if given.default_value is None:
            given.default_value = Undefined


def print_sdl(schema: Schema) -> str:
    """Sorted SDL. Sorted for printing alone: sorting makes enums anew, without Strawberry's conversion of inputs."""
    return print_schema(lexicographic_sort_schema(schema._schema)) + "\n"
