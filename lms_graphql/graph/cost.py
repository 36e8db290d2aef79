"""Cost of a request: one unit for each object with an id that the response may contain.

An operation is planned once for each document. Its cost is computed for each request, because `first: $n` is known
only then. Each fragment is planned once for a document. For a request it is computed once for each size that a level
of a tree may have. There are few sizes, because they grow tenfold up to a limit. So both take linear time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_interface_type,
    is_list_type,
    is_object_type,
)

from lms_graphql.core.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from lms_graphql.graph.schema.fields import LIST_SIZE, ListSize
from lms_graphql.graph.schema.strawberry_internals import field_metadata

UNPAGED_SIZE = 10
"""Assumed length of a list without pages."""

Variables = Mapping[str, Any]
Factor = Callable[[Variables], int]


@dataclass(slots=True)
class FieldCost:
    """A field of `factor` objects. Each costs `unit` and what is selected of it.

    `tree_size` is the number of items in the whole tree, if the field is a list of a tree's level.
    """

    factor: Factor
    tree_size: int | None
    unit: int
    selection: "SelectionCost"


@dataclass(slots=True)
class SelectionCost:
    """Costs of the fields of a selection, and the names of the fragments that it spreads."""

    fields: list[FieldCost]
    spreads: list[str]


class CostPlan:
    """Cost of one operation. Its document is valid against the schema."""

    def __init__(
        self,
        schema: GraphQLSchema,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
    ) -> None:
        self._schema = schema
        self._defaults = {
            definition.variable.name.value: definition.default_value
            for definition in operation.variable_definitions or ()
        }
        self._fragments = {
            name: self._plan(schema.get_type(fragment.type_condition.name.value), fragment.selection_set)
            for name, fragment in fragments.items()
        }
        self._operation = self._plan(schema.get_root_type(operation.operation), operation.selection_set)

    def total(self, variables: Variables) -> int:
        return _Evaluation(variables, self._fragments).total(self._operation)

    def _plan(self, graphql_type: GraphQLNamedType | None, selection_set: SelectionSetNode | None) -> SelectionCost:
        plan = SelectionCost([], [])
        if selection_set is None or graphql_type is None:
            return plan
        for selection in selection_set.selections:
            if isinstance(selection, FragmentSpreadNode):
                plan.spreads.append(selection.name.value)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inner_type = self._schema.get_type(condition.name.value) if condition else graphql_type
                inner = self._plan(inner_type, selection.selection_set)
                plan.fields += inner.fields
                plan.spreads += inner.spreads
            elif isinstance(selection, FieldNode) and selection.selection_set is not None:
                self._plan_field(plan, graphql_type, selection)
        return plan

    def _plan_field(self, plan: SelectionCost, graphql_type: GraphQLNamedType, node: FieldNode) -> None:
        name = node.name.value
        if not (is_object_type(graphql_type) or is_interface_type(graphql_type)):
            return
        definition = graphql_type.fields.get(name)
        if definition is None or name.startswith("__"):
            return
        returned = get_named_type(definition.type)
        unit = int(_has_id(returned))
        size: ListSize = field_metadata(definition).get(LIST_SIZE) or ListSize(UNPAGED_SIZE)
        factor = self._factor(graphql_type, definition, node, size)
        plan.fields.append(FieldCost(factor, size.total, unit, self._plan(returned, node.selection_set)))

    def _factor(
        self, graphql_type: GraphQLNamedType, definition: GraphQLField, node: FieldNode, size: ListSize
    ) -> Factor:
        arguments = {argument.name.value: argument.value for argument in node.arguments or ()}
        if _is_connection(get_named_type(definition.type)):
            return self._page_size(arguments)
        if not is_list_type(get_nullable_type(definition.type)) or _is_connection(graphql_type):
            return lambda _: 1  # because the connection is already multiplied by its page size
        if "ids" in definition.args:
            return self._length(arguments.get("ids"))
        return lambda _: size.expected

    def _page_size(self, arguments: Mapping[str, ValueNode]) -> Factor:
        first, last = self._number(arguments.get("first")), self._number(arguments.get("last"))

        def size(variables: Variables) -> int:
            requested = first(variables) or last(variables) or DEFAULT_PAGE_SIZE
            return min(max(requested, 1), MAX_PAGE_SIZE)

        return size

    def _number(self, node: ValueNode | None) -> Factor:
        if isinstance(node, IntValueNode):
            value = int(node.value[:12])
            return lambda _: value
        if isinstance(node, VariableNode):
            name = node.name.value
            default = self._number(self._defaults.get(name))

            def number(variables: Variables) -> int:
                value = variables.get(name, default(variables))
                is_int = isinstance(value, int | float) and -(2**31) < value < 2**31  # 100.0 is a GraphQL Int, too
                return int(value) if is_int else 0

            return number
        return lambda _: 0

    def _length(self, node: ValueNode | None) -> Factor:
        if isinstance(node, ListValueNode):
            length = len(node.values)
            return lambda _: length
        if isinstance(node, VariableNode):
            name = node.name.value
            default = self._length(self._defaults.get(name))

            def length_of_variable(variables: Variables) -> int:
                value = variables.get(name)
                return len(value) if isinstance(value, list) else default(variables)

            return length_of_variable
        return lambda _: 1


class _Evaluation:
    """Computation of the cost for the variables of one request."""

    def __init__(self, variables: Variables, fragments: Mapping[str, SelectionCost]) -> None:
        self._variables = variables
        self._fragments = fragments
        self._totals: dict[tuple[str, int], int] = {}

    def total(self, plan: SelectionCost, level_size: int = 1) -> int:
        """Return the cost of the selection of one object.

        `level_size` is the number of such objects on this level of a tree, or 1 outside of trees.
        """
        total = sum(self._field_total(field, level_size) for field in plan.fields)
        for name in plan.spreads:
            if (name, level_size) not in self._totals:
                self._totals[name, level_size] = self.total(self._fragments[name], level_size)
            total += self._totals[name, level_size]
        return total

    def _field_total(self, field: FieldCost, level_size: int) -> int:
        factor, next_level_size = field.factor(self._variables), 1
        if field.tree_size is not None:
            factor = max(1, min(factor, field.tree_size // level_size))
            next_level_size = level_size * factor
        return factor * (field.unit + self.total(field.selection, next_level_size))


def _has_id(graphql_type: GraphQLNamedType) -> bool:
    return (is_object_type(graphql_type) or is_interface_type(graphql_type)) and "id" in graphql_type.fields


def _is_connection(graphql_type: GraphQLNamedType) -> bool:
    return (
        isinstance(graphql_type, GraphQLObjectType)
        and graphql_type.name.endswith("Connection")
        and "edges" in graphql_type.fields
    )
