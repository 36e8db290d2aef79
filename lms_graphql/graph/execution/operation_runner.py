"""Execution of one operation within its time limit, on the executor that `LMS_EXECUTOR` chooses."""

import asyncio
from importlib import import_module
from typing import Any

from graphql import ExecutionResult, GraphQLSchema, execute
from graphql.execution import Executor

from lms_graphql.core.errors import RequestErrorCode
from lms_graphql.graph.context import Context
from lms_graphql.graph.documents import Operation
from lms_graphql.graph.execution.response_budget import BudgetExceededError, timeout_message
from lms_graphql.settings import ExecutorChoice, Settings

REFERENCE_EXECUTOR_MODULE = "lms_graphql.graph.execution.executor"
PLAN_RUNNER_MODULE = "lms_graphql.graph.execution.plan_runner"


class OperationRunner:
    """Runs operations of valid documents whose cost is allowed.

    Operations run on their plans if the settings choose so. The reference executor runs those without a plan, and
    those whose plan has failed; it does not repeat a mutation (see `run_once`). Both charge the `ResponseBudget` and
    check the deadline.

    The standard executor does not know the budget:

    - The number of objects in lists without pages and the total length of texts are not limited.
    - The number of errors is checked only when the response is complete.
    - The timeout stops waiting for the database. It does not stop the event loop while values are completed. The
      deadline is therefore checked again when the response is complete.
    - Its reference cycles wait for the garbage collector.
    """

    def __init__(self, schema: GraphQLSchema, settings: Settings) -> None:
        self._schema = schema
        self._seconds = settings.limit_seconds
        self._hide_suggestions = settings.is_production
        self._plans: Any = None
        self._executor_class: type[Executor[Any]] | None = None  # graphql-core's own
        # The others use undocumented parts of graphql-core. They are imported only if they are chosen, so that the
        # standard executor works even with a release in which such a part is missing.
        if settings.executor is not ExecutorChoice.STANDARD:
            self._executor_class = import_module(REFERENCE_EXECUTOR_MODULE).ReferenceExecutor
        if settings.executor is ExecutorChoice.PLANS:
            self._plans = import_module(PLAN_RUNNER_MODULE).PlanRunner(schema, settings.tree_cache_bytes)

    async def run(
        self, operation: Operation, variables: dict[str, Any] | None, context: Context, cost: int
    ) -> ExecutionResult:
        """Return data and errors. Raise BudgetExceededError if the response exceeds its budget or the time limit."""
        try:
            async with asyncio.timeout(context.budget.remaining_seconds()):
                if self._plans is not None:
                    data = await self._plans.run(operation, variables or {}, context, cost)
                    if data is not None:
                        context.budget.spend(0)
                        return ExecutionResult(data, None)
                return await self._execute(operation, variables, context)
        except TimeoutError:
            raise BudgetExceededError(RequestErrorCode.TIMEOUT, timeout_message(self._seconds)) from None

    async def _execute(
        self, operation: Operation, variables: dict[str, Any] | None, context: Context
    ) -> ExecutionResult:
        pending = execute(
            self._schema,
            operation.document,
            context_value=context,
            variable_values=variables,
            operation_name=operation.name,
            executor_class=self._executor_class,
            hide_suggestions=self._hide_suggestions,
        )
        result = pending if isinstance(pending, ExecutionResult) else await pending
        if self._executor_class is None:
            for error in result.errors or ():
                context.budget.charge_error(error)
        context.budget.spend(0)
        return result
