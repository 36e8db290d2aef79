"""Reference executor: graphql-core's executor, which charges the `ResponseBudget` while it builds the response.

It runs several mutations of one document, and operations that a plan cannot answer. `tests/graph/test_executor.py`
compares plans with it, and it with graphql-core's own.
"""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from graphql import GraphQLLeafType, GraphQLObjectType, GraphQLOutputType, get_nullable_type, is_leaf_type

from lms_graphql.graph.execution.graphql_internals import (
    ASYNC_HELPERS,
    AwaitableOrValue,
    FieldDetailsList,
    GroupedFieldSet,
    Path,
    StrawberryExecutor,
    is_awaitable,
    row_attribute,
)
from lms_graphql.graph.execution.response_budget import ResponseBudget
from lms_graphql.graph.execution.row_writer import make_leaf_completer


class _Selection(NamedTuple):
    """A selection of one object type. The fields that are read from the row need no path and no info object."""

    field_set: GroupedFieldSet
    """The whole selection. It is found by its id, so this reference keeps the id from being used again."""
    leaves: list[tuple[str, str, Callable[[Any], Any]]]
    """Response key, attribute of the row and completer of each leaf that has no resolver."""
    others: GroupedFieldSet


class ReferenceExecutor(StrawberryExecutor):
    """Executor of one operation whose context has a `budget`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_awaitable = is_awaitable
        self.async_helpers = ASYNC_HELPERS  # because the executor's own are a reference cycle: see `Context.close`
        self._budget: ResponseBudget = self.context_value.budget
        self._selections: dict[int, _Selection] = {}

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> AwaitableOrValue[dict[str, Any]]:
        selection = self._selections.get(id(grouped_field_set)) or self._select(parent_type, grouped_field_set)
        self._budget.spend(1 + len(selection.others))
        results: dict[str, Any] = dict.fromkeys(grouped_field_set)
        try:
            for name, attribute, complete in selection.leaves:
                results[name] = complete(getattr(source_value, attribute))
                self._budget.charge_text(results[name])
        except Exception:  # graphql-core raises the error at its path
            return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)
        if not selection.others:
            return results
        others = super().execute_fields(parent_type, source_value, path, selection.others, position_context)
        return results | others if isinstance(others, dict) else _update_later(results, others)

    def complete_leaf_value(self, return_type: GraphQLLeafType, result: Any) -> Any:  # type: ignore[override]
        completed = super().complete_leaf_value(return_type, result)
        self._budget.charge_text(completed)
        return completed

    def handle_field_error(
        self,
        raw_error: Exception,
        return_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        path: Path,
    ) -> None:
        self._budget.charge_error(raw_error)
        super().handle_field_error(raw_error, return_type, field_details_list, path)

    def _select(self, parent_type: GraphQLObjectType, field_set: GroupedFieldSet) -> _Selection:
        selection = _Selection(field_set, [], {})
        for name, details in field_set.items():
            definition = self.schema.get_field(parent_type, details[0].node.name.value)
            attribute = row_attribute(definition) if definition is not None else None
            if definition is not None and attribute and is_leaf_type(get_nullable_type(definition.type)):
                selection.leaves.append((name, attribute, make_leaf_completer(definition.type)))
            else:
                selection.others[name] = details
        self._selections[id(field_set)] = selection
        return selection


async def _update_later(results: dict[str, Any], others: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    return results | await others
