"""What a request may cost: one for each object with an id that may come back.

The plan is made once for a document; its number is worked out for each request, because `first: $n` is known only
then. Fragments are planned once and worked out once a request, so both take linear time.
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

UNPAGED_SIZE = 10
"""What a list without pages counts."""

Variables = Mapping[str, Any]
Factor = Callable[[Variables], int]


@dataclass(slots=True)
class FieldCost:
    """A field: so many objects, each counting `unit` and what is selected of it."""

    factor: Factor
    unit: int
    below: "SelectionCost"


@dataclass(slots=True)
class SelectionCost:
    charges: list[FieldCost]
    spreads: list[str]


class CostPlan:
    """The cost of one operation of a document that is valid against the schema."""

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
        self._plan_of_all = self._plan(schema.get_root_type(operation.operation), operation.selection_set)

    def total(self, variables: Variables) -> int:
        return _total(self._plan_of_all, variables, self._fragments, {})

    def _plan(self, kind: GraphQLNamedType | None, selection_set: SelectionSetNode | None) -> SelectionCost:
        plan = SelectionCost([], [])
        if selection_set is None or kind is None:
            return plan
        for selection in selection_set.selections:
            if isinstance(selection, FragmentSpreadNode):
                plan.spreads.append(selection.name.value)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inner = self._schema.get_type(condition.name.value) if condition else kind
                inside = self._plan(inner, selection.selection_set)
                plan.charges += inside.charges
                plan.spreads += inside.spreads
            elif isinstance(selection, FieldNode) and selection.selection_set is not None:
                self._plan_field(plan, kind, selection)
        return plan

    def _plan_field(self, plan: SelectionCost, kind: GraphQLNamedType, node: FieldNode) -> None:
        name = node.name.value
        definition = kind.fields.get(name) if is_object_type(kind) or is_interface_type(kind) else None
        if definition is None or name.startswith("__"):
            return
        returned = get_named_type(definition.type)
        unit = int(_has_id(returned))
        plan.charges.append(
            FieldCost(self._factor(kind, definition, node), unit, self._plan(returned, node.selection_set))
        )

    def _factor(self, kind: GraphQLNamedType, definition: GraphQLField, node: FieldNode) -> Factor:
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        if _is_connection(get_named_type(definition.type)):
            return self._page_size(given)
        if not is_list_type(get_nullable_type(definition.type)) or _is_connection(kind):
            return lambda _: 1  # a connection has been multiplied by its size already
        if "ids" in definition.args:
            return self._length(given.get("ids"))
        return lambda _: UNPAGED_SIZE

    def _page_size(self, given: Mapping[str, ValueNode]) -> Factor:
        first, last = self._number(given.get("first")), self._number(given.get("last"))

        def size(variables: Variables) -> int:
            asked = first(variables) or last(variables) or DEFAULT_PAGE_SIZE
            return min(max(asked, 1), MAX_PAGE_SIZE)

        return size

    def _number(self, node: ValueNode | None) -> Factor:
        if isinstance(node, IntValueNode):
            value = int(node.value[:12])
            return lambda _: value
        if isinstance(node, VariableNode):
            name = node.name.value
            default = self._number(self._defaults.get(name))

            def number(variables: Variables) -> int:
                given = variables.get(name, default(variables))
                whole = isinstance(given, int | float) and -(2**31) < given < 2**31  # 100.0 is an Int, too
                return int(given) if whole else 0

            return number
        return lambda _: 0

    def _length(self, node: ValueNode | None) -> Factor:
        if isinstance(node, ListValueNode):
            length = len(node.values)
            return lambda _: length
        if isinstance(node, VariableNode):
            name = node.name.value
            default = self._length(self._defaults.get(name))

            def number(variables: Variables) -> int:
                given = variables.get(name)
                return len(given) if isinstance(given, list) else default(variables)

            return number
        return lambda _: 1


def _total(
    plan: SelectionCost, variables: Variables, fragments: Mapping[str, SelectionCost], known: dict[str, int]
) -> int:
    total = sum(
        charge.factor(variables) * (charge.unit + _total(charge.below, variables, fragments, known))
        for charge in plan.charges
    )
    for name in plan.spreads:
        if name not in known:
            known[name] = 0
            known[name] = _total(fragments[name], variables, fragments, known)
        total += known[name]
    return total


def _has_id(kind: GraphQLNamedType) -> bool:
    return (is_object_type(kind) or is_interface_type(kind)) and "id" in kind.fields


def _is_connection(kind: GraphQLNamedType) -> bool:
    return isinstance(kind, GraphQLObjectType) and kind.name.endswith("Connection") and "edges" in kind.fields
