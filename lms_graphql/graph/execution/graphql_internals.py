"""Undocumented parts of graphql-core and Strawberry that query plans and the reference executor use.

The executor overrides further methods, which `docs/architecture.md` lists together with these parts.
`tests/graph/test_private_apis.py` fails if a release changes one of them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeGuard, cast

from graphql import FragmentDefinitionNode, GraphQLField, GraphQLObjectType, GraphQLSchema
from graphql.execution import VariableValues
from graphql.execution.collect_fields import (
    FieldDetailsList,
    FragmentDetails,
    GroupedFieldSet,
    collect_fields,
    collect_subfields,
)
from graphql.pyutils import AwaitableOrValue, Path
from graphql.type import GraphQLResolveInfoHelpers
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext as StrawberryExecutor
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from lms_graphql.graph.documents import Operation

__all__ = [
    "ASYNC_HELPERS",
    "AwaitableOrValue",
    "FieldCollector",
    "FieldDetailsList",
    "GroupedFieldSet",
    "Path",
    "StrawberryExecutor",
    "is_awaitable",
    "plain_resolver",
    "row_attribute",
]

is_awaitable = cast("Callable[[Any], TypeGuard[Awaitable[Any]]]", optimized_is_awaitable)
ASYNC_HELPERS = GraphQLResolveInfoHelpers(gather=lambda values: asyncio.gather(*values), track=lambda _values: None)
"""Replacement for the executor's own helpers, which refer to the executor. Our resolvers use neither."""


def row_attribute(definition: GraphQLField) -> str | None:
    """Return the attribute that Strawberry reads for this field, or None if the field has a resolver."""
    field: StrawberryField | None = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return field.python_name if field is not None and field.is_basic_field else None


def plain_resolver(definition: GraphQLField) -> tuple[Callable[..., Any] | None, bool]:
    """Return the function that resolves the field from the row, and whether it takes the info object as well.

    The function is None if Strawberry must call it, because the field has arguments or permissions.
    """
    field: StrawberryField = definition.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
    resolver = field.base_resolver
    if resolver is None or definition.args or field.extensions:
        return None, False
    source = resolver.self_parameter or resolver.parent_parameter
    expected = [parameter for parameter in (source, resolver.info_parameter) if parameter is not None]
    if source is None or list(resolver.signature.parameters.values()) != expected:
        return None, False
    function: Any = resolver.wrapped_func
    return function, len(expected) == 2


class FieldCollector:
    """Fields of the selections of one operation, for the values that `@skip` and `@include` have in `variables`."""

    def __init__(self, schema: GraphQLSchema, operation: Operation, variables: VariableValues) -> None:
        self.schema = schema
        self._definition = operation.definition
        self._variables = variables
        self._fragments = {
            definition.name.value: FragmentDetails(definition)
            for definition in operation.document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }

    @property
    def root_type(self) -> GraphQLObjectType | None:
        return self.schema.get_root_type(self._definition.operation)

    def root_fields(self, root_type: GraphQLObjectType) -> GroupedFieldSet:
        return collect_fields(self.schema, self._fragments, self._variables, root_type, self._definition)[0]

    def object_fields(self, object_type: GraphQLObjectType, details: FieldDetailsList) -> GroupedFieldSet:
        known = self.schema, self._fragments, self._variables, self._definition
        return collect_subfields(*known, object_type, details)[0]
