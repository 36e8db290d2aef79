"""Plan of a selection: which fields are read from the attributes of a row, and which call a resolver.

A plan is made once for a selection of a request and used for all its rows.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from graphql import (
    FieldNode,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    Undefined,
    get_nullable_type,
    is_leaf_type,
    is_non_null_type,
)
from graphql.execution import Executor

from lms_graphql.graph.execution.graphql_internals import (
    FieldDetailsList,
    GroupedFieldSet,
    argument_values,
    row_attribute,
)
from lms_graphql.graph.execution.response_budget import ResponseBudget

Serializer = Callable[[Any], Any]
"""Returns the value as it stands in the response, or Undefined if it does not have the usual Python type."""
PLAN_EXTENSION = "lms-graphql-reading"
"""Key in the `extensions` of a field definition, where its part of the plan is cached."""
_MIN_INT, _MAX_INT = -(2**31), 2**31 - 1


@dataclass(slots=True)
class FieldPlan:
    """A field of a selection. It reads `attribute` of the row, or calls `resolve` if there is no attribute."""

    name: str
    parent_type: GraphQLObjectType
    definition: GraphQLField
    details: FieldDetailsList
    nodes: list[FieldNode]
    resolve: Callable[..., Any]
    attribute: str | None
    serialize: Serializer
    nullable: bool
    _arguments: dict[str, Any] | None = field(default=None)

    def arguments(self, executor: Executor[Any]) -> dict[str, Any]:
        """Return the arguments of the resolver. They are computed once, because they are the same for each row."""
        if self._arguments is None:
            self._arguments = argument_values(executor, self.definition, self.details)
        return self._arguments


class SelectionPlan(NamedTuple):
    """Plan of one selection on one object type."""

    field_set: GroupedFieldSet
    """The selection. A plan is found by its id, so this reference keeps the id from being used again."""
    fields: list[FieldPlan]
    is_plain: bool
    """True if all fields are read from attributes."""
    weight: int
    """Budget units of one object: one for itself and one for each resolver call."""


def plan_selection(
    schema: GraphQLSchema, parent_type: GraphQLObjectType, field_set: GroupedFieldSet, budget: ResponseBudget
) -> SelectionPlan:
    fields = []
    for name, details in field_set.items():
        definition = schema.get_field(parent_type, details[0].node.name.value)
        if definition is not None:
            fields.append(_plan_field(parent_type, name, definition, details, budget))
    resolver_calls = sum(field.attribute is None for field in fields)
    return SelectionPlan(field_set, fields, not resolver_calls, 1 + resolver_calls)


def serialize_rows(fields: list[FieldPlan], items: list[Any]) -> list[dict[str, Any]] | None:
    """Return the objects of a list whose fields are all plain. None if a value does not have the usual type."""
    plan = [(field.name, field.attribute, field.serialize, field.nullable) for field in fields]
    rows = []
    for item in items:
        row: dict[str, Any] = {}
        for name, attribute, serialize, nullable in plan:
            value = getattr(item, attribute, Undefined)  # type: ignore[arg-type]
            if value is None and nullable:
                row[name] = None
                continue
            value = serialize(value)
            if value is Undefined:
                return None
            row[name] = value
        rows.append(row)
    return rows


def _plan_field(
    parent_type: GraphQLObjectType,
    name: str,
    definition: GraphQLField,
    details: FieldDetailsList,
    budget: ResponseBudget,
) -> FieldPlan:
    attribute, serialize, nullable = _definition_plan(definition)
    return FieldPlan(
        name=name,
        parent_type=parent_type,
        definition=definition,
        details=details,
        nodes=[detail.node for detail in details],
        resolve=definition.resolve or _read_attribute,
        attribute=attribute,
        serialize=budget.charge_text if serialize is _text else serialize,
        nullable=nullable,
    )


def _definition_plan(definition: GraphQLField) -> tuple[str | None, Serializer, bool]:
    """Return attribute, serializer and nullability of a field. They are computed once for a schema."""
    cached: tuple[str | None, Serializer, bool] | None = definition.extensions.get(PLAN_EXTENSION)
    if cached is None:
        leaf = get_nullable_type(definition.type)
        attribute = row_attribute(definition) if is_leaf_type(leaf) else None
        serialize = _serializer(cast("GraphQLLeafType", leaf)) if attribute else _undefined
        cached = definition.extensions[PLAN_EXTENSION] = (attribute, serialize, not is_non_null_type(definition.type))
    return cached


def _serializer(leaf: GraphQLLeafType) -> Serializer:
    if leaf is GraphQLInt:
        return _integer
    if isinstance(leaf, GraphQLEnumType):
        names = {value.value: name for name, value in leaf.values.items()}
        return _undefined_if_failing(lambda value: names.get(value, Undefined))
    if leaf is GraphQLString:
        return _text
    expected = {GraphQLID: str, GraphQLBoolean: bool}.get(leaf)
    if expected is not None:
        return lambda value: value if type(value) is expected else Undefined
    return _undefined_if_failing(lambda value: Undefined if value is None else leaf.coerce_output_value(value))


def _undefined_if_failing(serializer: Serializer) -> Serializer:
    """Return a serializer that raises nothing.

    For Undefined, the executor completes the value in graphql-core's way, which raises the error at the field's path.
    """

    def serialize(value: Any) -> Any:
        try:
            return serializer(value)
        except Exception:
            return Undefined

    return serialize


def _integer(value: Any) -> Any:
    return value if type(value) is int and _MIN_INT <= value <= _MAX_INT else Undefined


def _undefined(_value: Any) -> Any:
    return Undefined


def _text(_value: Any) -> Any:
    """Return Undefined. It marks a text: the plan of a response replaces it with `charge_text` of its own budget."""
    return Undefined


def _read_attribute(row: Any, info: Any) -> Any:
    """Resolve a field that has no resolver. Strawberry gives each field one, and so does introspection."""
    return getattr(row, info.field_name, None)
