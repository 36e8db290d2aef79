"""Query plans: a query compiled once for its document, so that it runs for all objects of a level at once.

Selections, fragments and type conditions are collected by graphql-core. Resolvers and permissions are called as they
are declared.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from operator import attrgetter
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution import VariableValues, get_argument_values

from lms_graphql.graph.execution.graphql_internals import (
    FieldCollector,
    FieldDetailsList,
    GroupedFieldSet,
    plain_resolver,
    row_attribute,
)
from lms_graphql.graph.execution.row_writer import Leaf, PlanError, RowWriter, make_leaf_completer, make_row_writer
from lms_graphql.graph.schema.strawberry_internals import field_metadata
from lms_graphql.graph.schema.versioned_trees import IN_TREE, TREE, VersionedTree

MAX_FIELDS = 2_000
"""Fields of a plan. A field of an interface counts for each type that implements it."""

Arguments = Mapping[str, Any]
Resolve = Callable[[Iterable[Any], Any, Arguments], Iterable[Any]]
"""Returns the values of a field for these rows, from the rows, the info object and the arguments of the field."""


@dataclass(slots=True)
class Branch:
    """A field that calls its resolver, or that has objects below it."""

    name: str
    resolve: Resolve
    definition: GraphQLField
    node: FieldNode
    is_nullable: bool
    is_list: bool
    has_nullable_items: bool
    complete_leaf: Callable[[Any], Any] | None
    """Completes a value that is no object. None for objects."""
    plans: dict[str, "ObjectPlan"]
    """Plans of the objects below, by the names of their types."""
    interface: Any
    """Type of the field if it is an interface, whose rows have several types; else None."""

    def arguments(self, variables: VariableValues) -> Arguments:
        return get_argument_values(self.definition, self.node, variables) if self.definition.args else {}


@dataclass
class ObjectPlan:
    """Plan of one selection on one object type."""

    fields: dict[str, Leaf | str | None]
    """Leaves and constant values by response key, in the order of the document. None stands for a branch."""
    branches: list[Branch]
    weight: int
    """Budget units of one object: one for itself and one for each resolver call."""

    @cached_property
    def write(self) -> RowWriter:
        """Function that turns rows into objects of the response, in which branches are null."""
        return make_row_writer(self.fields)


@dataclass(frozen=True, slots=True)
class TreeSelection:
    """Selection of a versioned tree. `digest` is equal for equal selections. `branch` reads the tree."""

    declaration: VersionedTree
    digest: bytes
    branch: Branch
    plan: ObjectPlan
    """Plan of the parent, which has no other field."""


class QueryCompiler:
    """Compiler of one operation, for the values that `@skip` and `@include` have in its collector."""

    def __init__(self, collector: FieldCollector) -> None:
        self._collector = collector
        self.field_count = 0
        self._plans: dict[tuple[str, tuple[int, ...]], ObjectPlan] = {}
        """Plans by type and field nodes, so that a fragment that is spread in many places is compiled once."""

    def compile(self) -> ObjectPlan:
        """Return the plan. Raise PlanError or GraphQLError if there can be none, as for several mutations."""
        root_type = self._collector.root_type
        assert root_type is not None
        plan = self._object_plan(root_type, self._collector.root_fields(root_type))
        if root_type is self._collector.schema.mutation_type and (len(plan.fields), len(plan.branches)) != (1, 1):
            raise PlanError("There are several mutations, which run one after the other.")
        return plan

    def _object_plan(self, object_type: GraphQLObjectType, field_set: GroupedFieldSet) -> ObjectPlan:
        self.field_count += len(field_set)
        if self.field_count > MAX_FIELDS:
            raise PlanError("There are too many fields.")
        plan = ObjectPlan(dict.fromkeys(field_set), [], 1)
        for name, details in field_set.items():
            field_name = details[0].node.name.value
            if field_name == "__typename":
                plan.fields[name] = object_type.name
                plan.weight += 1
                continue
            definition = self._collector.schema.get_field(object_type, field_name)
            if definition is None or field_name.startswith("__"):
                raise PlanError(f"{field_name} is a field of introspection.")
            attribute = row_attribute(definition)
            if attribute is not None and is_leaf_type(get_nullable_type(definition.type)):
                plan.fields[name] = Leaf(attribute, definition.type)
            else:
                plan.branches.append(_cached_as_tree(self._branch(name, definition, details, attribute)))
                plan.weight += 1
        return plan

    def _branch(
        self, name: str, definition: GraphQLField, details: FieldDetailsList, attribute: str | None
    ) -> Branch:
        nullable_type = get_nullable_type(definition.type)
        is_leaf = is_leaf_type(get_named_type(definition.type))
        is_list = is_list_type(nullable_type) and not is_leaf
        item_type: Any = nullable_type.of_type if is_list else nullable_type  # type: ignore[union-attr]
        object_type = get_nullable_type(item_type)
        return Branch(
            name=name,
            resolve=_resolve_function(definition, attribute),
            definition=definition,
            node=details[0].node,
            is_nullable=not is_non_null_type(definition.type),
            is_list=is_list,
            has_nullable_items=is_list and not is_non_null_type(item_type),
            complete_leaf=make_leaf_completer(definition.type) if is_leaf else None,
            plans={} if is_leaf else self._plans_below(object_type, details),
            interface=object_type if is_abstract_type(object_type) else None,
        )

    def _plans_below(self, output_type: Any, details: FieldDetailsList) -> dict[str, ObjectPlan]:
        if is_list_type(output_type):
            raise PlanError(f"{output_type} is in another list.")
        schema = self._collector.schema
        object_types: Any = schema.get_possible_types(output_type) if is_abstract_type(output_type) else [output_type]
        nodes = tuple(id(detail.node) for detail in details)
        plans = {}
        for object_type in object_types:
            plan = self._plans.get((object_type.name, nodes))
            if plan is None:
                plan = self._object_plan(object_type, self._collector.object_fields(object_type, details))
                self._plans[object_type.name, nodes] = plan
            plans[object_type.name] = plan
        return plans


def _cached_as_tree(branch: Branch) -> Branch:
    """Return a branch that takes its objects from memory, if they are a versioned tree; else return the branch."""
    declaration = field_metadata(branch.definition).get(TREE)
    if declaration is None or (structure := _structure(branch)) is None:
        return branch
    digest = hashlib.sha256(repr(structure).encode()).digest()
    selection = TreeSelection(declaration, digest, branch, ObjectPlan({branch.name: None}, [branch], 0))

    def resolve(rows: Iterable[Any], info: Any, arguments: Arguments) -> Iterable[Any]:
        trees = info.context.trees
        return branch.resolve(rows, info, arguments) if trees is None else trees.values(selection, rows, info)

    return replace(branch, resolve=resolve)


def _structure(branch: Branch) -> tuple[Any, ...] | None:
    """Return names, attributes and types of all fields below; None if one of them may not be in a versioned tree."""
    parts: list[Any] = [branch.node.name.value]
    for type_name, plan in branch.plans.items():
        parts += [type_name, plan.fields]
        for field in plan.branches:
            below = _structure(field) if field_metadata(field.definition).get(IN_TREE) else None
            if below is None:
                return None
            parts.append(below)
    return tuple(parts)


def _resolve_function(definition: GraphQLField, attribute: str | None) -> Resolve:
    """Return a function for the values of all rows of a level.

    The values are computed one by one, so that each coroutine is started before the next resolver is called.
    """
    if attribute is not None:
        read_attribute = attrgetter(attribute)
        return lambda rows, _info, _arguments: map(read_attribute, rows)
    function, takes_info = plain_resolver(definition)
    if function is None:  # Strawberry converts the arguments, and asks the permissions
        resolve: Any = definition.resolve
        return lambda rows, info, arguments: (resolve(row, info, **arguments) for row in rows)
    if takes_info:
        return lambda rows, info, _arguments: (function(row, info) for row in rows)
    return lambda rows, _info, _arguments: map(function, rows)
