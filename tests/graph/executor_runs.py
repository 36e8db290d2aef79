"""The same operation on all executors, in this process."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import GraphQLSchema

from lms_graphql.app import create_app, document_limits
from lms_graphql.core.actor import ANONYMOUS, Actor
from lms_graphql.graph.context import AppResources, Context, MutationOutcome, PlanUse
from lms_graphql.graph.documents import DocumentCache
from lms_graphql.graph.execution.operation_runner import OperationRunner
from lms_graphql.graph.execution.plan_runner import PlanRunner
from lms_graphql.graph.execution.tree_cache import TreeCache
from lms_graphql.settings import ExecutorChoice, Settings


@dataclass(frozen=True)
class Outcome:
    """Result of an operation, and how it was executed."""

    data: Any
    errors: list[tuple[str, str]]
    """Path and message of each error, sorted."""
    plan_use: PlanUse
    statement_count: int


class ExecutorRuns:
    """Runs documents against one schema on the executors."""

    def __init__(self, schema: GraphQLSchema, resources: AppResources) -> None:
        settings = resources.settings
        self.resources = resources
        self.documents = DocumentCache(schema, document_limits(settings))
        self.runners = {
            choice: OperationRunner(schema, settings.model_copy(update={"executor": choice}))
            for choice in ExecutorChoice
        }

    @property
    def trees(self) -> TreeCache:
        """Trees that plans have stored."""
        plans: PlanRunner = self.runners[ExecutorChoice.PLANS]._plans
        assert plans.trees is not None
        return plans.trees

    def run(self, choice: ExecutorChoice, text: str, actor: Actor = ANONYMOUS, **variables: Any) -> Outcome:
        """Return the outcome on one executor."""

        async def run() -> Outcome:
            outcome = await self.execute(choice, text, actor, variables)
            await _finish_other_tasks()
            return outcome

        return asyncio.run(run())

    def run_all(
        self, text: str, actor: Actor = ANONYMOUS, mutation: MutationOutcome | None = None, **variables: Any
    ) -> dict[ExecutorChoice, Outcome]:
        """Return the outcome on each executor. If the outcome of a mutation is given, it does not run."""

        async def run_all() -> dict[ExecutorChoice, Outcome]:
            outcomes = {
                choice: await self.execute(choice, text, actor, variables, mutation) for choice in ExecutorChoice
            }
            await _finish_other_tasks()
            return outcomes

        return asyncio.run(run_all())

    async def execute(
        self,
        choice: ExecutorChoice,
        text: str,
        actor: Actor,
        variables: dict[str, Any],
        mutation: MutationOutcome | None = None,
    ) -> Outcome:
        prepared = self.documents.prepare(text)
        assert prepared.document is not None, f"{prepared.errors}\n{text}"
        operation = prepared.operation(None)
        context = Context(self.resources, actor, "127.0.0.1")
        context.mutation_outcome = mutation
        cost = operation.costs.total(variables)
        try:
            result = await self.runners[choice].run(operation, variables, context, cost)
        finally:
            context.close()
        errors = sorted((str(error.path), error.message) for error in result.errors or ())
        data = orjson.loads(orjson.dumps(result.data))  # as a client reads it: trees from memory are JSON already
        return Outcome(data, errors, context.plan_use, context.statement_count)


async def _finish_other_tasks() -> None:
    """Wait for what graphql-core still loads for fields below a position that has become null."""
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others)


@contextmanager
def run_executors(schema: GraphQLSchema, settings: Settings) -> Iterator[ExecutorRuns]:
    resources: AppResources = create_app(settings).state.resources
    yield ExecutorRuns(schema, resources)
    resources.database.dispose()
