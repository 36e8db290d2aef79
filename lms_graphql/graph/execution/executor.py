"""Fast executor: graphql-core's executor with two short paths, because field execution takes most of the time.

- A field without a resolver is read from the row's attribute: no path, no info object and no call.
- A value that is not loaded yet (a loader's future) is filled in by a callback: no coroutine and no task for each
  object that waits.

Data and errors are those of graphql-core. `tests/graph/test_executor.py` compares both executors on the same
documents. While the response is built, its budget is charged: see `ResponseBudget`.
"""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from graphql import GraphQLObjectType, GraphQLOutputType, Undefined, is_non_null_type, located_error

from lms_graphql.core.db_errors import AbandonedError
from lms_graphql.graph.execution.graphql_internals import (
    ASYNC_HELPERS,
    AwaitableOrValue,
    FieldDetailsList,
    GroupedFieldSet,
    Path,
    StrawberryExecutor,
    collect_object_fields,
    is_awaitable,
)
from lms_graphql.graph.execution.null_propagation import propagate_null
from lms_graphql.graph.execution.response_budget import BudgetExceededError, ResponseBudget
from lms_graphql.graph.execution.selection_plan import FieldPlan, SelectionPlan, plan_selection, serialize_rows

PendingValue = asyncio.Future[Any]


class RowExecutor(StrawberryExecutor):
    """Executor of one operation whose context has a `budget`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_awaitable = is_awaitable
        self.async_helpers = ASYNC_HELPERS  # because the executor's own are a reference cycle: see `Context.close`
        self._budget: ResponseBudget = self.context_value.budget
        self._plans: dict[int, SelectionPlan] = {}
        self._pending = 0
        self._tasks: list[PendingValue] = []
        self._is_stopped = False
        self._all_done: asyncio.Future[None] | None = None
        self._null_paths: list[Path] = []
        self._budget_error: BudgetExceededError | None = None

    def execute_root_grouped_field_set(
        self,
        root_type: GraphQLObjectType,
        root_value: Any,
        grouped_field_set: GroupedFieldSet,
        serially: bool,
        position_context: Any,
    ) -> AwaitableOrValue[Any]:
        if serially:
            return self._execute_serially(root_type, root_value, grouped_field_set)
        data = self._start(root_type, root_value, grouped_field_set)
        return self._finish(root_type, grouped_field_set, data) if self._pending else data

    async def _execute_serially(self, root_type: GraphQLObjectType, root_value: Any, fields: GroupedFieldSet) -> Any:
        """Execute the root fields of a mutation. Each is complete, with all below it, before the next one starts."""
        result: dict[str, Any] = {}
        for name, details in fields.items():
            field = {name: details}
            data = await self._finish(root_type, field, self._start(root_type, root_value, field))
            if data is None:
                return None
            result |= data
        return result

    def _start(self, root_type: GraphQLObjectType, root_value: Any, fields: GroupedFieldSet) -> Any:
        try:
            return self.execute_fields(root_type, root_value, None, fields, None)
        except BudgetExceededError:
            self._stop()
            raise

    async def _finish(self, root_type: GraphQLObjectType, fields: GroupedFieldSet, data: Any) -> Any:
        """Wait for all pending values. Return the data with nulls propagated."""
        if self._pending:
            self._all_done = asyncio.get_running_loop().create_future()
            try:
                await self._all_done
            except asyncio.CancelledError:
                self._stop()
                raise
        if self._budget_error is not None:
            raise self._budget_error
        for path in self._null_paths:
            data = propagate_null(self, root_type, fields, data, path)
        self._null_paths.clear()
        return data

    def _stop(self) -> None:
        self._is_stopped = True
        for task in self._tasks:
            task.cancel()

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> dict[str, Any]:
        results: dict[str, Any] = {}
        plan = self._plan(parent_type, grouped_field_set)
        self._budget.spend(plan.weight)
        for field in plan.fields:
            if field.attribute is not None:
                value = getattr(source_value, field.attribute, Undefined)
                if value is None and field.nullable:
                    results[field.name] = None
                    continue
                value = field.serialize(value)
                if value is not Undefined:
                    results[field.name] = value
                    continue
            self._resolve_field(field, source_value, Path(path, field.name, parent_type.name), results)
        return results

    def _resolve_field(self, field: FieldPlan, source: Any, path: Path, results: dict[str, Any]) -> None:
        """Resolve a field and complete its value, now or when it arrives. Raise if a null must be propagated."""
        info = self.build_resolve_info(field.definition, field.nodes, field.parent_type, path)
        try:
            value = field.resolve(source, info, **field.arguments(self))
            if isinstance(value, asyncio.Future) or self.is_awaitable(value):
                self._complete_later(field, path, results, value, partial(self._complete, field, info, path))
                return
            completed = self._complete(field, info, path, value)
            if self.is_awaitable(completed):
                self._complete_later(field, path, results, completed, _unchanged)
                return
            results[field.name] = completed
        except Exception as error:
            results[field.name] = None
            self.handle_field_error(error, field.definition.type, field.details, path)

    def _complete(self, field: FieldPlan, info: Any, path: Path, value: Any) -> Any:
        completed = self.complete_value(field.definition.type, field.details, info, path, value, None)
        self._budget.charge_text(completed)
        return completed

    def _complete_later(
        self, field: FieldPlan, path: Path, results: dict[str, Any], value: Any, complete: Callable[[Any], Any]
    ) -> None:
        results[field.name] = None  # reserves the field's position in the response
        self._pending += 1
        future = asyncio.ensure_future(value)
        if future is not value:  # a task of this operation, not a load that other fields may wait for
            self._tasks.append(future)
        future.add_done_callback(partial(self._value_arrived, field, path, results, complete))

    def _value_arrived(
        self,
        field: FieldPlan,
        path: Path,
        results: dict[str, Any],
        complete: Callable[[Any], Any],
        future: PendingValue,
    ) -> None:
        if self._is_stopped:
            if not future.cancelled():
                future.exception()  # asyncio logs exceptions that are never retrieved
            return
        try:
            completed = complete(future.result())
            if self.is_awaitable(completed):
                self._complete_later(field, path, results, completed, _unchanged)
            else:
                results[field.name] = completed
        except (Exception, asyncio.CancelledError) as error:
            try:
                self._add_late_error(field, path, error)
            except BudgetExceededError as budget_error:
                self._budget_error, self._pending = budget_error, 1
                self._stop()
        finally:
            self._pending -= 1
            if not self._pending and self._all_done is not None and not self._all_done.done():
                self._all_done.set_result(None)

    def _add_late_error(self, field: FieldPlan, path: Path, error: BaseException) -> None:
        """Add the error of a value that arrived late.

        The objects around it are complete already, so its null is propagated when all values have arrived.
        """
        raised = error if isinstance(error, Exception) else AbandonedError()
        self._budget.charge_error(raised)
        self.collected_errors.add(located_error(raised, field.nodes, path.as_list()), path)
        if self.error_propagation and is_non_null_type(field.definition.type):
            self._null_paths.append(path)

    def handle_field_error(
        self,
        raw_error: Exception,
        return_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        path: Path,
    ) -> None:
        self._budget.charge_error(raw_error)
        super().handle_field_error(raw_error, return_type, field_details_list, path)

    def complete_iterable_value(
        self,
        item_type: GraphQLOutputType,
        field_details_list: Any,
        info: Any,
        path: Path,
        items: Iterable[Any],
        position_context: Any,
    ) -> AwaitableOrValue[list[Any]]:
        object_type = item_type.of_type if is_non_null_type(item_type) else item_type
        if not isinstance(object_type, GraphQLObjectType) or not isinstance(items, list) or not self._are_rows(items):
            return super().complete_iterable_value(item_type, field_details_list, info, path, items, position_context)
        field_set = collect_object_fields(self, object_type, field_details_list)
        plan = self._plan(object_type, field_set)
        if plan.is_plain:
            self._budget.spend(len(items))
            if (rows := serialize_rows(plan.fields, items)) is not None:
                return rows
        completed: list[Any] = []
        for index, item in enumerate(items):
            item_path = Path(path, index, None)
            try:
                completed.append(self.execute_fields(object_type, item, item_path, field_set, None))
            except Exception as error:
                completed.append(None)
                self.handle_field_error(error, item_type, field_details_list, item_path)
        return completed

    def _are_rows(self, items: list[Any]) -> bool:
        """Return whether all items are loaded and of one class. Lists with None or futures take the long path."""
        return len(set(map(type, items))) == 1 and items[0] is not None and not self.is_awaitable(items[0])

    def _plan(self, parent_type: GraphQLObjectType, field_set: GroupedFieldSet) -> SelectionPlan:
        plan = self._plans.get(id(field_set))
        if plan is None:
            plan = plan_selection(self.schema, parent_type, field_set, self._budget)
            self._plans[id(field_set)] = plan
        return plan


def _unchanged(completed: Any) -> Any:
    return completed
