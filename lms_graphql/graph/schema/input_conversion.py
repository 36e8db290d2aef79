"""Conversion of inputs by a function that is made once for each input type.

Strawberry looks up the names, types and defaults of all fields for each input.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING
from typing import Any

import strawberry
from graphql import GraphQLInputObjectType, get_nullable_type, is_input_object_type, is_list_type

from lms_graphql.graph.schema.strawberry_internals import (
    InputContext,
    StrawberryMaybe,
    StrawberryOptional,
    input_definition,
    input_field,
)

Converter = Callable[[Any, InputContext], Any]


def prepare_input(input_type: GraphQLInputObjectType) -> None:
    """Let Strawberry convert the values of this type by its own function.

    It goes on to convert a type with a `Maybe` that cannot be null, because it would no longer validate its literals.
    """
    fields = [(name, input_field(definition), definition.type) for name, definition in input_type.fields.items()]
    if any(isinstance(field.type, StrawberryMaybe) and not _accepts_null(field.type) for _, field, _ in fields):
        return
    converters = [(name, field.python_name, _field_converter(field.type, kind)) for name, field, kind in fields]
    omitted: dict[str, Any] = {
        field.python_name: None
        for _, field, _ in fields
        if field.default is MISSING and field.default_factory is MISSING
    }

    def convert(python_type: type, values: Mapping[str, Any], context: InputContext) -> Any:
        arguments = omitted.copy()
        for name, python_name, convert_value in converters:
            if name in values:
                value = values[name]
                arguments[python_name] = value if convert_value is None else convert_value(value, context)
        return python_type(**arguments)

    input_definition(input_type).from_input = convert


def _accepts_null(maybe: StrawberryMaybe) -> bool:
    return isinstance(maybe.of_type, StrawberryOptional)


def _field_converter(python_type: Any, graphql_type: Any) -> Converter | None:
    convert = _converter(graphql_type)
    if not isinstance(python_type, StrawberryMaybe):
        return convert
    if convert is None:
        return lambda value, _: strawberry.Some(value)
    return lambda value, context: strawberry.Some(convert(value, context))


def _converter(graphql_type: Any) -> Converter | None:
    """Return the function for the values of this type, or None if they stay as they are."""
    nullable_type = get_nullable_type(graphql_type)
    if is_list_type(nullable_type):
        convert_item = _converter(nullable_type.of_type)
        if convert_item is None:
            return lambda items, _: items if items is None else list(items)
        return lambda items, context: items if items is None else [convert_item(item, context) for item in items]
    if not is_input_object_type(nullable_type):
        return None
    definition = input_definition(nullable_type)

    def convert(value: Any, context: InputContext) -> Any:
        if value is None:
            return None
        if definition.from_input is None:
            return context.convert(value, definition.origin)
        return definition.from_input(definition.origin, value, context)

    return convert
