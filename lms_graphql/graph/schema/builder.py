"""Schema builder: adds type extensions to their types and takes descriptions from docstrings."""

from collections.abc import Mapping
from typing import Any

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

from lms_graphql.graph.schema.fields import docstring_description
from lms_graphql.graph.schema.input_conversion import prepare_input
from lms_graphql.graph.schema.mutations import run_once
from lms_graphql.graph.schema.scalars import SCALARS
from lms_graphql.graph.schema.strawberry_internals import (
    ExtensibleSchema,
    StrawberryField,
    is_one_of_input,
    resolver_function,
)
from lms_graphql.graph.schema.type_extensions import extension_fields


class Schema(ExtensibleSchema):
    """Schema with type extensions. Fields without a description get the docstring of their resolver."""

    def fields_of(self, python_type: type, fields: list[StrawberryField]) -> list[StrawberryField]:
        all_fields = [*fields, *extension_fields(python_type)]
        for field in all_fields:
            if field.description is None and (function := resolver_function(field)) is not None:
                field.description = docstring_description(function)
        return all_fields


def build_schema(query: type, mutation: type | None = None, types: tuple[Any, ...] = ()) -> Schema:
    config = StrawberryConfig(scalar_map=SCALARS)
    schema = Schema(query=query, mutation=mutation, types=types, config=config)
    mutation_type = schema.graphql_schema.mutation_type
    for mutation_field in mutation_type.fields.values() if mutation_type is not None else ():
        assert mutation_field.resolve is not None
        mutation_field.resolve = run_once(mutation_field.resolve)
    for graphql_type in schema.graphql_schema.type_map.values():
        if isinstance(graphql_type, GraphQLObjectType):
            # Rows serve as objects, and `Node.resolve_type` returns their type: there is no class to check.
            graphql_type.is_type_of = None
            for field in graphql_type.fields.values():
                _remove_null_defaults(field.args)
                _describe_inputs(field.args)
        elif isinstance(graphql_type, GraphQLInputObjectType):
            _remove_null_defaults(graphql_type.fields)
            prepare_input(graphql_type)
    return schema


def _describe_inputs(arguments: Mapping[str, GraphQLArgument]) -> None:
    """Describe the `input` argument of mutations by its type, so that the text is written once."""
    for argument in arguments.values():
        input_type = get_named_type(argument.type)
        if argument.description is None and isinstance(input_type, GraphQLInputObjectType):
            argument.description = input_type.description


def _remove_null_defaults(inputs: Mapping[str, GraphQLArgument | GraphQLInputField]) -> None:
    """Remove defaults of null from the SDL. A Python default of None means that the value may be omitted."""
    for graphql_input in inputs.values():
        if graphql_input.default_value is None:
            graphql_input.default_value = Undefined


def print_sdl(schema: Schema) -> str:
    """Return the sorted SDL.

    Only the printed copy is sorted, because sorting creates enums again and loses Strawberry's conversion of inputs.
    Only this copy has graphql-core's mark of `@oneOf` inputs, because Strawberry validates them by rules of its own.
    """
    printed = lexicographic_sort_schema(schema.graphql_schema)
    for graphql_type in printed.type_map.values():
        if isinstance(graphql_type, GraphQLInputObjectType):
            graphql_type.is_one_of = is_one_of_input(graphql_type)
    return print_schema(printed) + "\n"
