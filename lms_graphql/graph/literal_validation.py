"""Validation of literals in a document: graphql-core's rule, with the location of each wrong value."""

from collections.abc import Sequence

from graphql import (
    SKIP,
    GraphQLError,
    GraphQLInputType,
    ListValueNode,
    ObjectValueNode,
    ValueNode,
    ValuesOfCorrectTypeRule,
    VisitorAction,
)
from graphql.utilities import validate_input_literal


class LocatedValuesOfCorrectTypeRule(ValuesOfCorrectTypeRule):
    """graphql-core's rule that literals have the types of their positions, with locations.

    graphql-core gives no location if a custom scalar rejects a literal, or if a list or object stands for a scalar.
    """

    def is_valid_value_node(self, node: ValueNode, input_type: GraphQLInputType | None) -> VisitorAction:
        def report(error: GraphQLError, path: Sequence[str | int]) -> None:
            self.report_error(error if error.locations else GraphQLError(error.message, value_at(node, path)))

        if input_type is not None:
            validate_input_literal(node, input_type, report, hide_suggestions=self.context.hide_suggestions)
        return SKIP


def value_at(node: ValueNode, path: Sequence[str | int]) -> ValueNode:
    """Return the part of the literal at the path, or the innermost part that contains it."""
    for step in path:
        if isinstance(node, ListValueNode) and isinstance(step, int):
            node = node.values[step]
        elif isinstance(node, ObjectValueNode):
            node = next((field.value for field in node.fields if field.name.value == step), node)
    return node
