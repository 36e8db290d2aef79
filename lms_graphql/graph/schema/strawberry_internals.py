"""Undocumented parts of Strawberry that building and validating the schema uses.

`docs/architecture.md` lists each of them. `tests/graph/test_private_apis.py` fails if a release changes one.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import strawberry
from graphql import GraphQLField, GraphQLInputField, GraphQLInputObjectType, GraphQLSchema
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule
from strawberry.types.arguments import InputContext
from strawberry.types.base import StrawberryMaybe, StrawberryObjectDefinition, StrawberryOptional
from strawberry.types.enum import EnumValue
from strawberry.types.field import StrawberryField
from strawberry.types.scalar import ScalarDefinition
from strawberry.utils.str_converters import to_camel_case

__all__ = [
    "INPUT_VALIDATION_RULES",
    "ExtensibleSchema",
    "InputContext",
    "ScalarDefinition",
    "StrawberryField",
    "StrawberryMaybe",
    "StrawberryOptional",
    "enum_values",
    "field_metadata",
    "input_definition",
    "input_field",
    "is_one_of_input",
    "payload_type",
    "resolver_function",
    "to_camel_case",
]

INPUT_VALIDATION_RULES = (MaybeNullValidationRule, OneOfInputValidationRule)
"""Rules that Strawberry's own views add to those of graphql-core: for `strawberry.Maybe` and for one-of inputs."""


class ExtensibleSchema(strawberry.Schema):
    """A schema whose subclass may change the fields of each type while the schema is built."""

    @property
    def graphql_schema(self) -> GraphQLSchema:
        """Schema of graphql-core, which is executed and printed."""
        return self._schema

    def fields_of(self, python_type: type, fields: list[StrawberryField]) -> list[StrawberryField]:
        """Return the fields that the GraphQL type of this class has."""
        raise NotImplementedError

    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        return self.fields_of(type_definition.origin, type_definition.fields)


def resolver_function(field: StrawberryField) -> Callable[..., Any] | None:
    """Return the function that resolves the field, or None if the field reads an attribute."""
    function: Any = field.base_resolver.wrapped_func if field.base_resolver is not None else None
    return function


def field_metadata(definition: GraphQLField) -> Mapping[Any, Any]:
    """Return the `metadata` with which the field was declared."""
    field: StrawberryField | None = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return field.metadata if field is not None else {}


def input_definition(input_type: GraphQLInputObjectType) -> StrawberryObjectDefinition:
    """Return the definition of an input. Its `from_input` is the function that makes its objects."""
    definition: StrawberryObjectDefinition = input_type.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
    return definition


def input_field(definition: GraphQLInputField) -> StrawberryField:
    """Return the field of the class, with its Python name, type and default."""
    field: StrawberryField = definition.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
    return field


def is_one_of_input(input_type: GraphQLInputObjectType) -> bool:
    """Return whether the input was declared with `one_of=True`."""
    definition: StrawberryObjectDefinition | None = input_type.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return definition is not None and definition.is_one_of


def payload_type(field: StrawberryField) -> Any:
    """Return the class that a mutation returns, whether its field is nullable or not."""
    field_type: Any = field.type
    return field_type.of_type if isinstance(field_type, StrawberryOptional) else field_type


def enum_values(enum: type) -> Iterable[EnumValue]:
    """Return the values of an enum after `strawberry.enum`. Their descriptions may be set."""
    values: Iterable[EnumValue] = enum.__strawberry_definition__.values  # type: ignore[attr-defined]
    return values
