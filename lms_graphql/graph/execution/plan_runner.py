"""Queries on their plans: in one hop to a worker thread if they are small, else in turns with other requests."""

from collections.abc import Callable
from typing import Any

from graphql import GraphQLSchema
from graphql.execution import VariableValues, get_variable_values
from sqlalchemy.orm import Session

from lms_graphql.core.errors import RequestErrorCode
from lms_graphql.graph.context import Context, PlanUse
from lms_graphql.graph.documents import Operation
from lms_graphql.graph.error_formatting import BUSY_MESSAGE, clear_tracebacks
from lms_graphql.graph.execution.loaders import run_job
from lms_graphql.graph.execution.plan_cache import PlanCache
from lms_graphql.graph.execution.plan_loads import PlanLoads
from lms_graphql.graph.execution.plan_run import PlanRun
from lms_graphql.graph.execution.query_plan import ObjectPlan
from lms_graphql.graph.execution.response_budget import BudgetExceededError
from lms_graphql.graph.execution.tree_cache import TreeCache
from lms_graphql.graph.execution.tree_reads import PlanTrees

MAX_COST_OF_ONE_HOP = 500
"""Queries that cost more give way to others at each level, and have threads of their own. Smaller ones save hops to
worker threads."""


class PlanRunner:
    """Runs queries on their plans."""

    def __init__(self, schema: GraphQLSchema, tree_cache_bytes: int) -> None:
        self._schema = schema
        self.trees = TreeCache(tree_cache_bytes) if tree_cache_bytes else None
        self.cache = PlanCache(schema)

    async def run(
        self, operation: Operation, variables: dict[str, Any], context: Context, cost: int
    ) -> dict[str, Any] | None:
        """Return the data of a query, or None if the executor must run it. Raise BudgetExceededError."""
        values = get_variable_values(self._schema, operation.definition.variable_definitions or (), variables)
        if isinstance(values, list):
            clear_tracebacks(values)  # the executor coerces them again, and reports its own errors
            return None
        cached = self.cache.find(operation, values)
        if (plan := cached.usable_plan) is None:
            return None
        context.plan_use = PlanUse.PLANNED
        try:
            trees = None if self.trees is None else PlanTrees(self.trees, context)
            data = await _run_plan(plan, values, context, cost, trees)
        except BudgetExceededError:
            raise
        except Exception as error:
            clear_tracebacks([error])
            cached.record(failed=True)
            context.plan_use = PlanUse.FALLBACK
            context.budget.reset()
            return None
        cached.record(failed=False)
        return data


async def _run_plan(
    plan: ObjectPlan, variables: VariableValues, context: Context, cost: int, trees: PlanTrees | None
) -> dict[str, Any]:
    loads = PlanLoads(context.actor)
    try:
        run = PlanRun(plan, context.for_plan(loads, trees), variables, context.budget)

        def run_levels(session: Session) -> None:
            while loads.has_wanted:
                loads.read_wanted(session)
                run.advance()

        if loads.has_wanted and cost <= MAX_COST_OF_ONE_HOP:
            await _read(context, run_levels)
        elif loads.has_wanted:
            _require_short_queue(context)
        while loads.has_wanted:
            await _read(context, loads.read_wanted, is_large=True)
            run.advance()
        return run.data
    finally:
        loads.close()


def _require_short_queue(context: Context) -> None:
    """Raise BudgetExceededError if large queries wait too long for a thread. Small ones are still served."""
    if context.database.read_queue_seconds(is_large=True) * 1000 > context.settings.limit_queue_milliseconds:
        raise BudgetExceededError(RequestErrorCode.UNAVAILABLE, BUSY_MESSAGE)


async def _read(context: Context, job: Callable[[Session], None], is_large: bool = False) -> None:
    """Run the job in a worker thread. After a lost connection it is run again, and reads what was not read."""
    # An error that left the thread would discard its database connection.
    _, error = await context.run_read(lambda session: run_job(job, session), is_large)
    try:
        if error is not None:
            raise error
    finally:
        del error  # its traceback refers to this frame
