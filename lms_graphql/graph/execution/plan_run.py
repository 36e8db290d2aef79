"""Run of a query plan: all objects of a level are resolved, then what their resolvers ask for is read at once.

Nothing here waits: the caller lets `PlanLoads.read_wanted` run in a worker thread, and then calls `advance`, until
all is read. An exception of any kind means that the reference executor must run the query.
"""

from collections.abc import Coroutine, Iterable, Sequence
from types import CoroutineType, NoneType, SimpleNamespace
from typing import Any

from graphql.execution import VariableValues

from lms_graphql.graph.execution.plan_loads import PendingLoad
from lms_graphql.graph.execution.query_plan import Branch, ObjectPlan
from lms_graphql.graph.execution.response_budget import ResponseBudget
from lms_graphql.graph.execution.row_writer import PlanError
from lms_graphql.graph.execution.tree_cache import Tree

Object = dict[str, Any]


class _SuspendedResolver:
    """An `async` resolver that waits for a pending load. It is driven without an event loop."""

    __slots__ = ("_coroutine", "pending")

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._coroutine = coroutine

    def proceed(self) -> Any:
        """Run the resolver until it returns or waits again. Return its value or itself."""
        try:
            self.pending = self._coroutine.send(None)
        except StopIteration as stop:
            return stop.value
        if self.pending.__class__ is not PendingLoad:
            self._coroutine.close()
            raise PlanError("The resolver waits for something that is not a load.")
        return self


class PlanRun:
    """One run of a plan. `data` is complete when no loads are wanted."""

    def __init__(
        self, plan: ObjectPlan, context: Any, variables: VariableValues, budget: ResponseBudget, row: Any = None
    ) -> None:
        """Begin with the object of this row: None for a query, the payload of a mutation, the parent of a tree."""
        self._info = SimpleNamespace(context=context)  # resolvers use nothing else
        self._variables = variables
        self._budget = budget
        self._arguments: dict[int, Any] = {}
        self._waiting: list[tuple[Branch, list[Any], list[Object]]] = []
        (self.data,) = self._write(plan, [row])

    def advance(self) -> None:
        """Complete the fields whose loads were read, and resolve the fields of the new objects."""
        waiting, self._waiting = self._waiting, []
        for branch, values, parents in waiting:
            self._complete(branch, map(_arrived_value, values), parents)

    def _write(self, plan: ObjectPlan, rows: Sequence[Any]) -> list[Object]:
        """Return the objects for these rows. Their branches are resolved, and completed now or by `advance`."""
        self._budget.spend(plan.weight * len(rows))
        objects, characters = plan.write(rows)
        self._budget.charge_characters(characters)
        for branch in plan.branches:
            arguments = self._arguments.get(id(branch))
            if arguments is None:
                arguments = self._arguments[id(branch)] = branch.arguments(self._variables)
            self._complete(branch, branch.resolve(rows, self._info, arguments), objects)
        return objects

    def _complete(self, branch: Branch, values: Iterable[Any], parents: Sequence[Object]) -> None:
        """Set the field of each parent to its value. Values that are pending, and their parents, wait."""
        known, known_parents, pending, pending_parents = [], [], [], []
        for resolved, parent in zip(values, parents, strict=True):
            is_coroutine = resolved.__class__ is CoroutineType
            value = _SuspendedResolver(resolved).proceed() if is_coroutine else resolved
            if value.__class__ is PendingLoad or value.__class__ is _SuspendedResolver:
                pending.append(value)
                pending_parents.append(parent)
            elif value.__class__ is Tree:
                self._budget.charge_characters(value.characters)
                self._budget.spend(value.units)
                parent[branch.name] = value.data
            elif value is not None:
                known.append(value)
                known_parents.append(parent)
            elif not branch.is_nullable:
                raise PlanError("A field that cannot be null is null.")
        if pending:
            self._waiting.append((branch, pending, pending_parents))
        if known:
            completed = self._completed(branch, known)
            for parent, value in zip(known_parents, completed, strict=True):
                parent[branch.name] = value

    def _completed(self, branch: Branch, values: list[Any]) -> Sequence[Any]:
        if branch.complete_leaf is not None:
            completed = [branch.complete_leaf(value) for value in values]
            self._budget.charge_characters(sum(len(value) for value in completed if value.__class__ is str))
            return completed
        if not branch.is_list:
            return self._objects(branch, values)
        if not all(isinstance(value, list | tuple) for value in values):
            raise PlanError("A list is of an unusual type.")
        objects = self._objects(branch, [row for rows in values for row in rows])
        lists, start = [], 0
        for rows in values:
            lists.append(objects[start : start + len(rows)])
            start += len(rows)
        return lists

    def _objects(self, branch: Branch, rows: list[Any]) -> list[Any]:
        """Return the objects for these rows, in their order. Rows of an interface are grouped by their type."""
        classes = set(map(type, rows))
        if any(hasattr(row_class, "__await__") for row_class in classes):
            raise PlanError("An item of a list is pending.")
        if NoneType in classes and not branch.has_nullable_items:
            raise PlanError("An item that cannot be null is null.")
        interface = branch.interface
        if interface is None and NoneType not in classes:
            (plan,) = branch.plans.values()
            return self._write(plan, rows) if rows else []
        places: dict[str, list[int]] = {}
        for place, row in enumerate(rows):
            if row is not None:
                name = interface.resolve_type(row, None, interface) if interface else next(iter(branch.plans))
                places.setdefault(name, []).append(place)
        objects: list[Any] = [None] * len(rows)
        for name, type_places in places.items():
            written = self._write(branch.plans[name], [rows[place] for place in type_places])
            for place, written_object in zip(type_places, written, strict=True):
                objects[place] = written_object
        return objects


def _arrived_value(value: Any) -> Any:
    return value.result() if value.__class__ is PendingLoad else value.proceed()
