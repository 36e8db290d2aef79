"""A selection made ready for many rows: what is read off a row as it is, and what goes through a resolver."""

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
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.execution.values import get_argument_values
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from lms_graphql.graph.execution.response_budget import ResponseBudget

Output = Callable[[Any], Any]
PLAN_EXTENSION = "lms-graphql-reading"
_SMALLEST, _LARGEST = -(2**31), 2**31 - 1


@dataclass(slots=True)
class FieldPlan:
    """A field of a selection. `attribute` is the row's, where the field shows one as it is."""

    name: str
    parent_type: GraphQLObjectType
    definition: GraphQLField
    details: FieldDetailsList
    nodes: list[FieldNode]
    resolve: Callable[..., Any]
    attribute: str | None
    output: Output
    nullable: bool
    _arguments: dict[str, Any] | None = field(default=None)

    def arguments(self, executor: Executor[Any]) -> dict[str, Any]:
        """What the resolver is given: the same for every row, so it is worked out once."""
        if self._arguments is None:
            first = self.details[0]
            self._arguments = get_argument_values(
                self.definition,
                first.node,
                executor.variable_values,
                first.fragment_variable_values,
                executor.hide_suggestions,
            )
        return self._arguments


class SelectionPlan(NamedTuple):
    of: GroupedFieldSet
    """Kept, so that its id, by which the steps are found, is not given to another."""
    steps: list[FieldPlan]
    plain: bool
    """Whether every field is read off the row."""
    weight: int
    """What one such object takes of the allowance: itself and each resolver that is called for it."""


def plan_selection(
    schema: GraphQLSchema, parent_type: GraphQLObjectType, fields: GroupedFieldSet, allowance: ResponseBudget
) -> SelectionPlan:
    steps = []
    for name, details in fields.items():
        definition = schema.get_field(parent_type, details[0].node.name.value)
        if definition is not None:
            steps.append(_step(parent_type, name, definition, details, allowance))
    called = sum(step.attribute is None for step in steps)
    return SelectionPlan(fields, steps, not called, 1 + called)


def serialize_rows(steps: list[FieldPlan], items: list[Any]) -> list[dict[str, Any]] | None:
    """All of a list whose fields are read off its rows; None where a value is not as expected."""
    plan = [(step.name, step.attribute, step.output, step.nullable) for step in steps]
    rows = []
    for item in items:
        row: dict[str, Any] = {}
        for name, attribute, output, nullable in plan:
            value = getattr(item, attribute, Undefined)  # type: ignore[arg-type]
            if value is None and nullable:
                row[name] = None
                continue
            value = output(value)
            if value is Undefined:
                return None
            row[name] = value
        rows.append(row)
    return rows


def _step(
    parent_type: GraphQLObjectType,
    name: str,
    definition: GraphQLField,
    details: FieldDetailsList,
    allowance: ResponseBudget,
) -> FieldPlan:
    attribute, output, nullable = _reading_of(definition)
    return FieldPlan(
        name=name,
        parent_type=parent_type,
        definition=definition,
        details=details,
        nodes=[one.node for one in details],
        resolve=definition.resolve or _off_the_row,
        attribute=attribute,
        output=allowance.charge_text if output is _text else output,
        nullable=nullable,
    )


def _reading_of(definition: GraphQLField) -> tuple[str | None, Output, bool]:
    """The attribute, what is done to its value, and whether that may be null: worked out once for a schema."""
    known: tuple[str | None, Output, bool] | None = definition.extensions.get(PLAN_EXTENSION)
    if known is None:
        attribute = _attribute_of(definition)
        leaf = cast("GraphQLLeafType", get_nullable_type(definition.type))
        output = _output_of(leaf) if attribute else _long_way
        known = definition.extensions[PLAN_EXTENSION] = (attribute, output, not is_non_null_type(definition.type))
    return known


def _attribute_of(definition: GraphQLField) -> str | None:
    """The row's attribute that this field shows, where it shows one as it is."""
    made_of: StrawberryField | None = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if made_of is None or not made_of.is_basic_field or not is_leaf_type(get_nullable_type(definition.type)):
        return None
    return made_of.python_name


def _output_of(leaf: GraphQLLeafType) -> Output:
    """How a value of this type is put into the answer; Undefined where it is not one of the usual form."""
    if leaf is GraphQLInt:
        return _integer
    if isinstance(leaf, GraphQLEnumType):
        names = {value.value: name for name, value in leaf.values.items()}
        return _careful(lambda value: names.get(value, Undefined))
    if leaf is GraphQLString:
        return _text
    expected = {GraphQLID: str, GraphQLBoolean: bool}.get(leaf)
    if expected is not None:
        return lambda value: value if type(value) is expected else Undefined
    return _careful(lambda value: Undefined if value is None else leaf.coerce_output_value(value))


def _careful(output: Output) -> Output:
    """A value that cannot be put out goes the long way, which says so at the field's own place."""

    def put_out(value: Any) -> Any:
        try:
            return output(value)
        except Exception:
            return Undefined

    return put_out


def _integer(value: Any) -> Any:
    return value if type(value) is int and _SMALLEST <= value <= _LARGEST else Undefined


def _long_way(_value: Any) -> Any:
    return Undefined


def _text(_value: Any) -> Any:
    """Stands for the `text` of the answer's allowance, which is another for each answer."""
    return Undefined


def _off_the_row(row: Any, info: Any) -> Any:
    """For graphql-core's own fields, such as those of introspection, which bring their resolvers; nothing else."""
    return getattr(row, info.field_name, None)
