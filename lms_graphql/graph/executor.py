"""graphql-core's executor with two short ways for queries, because field execution is where the time goes.

A plain field, without a resolver of its own, is read off the row: no path, no info object, no call. A value that is
still to come (a loader's future) is filled in by a callback when it is there: no coroutine and no task for each
object that waits. What is answered, and how errors travel, is the same: a test compares the two on the same
documents.
"""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from graphql import GraphQLObjectType, GraphQLOutputType, Undefined, is_non_null_type, located_error
from graphql.execution.collect_fields import GroupedFieldSet
from graphql.pyutils import AwaitableOrValue, Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from lms_graphql.core.faults import GivenUpError
from lms_graphql.graph.nulling import null_at
from lms_graphql.graph.steps import Step, Steps, plain_rows, steps_of

Late = asyncio.Future[Any]


class RowExecutor(StrawberryGraphQLCoreExecutionContext):
    """For queries: a mutation's root fields run one after the other, which waiting by callbacks does not do."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._steps: dict[int, Steps] = {}
        self._waiting = 0
        self._late: list[Late] = []
        self._given_up = False
        self._all_there: asyncio.Future[None] | None = None
        self._nulled: list[Path] = []

    def execute_root_grouped_field_set(
        self,
        root_type: GraphQLObjectType,
        root_value: Any,
        grouped_field_set: GroupedFieldSet,
        serially: bool,
        position_context: Any,
    ) -> AwaitableOrValue[Any]:
        assert not serially, "Mutations run on graphql-core's own executor."
        data = self.execute_fields(root_type, root_value, None, grouped_field_set, position_context)
        return self._settled(root_type, grouped_field_set, data) if self._waiting else data

    async def _settled(self, root_type: GraphQLObjectType, fields: GroupedFieldSet, data: Any) -> Any:
        if self._waiting:
            self._all_there = asyncio.get_running_loop().create_future()
            try:
                await self._all_there
            except asyncio.CancelledError:
                self._given_up = True
                for late in self._late:
                    late.cancel()
                raise
        for path in self._nulled:
            data = null_at(self, root_type, fields, data, path)
        return data

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> dict[str, Any]:
        results: dict[str, Any] = {}
        for step in self._steps_of(parent_type, grouped_field_set).steps:
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

    def _execute_step(self, step: Step, source: Any, path: Path, results: dict[str, Any]) -> None:
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

    def _complete(self, step: Step, info: Any, path: Path, value: Any) -> Any:
        return self.complete_value(step.definition.type, step.details, info, path, value, None)

    def _await(self, step: Step, path: Path, results: dict[str, Any], value: Any, then: Callable[[Any], Any]) -> None:
        results[step.name] = None  # its place in the answer's order
        self._waiting += 1
        late = asyncio.ensure_future(value)
        if late is not value:  # a task of our own, rather than a load that others may wait for, too
            self._late.append(late)
        late.add_done_callback(partial(self._arrived, step, path, results, then))

    def _arrived(
        self, step: Step, path: Path, results: dict[str, Any], then: Callable[[Any], Any], late: Late
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
            self._failed_late(step, path, error)
        finally:
            self._waiting -= 1
            if not self._waiting and self._all_there is not None and not self._all_there.done():
                self._all_there.set_result(None)

    def _failed_late(self, step: Step, path: Path, error: BaseException) -> None:
        """The objects around it have been made: the null is set where it belongs once everything is there."""
        raised = error if isinstance(error, Exception) else GivenUpError()
        self.collected_errors.add(located_error(raised, step.nodes, path.as_list()), path)
        if self.error_propagation and is_non_null_type(step.definition.type):
            self._nulled.append(path)

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
        if steps.plain and (rows := plain_rows(steps.steps, items)) is not None:
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

    def _steps_of(self, parent_type: GraphQLObjectType, fields: GroupedFieldSet) -> Steps:
        known = self._steps.get(id(fields))
        if known is None:
            known = self._steps[id(fields)] = steps_of(self.schema, parent_type, fields)
        return known


def _as_it_is(completed: Any) -> Any:
    return completed
