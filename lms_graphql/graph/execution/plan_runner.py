"""Queries on their plans: in one hop to a worker thread if they are small, else in turns with other requests."""

from typing import Any

from graphql import DocumentNode, GraphQLSchema
from graphql.execution import get_variable_values
from sqlalchemy.orm import Session

from lms_graphql.graph.context import Context, PlanUse
from lms_graphql.graph.error_formatting import clear_tracebacks
from lms_graphql.graph.execution.graphql_internals import VariableValues
from lms_graphql.graph.execution.loaders import run_job
from lms_graphql.graph.execution.plan_cache import PlanCache
from lms_graphql.graph.execution.plan_loads import PlanLoads
from lms_graphql.graph.execution.plan_run import PlanRun
from lms_graphql.graph.execution.query_plan import QueryPlan
from lms_graphql.graph.execution.response_budget import BudgetExceededError

MAX_COST_OF_ONE_HOP = 500
"""Queries that cost more give way to others at each level. Smaller ones save the hops to worker threads."""


class PlanRunner:
    """Runs queries on their plans."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self.cache = PlanCache(schema)

    async def run(
        self,
        document: DocumentNode,
        operation_name: str | None,
        variables: dict[str, Any] | None,
        context: Context,
        cost: int,
    ) -> dict[str, Any] | None:
        """Return the data of a query, or None if the executor must run it. Raise BudgetExceededError."""
        planned = self.cache.find(document, operation_name)
        values = get_variable_values(self._schema, planned.operation.variable_definitions or (), variables or {})
        if isinstance(values, list):
            clear_tracebacks(values)  # the executor coerces them again, and reports its own errors
            return None
        plan = self.cache.plan(planned, values)
        if plan is None:
            return None
        try:
            data = await self._run_plan(plan, values, context, cost)
        except BudgetExceededError:
            raise
        except Exception as error:
            clear_tracebacks([error])
            planned.record(failed=True)
            context.plan_use = PlanUse.FALLBACK
            context.budget.reset()
            return None
        planned.record(failed=False)
        context.plan_use = PlanUse.PLANNED
        return data

    async def _run_plan(
        self, plan: QueryPlan, variables: VariableValues, context: Context, cost: int
    ) -> dict[str, Any]:
        loads = PlanLoads(context.actor)
        try:
            run = PlanRun(plan, context.for_plan(loads), loads, variables, context.budget)
            if cost <= MAX_COST_OF_ONE_HOP and loads.has_wanted:
                await _run_in_one_hop(run, context)
            while loads.has_wanted:
                await context.run_read(loads.read_wanted)
                run.advance()
            return run.data
        finally:
            loads.close()


async def _run_in_one_hop(run: PlanRun, context: Context) -> None:
    """Run all levels in a worker thread. After a lost connection the level that was not read is read again."""

    def run_levels(session: Session) -> None:
        while run.loads.has_wanted:
            run.loads.read_wanted(session)
            run.advance()

    # An error that left the thread would discard its database connection.
    _, error = await context.run_read(lambda session: run_job(run_levels, session))
    try:
        if error is not None:
            raise error
    finally:
        del error  # its traceback refers to this frame
