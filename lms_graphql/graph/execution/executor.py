"""graphql-core's executor with two short ways, because field execution is where the time goes.

A plain field, without a resolver of its own, is read off the row: no path, no info object, no call. A value that is
still to come (a loader's future) is filled in by a callback when it is there: no coroutine and no task for each
object that waits. What is answered, and how errors travel, is the same: a test compares the two on the same
documents. While an answer is made, its allowance is held: see there.
"""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from graphql import GraphQLObjectType, GraphQLOutputType, Undefined, is_non_null_type, located_error
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.pyutils import AwaitableOrValue, Path
from graphql.type import GraphQLResolveInfoHelpers
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from lms_graphql.core.db_errors import AbandonedError
from lms_graphql.graph.execution.null_propagation import propagate_null
from lms_graphql.graph.execution.response_budget import BudgetExceededError, ResponseBudget
from lms_graphql.graph.execution.selection_plan import FieldPlan, SelectionPlan, plan_selection, serialize_rows

PendingValue = asyncio.Future[Any]
_HELPERS = GraphQLResolveInfoHelpers(gather=lambda late: asyncio.gather(*late), track=lambda _late: None)
"""Resolvers here neither gather nor track: they have their loaders."""


class RowExecutor(StrawberryGraphQLCoreExecutionContext):
    """Needs a context with an `allowance`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.async_helpers = _HELPERS  # its own refer back to it: see `Context.close`
        self._allowance: ResponseBudget = self.context_value.budget
        self._steps: dict[int, SelectionPlan] = {}
        self._waiting = 0
        self._late: list[PendingValue] = []
        self._given_up = False
        self._all_there: asyncio.Future[None] | None = None
        self._nulled: list[Path] = []
        self._spent: BudgetExceededError | None = None

    def execute_root_grouped_field_set(
        self,
        root_type: GraphQLObjectType,
        root_value: Any,
        grouped_field_set: GroupedFieldSet,
        serially: bool,
        position_context: Any,
    ) -> AwaitableOrValue[Any]:
        if serially:
            return self._one_by_one(root_type, root_value, grouped_field_set)
        data = self._begun(root_type, root_value, grouped_field_set)
        return self._settled(root_type, grouped_field_set, data) if self._waiting else data

    async def _one_by_one(self, root_type: GraphQLObjectType, root_value: Any, fields: GroupedFieldSet) -> Any:
        """A mutation's root fields: each is settled, with all below it, before the next begins."""
        whole: dict[str, Any] = {}
        for name, details in fields.items():
            field = {name: details}
            data = await self._settled(root_type, field, self._begun(root_type, root_value, field))
            if data is None:
                return None
            whole |= data
        return whole

    def _begun(self, root_type: GraphQLObjectType, root_value: Any, fields: GroupedFieldSet) -> Any:
        try:
            return self.execute_fields(root_type, root_value, None, fields, None)
        except BudgetExceededError:
            self._give_up()
            raise

    async def _settled(self, root_type: GraphQLObjectType, fields: GroupedFieldSet, data: Any) -> Any:
        if self._waiting:
            self._all_there = asyncio.get_running_loop().create_future()
            try:
                await self._all_there
            except asyncio.CancelledError:
                self._give_up()
                raise
        if self._spent is not None:
            raise self._spent
        for path in self._nulled:
            data = propagate_null(self, root_type, fields, data, path)
        self._nulled.clear()
        return data

    def _give_up(self) -> None:
        self._given_up = True
        for late in self._late:
            late.cancel()

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> dict[str, Any]:
        results: dict[str, Any] = {}
        steps = self._steps_of(parent_type, grouped_field_set)
        self._allowance.spend(steps.weight)
        for step in steps.steps:
            if step.attribute is not None:
                value = getattr(source_value, step.attribute, Undefined)
                if value is None and step.nullable:
                    results[step.name] = None
                    continue
                value = step.output(value)
                if value is not Undefined:
                    results[step.name] = value
                    continue
            self._execute_step(step, source_value, Path(path, step.name, parent_type.name), results)
        return results

    def _execute_step(self, step: FieldPlan, source: Any, path: Path, results: dict[str, Any]) -> None:
        """Resolves a field and completes its value, now or when it is there. Raises where a null must travel up."""
        info = self.build_resolve_info(step.definition, step.nodes, step.parent_type, path)
        try:
            value = step.resolve(source, info, **step.arguments(self))
            if isinstance(value, asyncio.Future) or self.is_awaitable(value):
                self._await(step, path, results, value, partial(self._complete, step, info, path))
                return
            completed = self._complete(step, info, path, value)
            if self.is_awaitable(completed):
                self._await(step, path, results, completed, _as_it_is)
                return
            results[step.name] = completed
        except Exception as error:
            results[step.name] = None
            self.handle_field_error(error, step.definition.type, step.details, path)

    def _complete(self, step: FieldPlan, info: Any, path: Path, value: Any) -> Any:
        completed = self.complete_value(step.definition.type, step.details, info, path, value, None)
        self._allowance.charge_text(completed)
        return completed

    def _await(
        self, step: FieldPlan, path: Path, results: dict[str, Any], value: Any, then: Callable[[Any], Any]
    ) -> None:
        results[step.name] = None  # its place in the answer's order
        self._waiting += 1
        late = asyncio.ensure_future(value)
        if late is not value:  # a task of our own, rather than a load that others may wait for, too
            self._late.append(late)
        late.add_done_callback(partial(self._arrived, step, path, results, then))

    def _arrived(
        self, step: FieldPlan, path: Path, results: dict[str, Any], then: Callable[[Any], Any], late: PendingValue
    ) -> None:
        if self._given_up:
            if not late.cancelled():
                late.exception()  # seen, so that nobody is warned of it
            return
        try:
            completed = then(late.result())
            if self.is_awaitable(completed):
                self._await(step, path, results, completed, _as_it_is)
            else:
                results[step.name] = completed
        except (Exception, asyncio.CancelledError) as error:
            try:
                self._failed_late(step, path, error)
            except BudgetExceededError as spent:
                self._spent, self._waiting = spent, 1
                self._give_up()
        finally:
            self._waiting -= 1
            if not self._waiting and self._all_there is not None and not self._all_there.done():
                self._all_there.set_result(None)

    def _failed_late(self, step: FieldPlan, path: Path, error: BaseException) -> None:
        """The objects around it have been made: the null is set where it belongs once everything is there."""
        raised = error if isinstance(error, Exception) else AbandonedError()
        self._allowance.charge_error(raised)
        self.collected_errors.add(located_error(raised, step.nodes, path.as_list()), path)
        if self.error_propagation and is_non_null_type(step.definition.type):
            self._nulled.append(path)

    def handle_field_error(
        self,
        raw_error: Exception,
        return_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        path: Path,
    ) -> None:
        self._allowance.charge_error(raw_error)
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
        kind = item_type.of_type if is_non_null_type(item_type) else item_type
        if not isinstance(kind, GraphQLObjectType) or not isinstance(items, list) or not self._are_rows(items):
            return super().complete_iterable_value(item_type, field_details_list, info, path, items, position_context)
        fields = self.collect_subfields(kind, field_details_list)[0]
        steps = self._steps_of(kind, fields)
        if steps.plain:
            self._allowance.spend(len(items))
            if (rows := serialize_rows(steps.steps, items)) is not None:
                return rows
        completed: list[Any] = []
        for place, item in enumerate(items):
            item_path = Path(path, place, None)
            try:
                completed.append(self.execute_fields(kind, item, item_path, fields, None))
            except Exception as error:
                completed.append(None)
                self.handle_field_error(error, item_type, field_details_list, item_path)
        return completed

    def _are_rows(self, items: list[Any]) -> bool:
        """Whether they are of one kind and at hand. None among them, or a future, takes the long way."""
        return len(set(map(type, items))) == 1 and items[0] is not None and not self.is_awaitable(items[0])

    def _steps_of(self, parent_type: GraphQLObjectType, fields: GroupedFieldSet) -> SelectionPlan:
        known = self._steps.get(id(fields))
        if known is None:
            known = self._steps[id(fields)] = plan_selection(self.schema, parent_type, fields, self._allowance)
        return known


def _as_it_is(completed: Any) -> Any:
    return completed
