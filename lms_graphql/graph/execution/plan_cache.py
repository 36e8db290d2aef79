"""Cache of query plans, by operation and the values on which its `@skip` and `@include` depend."""

import time
from collections import Counter, OrderedDict
from contextlib import suppress
from typing import Any

from graphql import GraphQLError, GraphQLSchema
from graphql.execution import VariableValues

from lms_graphql.core.actor import Role
from lms_graphql.core.errors import RequestError, RequestErrorCode
from lms_graphql.graph.documents import Operation
from lms_graphql.graph.execution.graphql_internals import FieldCollector
from lms_graphql.graph.execution.query_plan import ObjectPlan, QueryCompiler
from lms_graphql.graph.execution.row_writer import PlanError

MAX_CACHED_FIELDS = 80_000
"""Fields of all cached plans and tokens of their documents, together. Each takes 150 to 450 bytes."""
FIELDS_OF_ENTRY = 20
"""Number of fields as which an entry counts in addition."""
MAX_FAILURES = 3
"""Failures in a row after which an operation is not planned for a while, because each failure makes it run twice."""
PAUSE_SECONDS = 60.0
ARGUMENT_ERRORS = {RequestErrorCode.BAD_CURSOR, RequestErrorCode.BAD_USER_INPUT}
"""Codes of errors in the arguments of one request. They say nothing about the next one."""


class CachedPlan:
    """The plan of an operation, or None if it can have none.

    It refers to the operation, by whose identity it is found. Failures are counted by role, so that viewers who may
    not see a field do not take the plan from those who may.
    """

    def __init__(self, schema: GraphQLSchema, operation: Operation, variables: VariableValues) -> None:
        self.plan: ObjectPlan | None = None
        self._operation = operation
        self._failures: Counter[Role | None] = Counter()
        self._paused_until: dict[Role | None, float] = {}
        compiler = QueryCompiler(FieldCollector(schema, operation, variables))
        with suppress(PlanError, GraphQLError):
            self.plan = compiler.compile()
        self.size = FIELDS_OF_ENTRY + operation.document.token_count + compiler.field_count

    def usable_plan(self, role: Role | None) -> ObjectPlan | None:
        return self.plan if self._paused_until.get(role, 0.0) <= time.monotonic() else None

    def record_success(self, role: Role | None) -> None:
        self._failures[role] = 0

    def record_failure(self, role: Role | None, error: Exception) -> None:
        """Count a failure for viewers of this role, if it was not caused by arguments."""
        if isinstance(error, RequestError) and error.code in ARGUMENT_ERRORS:
            return
        self._failures[role] += 1
        if self._failures[role] >= MAX_FAILURES:
            self._failures[role], self._paused_until[role] = 0, time.monotonic() + PAUSE_SECONDS


class PlanCache:
    """Cached plans. The one that was used last is at the end. It is bounded, because it keeps documents in memory."""

    def __init__(self, schema: GraphQLSchema, max_fields: int = MAX_CACHED_FIELDS) -> None:
        self._schema = schema
        self._max_fields = max_fields
        self._cached: OrderedDict[tuple[Any, ...], CachedPlan] = OrderedDict()
        self.cached_fields = 0

    def __len__(self) -> int:
        """Return the number of cached plans."""
        return len(self._cached)

    def find(self, operation: Operation, variables: VariableValues) -> CachedPlan:
        """Return the plan for these values from the cache, or compile it. For one thread, that of the event loop."""
        key = (id(operation), *(variables.coerced.get(name) for name in operation.condition_variables))
        cached = self._cached.get(key)
        if cached is None:
            cached = self._cached[key] = CachedPlan(self._schema, operation, variables)
            self.cached_fields += cached.size
            while self.cached_fields > self._max_fields:
                _, removed = self._cached.popitem(last=False)
                self.cached_fields -= removed.size
        else:
            self._cached.move_to_end(key)
        return cached
