"""Operations on their plans: in one hop to a worker thread if they are small, else in turns with other requests."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from graphql import GraphQLSchema, OperationType
from graphql.execution import VariableValues, get_variable_values
from sqlalchemy.orm import Session

from lms_graphql.core.errors import RequestErrorCode
from lms_graphql.graph.context import Context, MutationOutcome, PlanUse
from lms_graphql.graph.documents import Operation
from lms_graphql.graph.error_formatting import BUSY_MESSAGE, clear_tracebacks
from lms_graphql.graph.execution.graphql_internals import Path
from lms_graphql.graph.execution.loaders import run_job
from lms_graphql.graph.execution.plan_cache import PlanCache
from lms_graphql.graph.execution.plan_loads import PlanLoads
from lms_graphql.graph.execution.plan_run import PlanRun
from lms_graphql.graph.execution.query_plan import Branch, ObjectPlan
from lms_graphql.graph.execution.response_budget import BudgetExceededError
from lms_graphql.graph.execution.row_writer import PlanError
from lms_graphql.graph.execution.tree_cache import TreeCache
from lms_graphql.graph.execution.tree_reads import PlanTrees

MAX_COST_OF_ONE_HOP = 500
"""Queries that cost more give way to others at each level, and have threads of their own. Smaller ones save hops to
worker threads."""


class PlanRunner:
    """Runs queries, and mutations with one field, on their plans."""

    def __init__(self, schema: GraphQLSchema, tree_cache_bytes: int) -> None:
        self._schema = schema
        self.trees = TreeCache(tree_cache_bytes) if tree_cache_bytes else None
        self.cache = PlanCache(schema)

    async def run(
        self, operation: Operation, variables: dict[str, Any], context: Context, cost: int
    ) -> dict[str, Any] | None:
        """Return the data, or None if the executor must run the operation. Raise BudgetExceededError."""
        values = get_variable_values(self._schema, operation.definition.variable_definitions or (), variables)
        if isinstance(values, list):
            clear_tracebacks(values)  # the executor coerces them again, and reports its own errors
            return None
        cached = self.cache.find(operation, values)
        role = context.actor.role
        if (plan := cached.usable_plan(role)) is None:
            return None
        context.plan_use = PlanUse.PLANNED
        run = _run_mutation if operation.kind is OperationType.MUTATION else _run_plan
        try:
            trees = None if self.trees is None else PlanTrees(self.trees, context)
            data = await run(plan, values, context, cost, trees)
        except BudgetExceededError:
            raise
        except Exception as error:
            clear_tracebacks([error])
            cached.record_failure(role, error)
            context.plan_use = PlanUse.FALLBACK
            context.budget.reset()
            return None
        cached.record_success(role)
        return data


async def _run_mutation(
    plan: ObjectPlan, variables: VariableValues, context: Context, cost: int, trees: PlanTrees | None
) -> dict[str, Any]:
    """Run the mutation, then the plan of its payload.

    The outcome of the mutation stays in the context. If the plan fails, the executor continues with it.
    """
    (branch,), info = plan.branches, _mutation_info(plan.branches[0], context)
    arguments, resolve = branch.arguments(variables), branch.definition.resolve
    assert resolve is not None
    try:
        outcome = MutationOutcome(await resolve(None, info, **arguments), None)
    except BudgetExceededError:
        raise
    except Exception as error:
        outcome = MutationOutcome(None, error)
    context.mutation_outcome = outcome
    if outcome.payload is None:  # not in the `except` block, so that the traceback of the error stays for the log
        raise PlanError("The mutation has failed.")
    (payload_plan,) = branch.plans.values()
    return {branch.name: await _run_plan(payload_plan, variables, context, cost, trees, outcome.payload)}


def _mutation_info(branch: Branch, context: Context) -> Any:
    """Return what mutations use of graphql-core's info object."""
    return SimpleNamespace(
        context=context, field_name=branch.node.name.value, path=Path(None, branch.name, "Mutation")
    )


async def _run_plan(
    plan: ObjectPlan,
    variables: VariableValues,
    context: Context,
    cost: int,
    trees: PlanTrees | None,
    row: Any = None,
) -> dict[str, Any]:
    loads = PlanLoads(context.actor)
    try:
        run = PlanRun(plan, context.for_plan(loads, trees), variables, context.budget, row)

        def run_levels(session: Session) -> None:
            while loads.has_wanted:
                loads.read_wanted(session)
                run.advance()

        if loads.has_wanted and cost <= MAX_COST_OF_ONE_HOP:
            await _read(context, run_levels)
        elif loads.has_wanted and row is None:  # a mutation has run already
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
