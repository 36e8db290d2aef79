"""Versioned trees of one run of a query plan: taken from the cache, or read and stored."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from graphql.execution import VariableValues
from sqlalchemy.orm import Session

from lms_graphql.core.actor import Actor
from lms_graphql.graph.context import Context
from lms_graphql.graph.execution.plan_loads import PlanLoads
from lms_graphql.graph.execution.plan_run import PlanRun
from lms_graphql.graph.execution.query_plan import TreeSelection
from lms_graphql.graph.execution.response_budget import ResponseBudget
from lms_graphql.graph.execution.tree_cache import Tree, TreeCache, TreeKey
from lms_graphql.graph.schema.versioned_trees import VersionedTree

MAX_TREES_READ = 10
"""Trees that one query stores. They are read in one go. The others of a large list are read level by level, so that
small requests get their turn, and stored by later queries."""
NO_VARIABLES = VariableValues({}, {})


class PlanTrees:
    """Trees of one run. Its plan asks it in place of the resolvers of versioned fields."""

    def __init__(self, cache: TreeCache, context: Context) -> None:
        self.cache, self.context = cache, context
        self.missing: dict[TreeKey, tuple[TreeSelection, Any]] = {}
        """Selections and parents of the trees to read."""

    def values(self, selection: TreeSelection, rows: Iterable[Any], info: Any) -> Iterator[Any]:
        """Yield for each row its tree, which may be pending, or else what the resolver of the field returns."""
        for row in rows:
            version = selection.declaration.version_of(self.context.actor, row)
            key = TreeKey(selection.digest, row.key, version)
            if version is not None and (tree := self.cache.find(key)) is not None:
                yield tree
            elif version is not None and (key in self.missing or len(self.missing) < MAX_TREES_READ):
                self.missing[key] = selection, row
                yield info.context.load(_TreeRead(self, selection.declaration), key)
            else:
                yield from selection.branch.resolve((row,), info, {})


@dataclass(frozen=True)
class _TreeRead:
    """Batch read of trees.

    A tree is stored only if its version was current before and after the read, on the same connection. Otherwise a
    change between two reads could be stored with the wrong version, and other connections may lead to other nodes of
    a cluster.
    """

    trees: PlanTrees
    declaration: VersionedTree

    @property
    def __name__(self) -> str:
        return "trees"

    def __call__(self, session: Session, actor: Actor, keys: Sequence[TreeKey]) -> Mapping[TreeKey, Tree]:
        before = self._versions(session, actor, keys)
        trees = self._read(session, actor, keys)
        after = self._versions(session, actor, keys)
        for key, tree in trees.items():
            if before.get(key.parent) == key.version == after.get(key.parent):
                self.trees.cache.store(key, tree)
        return trees

    def _versions(self, session: Session, actor: Actor, keys: Sequence[TreeKey]) -> Mapping[int, Any]:
        return self.declaration.read_versions(session, actor, sorted({key.parent for key in keys}))

    def _read(self, session: Session, actor: Actor, keys: Sequence[TreeKey]) -> dict[TreeKey, Tree]:
        loads = PlanLoads(actor)
        context, budget = self.trees.context.for_plan(loads), self.trees.context.budget
        parts = {}
        try:
            for key in keys:
                selection, parent = self.trees.missing[key]
                charges = _CountingBudget(budget)
                parts[key] = PlanRun(selection.plan, context, NO_VARIABLES, charges, parent), charges
            while loads.has_wanted:
                loads.read_wanted(session)
                for run, _ in parts.values():
                    run.advance()
            return {key: _tree(run, charges) for key, (run, charges) in parts.items()}
        finally:
            loads.close()
            for _, charges in parts.values():
                budget.refund(charges.units, charges.characters)


class _CountingBudget(ResponseBudget):
    """Budget that charges the operation's, and counts the charges, so that each use of the tree is charged them."""

    def __init__(self, budget: ResponseBudget) -> None:
        self._budget = budget
        self.units = self.characters = 0

    def spend(self, units: int) -> None:
        self.units += units
        self._budget.spend(units)

    def charge_characters(self, count: int) -> None:
        self.characters += count
        self._budget.charge_characters(count)


def _tree(run: PlanRun, charges: _CountingBudget) -> Tree:
    (value,) = run.data.values()
    return Tree(orjson.dumps(value), charges.units, charges.characters)
