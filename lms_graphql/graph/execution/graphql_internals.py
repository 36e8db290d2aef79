"""Undocumented parts of graphql-core and Strawberry that the fast executor uses.

The executor overrides further methods, which `docs/architecture.md` lists together with these parts.
`tests/graph/test_private_apis.py` fails if a release changes one of them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeGuard, cast

from graphql import GraphQLField, GraphQLObjectType
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.execution.values import get_argument_values
from graphql.pyutils import AwaitableOrValue, Path
from graphql.type import GraphQLResolveInfoHelpers
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext as StrawberryExecutor
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

__all__ = [
    "ASYNC_HELPERS",
    "AwaitableOrValue",
    "FieldDetailsList",
    "GroupedFieldSet",
    "Path",
    "StrawberryExecutor",
    "argument_values",
    "collect_object_fields",
    "is_awaitable",
    "row_attribute",
]

is_awaitable = cast("Callable[[Any], TypeGuard[Awaitable[Any]]]", optimized_is_awaitable)
ASYNC_HELPERS = GraphQLResolveInfoHelpers(gather=lambda values: asyncio.gather(*values), track=lambda _values: None)
"""Replacement for the executor's own helpers, which refer to the executor. Our resolvers use neither."""


def collect_object_fields(
    executor: Executor[Any], object_type: GraphQLObjectType, details: FieldDetailsList
) -> GroupedFieldSet:
    """Return what is selected of an object. It is the same object for each call with the same arguments."""
    return executor.collect_subfields(object_type, details)[0]


def argument_values(executor: Executor[Any], definition: GraphQLField, details: FieldDetailsList) -> dict[str, Any]:
    """Return the arguments of a field as its resolver receives them."""
    first = details[0]
    return get_argument_values(
        definition, first.node, executor.variable_values, first.fragment_variable_values, executor.hide_suggestions
    )


def row_attribute(definition: GraphQLField) -> str | None:
    """Return the attribute that Strawberry reads for this field, or None if the field has a resolver."""
    field: StrawberryField | None = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return field.python_name if field is not None and field.is_basic_field else None
