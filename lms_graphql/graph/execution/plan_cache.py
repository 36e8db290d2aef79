"""Cache of query plans, by document, operation and the values of `@skip` and `@include`."""

import time
from collections import OrderedDict
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    VariableNode,
    Visitor,
    get_operation_ast,
    visit,
)

from lms_graphql.graph.execution.graphql_internals import VariableValues
from lms_graphql.graph.execution.query_plan import QueryPlan, compile_query
from lms_graphql.graph.execution.row_writer import PlanError

MAX_CACHED_FIELDS = 40_000
"""Fields of all cached plans together, each of about 700 bytes. A page of a front end has 20 to 100."""
FIELDS_OF_ENTRY = 20
"""An entry, and each plan of it, counts as so many fields more. Each token of the document counts as a field."""
MAX_VARIANTS = 8
"""Plans of one operation, for different values of `@skip` and `@include`."""
MAX_FAILURES = 3
"""Failures in a row after which an operation is not planned for a while. Each one makes a query run twice."""
PAUSE_SECONDS = 60.0


class PlannedOperation:
    """A query with its plans. It keeps the document, by whose identity it is found."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, name: str | None) -> None:
        operation = get_operation_ast(document, name)
        assert operation is not None
        self.document, self.operation = document, operation
        self.size = FIELDS_OF_ENTRY + document.token_count
        self._schema = schema
        self._conditions = _condition_variables(document)
        self._plans: dict[tuple[Any, ...], QueryPlan | None] = {}
        self._failures = 0
        self._paused_until = 0.0

    def plan(self, variables: VariableValues) -> QueryPlan | None:
        """Return the plan for these values. None if there can be none, or if plans have failed too often."""
        if self._paused_until > time.monotonic():
            return None
        values = tuple(variables.coerced.get(name) for name in self._conditions)
        if values not in self._plans:
            if len(self._plans) >= MAX_VARIANTS:
                self._forget(next(iter(self._plans)))
            self._plans[values] = plan = self._compile(variables)
            self.size += _plan_size(plan)
        return self._plans[values]

    def record(self, *, failed: bool) -> None:
        """Record whether a plan has failed."""
        self._failures = self._failures + 1 if failed else 0
        if self._failures >= MAX_FAILURES:
            self._failures, self._paused_until = 0, time.monotonic() + PAUSE_SECONDS

    def _compile(self, variables: VariableValues) -> QueryPlan | None:
        try:
            return compile_query(self._schema, self.document, self.operation, variables)
        except (PlanError, GraphQLError):
            return None

    def _forget(self, values: tuple[Any, ...]) -> None:
        self.size -= _plan_size(self._plans.pop(values))


class PlanCache:
    """Planned operations, of which the one that was used last is at the end."""

    def __init__(self, schema: GraphQLSchema, max_fields: int = MAX_CACHED_FIELDS) -> None:
        self._schema = schema
        self._max_fields = max_fields
        self._operations: OrderedDict[tuple[int, str | None], PlannedOperation] = OrderedDict()
        self.cached_fields = 0

    def __len__(self) -> int:
        """Return the number of cached operations."""
        return len(self._operations)

    def find(self, document: DocumentNode, operation_name: str | None) -> PlannedOperation:
        key = id(document), operation_name
        planned = self._operations.get(key)
        if planned is None:
            planned = self._operations[key] = PlannedOperation(self._schema, document, operation_name)
            self.cached_fields += planned.size
        self._operations.move_to_end(key)
        return planned

    def plan(self, planned: PlannedOperation, variables: VariableValues) -> QueryPlan | None:
        """Return the plan of the operation, as `PlannedOperation.plan` does. Remove what was not used for long."""
        size = planned.size
        plan = planned.plan(variables)
        self.cached_fields += planned.size - size
        while self.cached_fields > self._max_fields and len(self._operations) > 1:
            _, removed = self._operations.popitem(last=False)
            self.cached_fields -= removed.size
        return plan


def _plan_size(plan: QueryPlan | None) -> int:
    return FIELDS_OF_ENTRY + (plan.field_count if plan is not None else 0)


def _condition_variables(document: DocumentNode) -> tuple[str, ...]:
    """Return the names of the variables on which `@skip` and `@include` depend."""
    finder = _ConditionFinder()
    visit(document, finder)
    return tuple(sorted(finder.names))


class _ConditionFinder(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        if node.name.value in {"skip", "include"}:
            values = (argument.value for argument in node.arguments or ())
            self.names.update(value.name.value for value in values if isinstance(value, VariableNode))
