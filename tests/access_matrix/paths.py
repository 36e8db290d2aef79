"""Documents for all paths through the schema: each edge of the type graph, followed by each edge that can follow.

An edge is a field that returns an object with an id, or a list of them. Leaves are all other fields.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count

from graphql import (
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)

from tests.access_matrix.arguments import PAGE_SIZE, PLAIN, Variant
from tests.access_matrix.matrix import CONNECTION, EDGE, STRUCTURAL_TYPES

MAX_EDGES = 2
"""Edges that are followed from the object of a root field. `Query.nodes` starts from objects of each kind."""
WITHOUT_PATHS = {"node", "categoryTree", "user"}
"""Root fields below which only leaves are selected, because `nodes` has the same paths for all ids at once."""
CONTINUATIONS_PER_FIELD = 4
"""Continuations of one object in the same root field. A document cannot hold more."""
PAGE_INFO = "pageInfo { __typename hasNextPage hasPreviousPage startCursor endCursor }"
_LEAVES = re.compile(r"\.\.\.(\w+)Leaves")


@cache
def is_connection(graphql_type: GraphQLNamedType) -> bool:
    return isinstance(graphql_type, GraphQLObjectType) and set(graphql_type.fields) == CONNECTION


@cache
def is_structural(graphql_type: GraphQLNamedType) -> bool:
    is_edge_type = isinstance(graphql_type, GraphQLObjectType) and set(graphql_type.fields) == EDGE
    return graphql_type.name in STRUCTURAL_TYPES or is_connection(graphql_type) or is_edge_type


def is_value(graphql_type: GraphQLNamedType) -> bool:
    """Return whether the type has no id. Its objects belong to their parent and are selected with its leaves."""
    if not isinstance(graphql_type, GraphQLObjectType) or is_connection(graphql_type):
        return False
    return "id" not in graphql_type.fields


@dataclass(frozen=True)
class RootSelection:
    """A root field with its selection.

    `name` is its name in the response. `expected` has the labels that the field returns to viewers who may see them.
    """

    name: str
    path: str
    text: str
    expected: tuple[str, ...] | None


class PathBuilder:
    """Builds the root selections of all paths."""

    def __init__(self, schema: GraphQLSchema, variants: Mapping[str, tuple[Variant, ...]]) -> None:
        self._schema = schema
        self._variants = variants
        self._numbers = count(1)
        self._leaves_by_type: dict[str, str] = {}

    def root_selections(self) -> Iterator[RootSelection]:
        """Yield each root field in each variant. The first variant of a type has all paths of `MAX_EDGES` edges."""
        assert self._schema.query_type is not None
        for name, definition in self._schema.query_type.fields.items():
            done = {name} if name in WITHOUT_PATHS else set()
            for variant in self._variants.get(f"Query.{name}", PLAIN):
                graphql_type = self._type(variant.type_name) if variant.type_name else get_named_type(definition.type)
                yield self._root_selection(name, definition, variant, graphql_type)
                if not done & {name, graphql_type.name}:
                    done.add(graphql_type.name)
                    for continuation in self._continuations(_item(graphql_type), MAX_EDGES, every_variant=True):
                        yield self._root_selection(name, definition, variant, graphql_type, continuation)

    def payload(self, payload_type: GraphQLNamedType, edges: int) -> str:
        """Return the selection of a mutation's payload: its leaves, and all paths of so many edges."""
        return f"{self._leaves(payload_type)} {' '.join(self._continuations(payload_type, edges))}"

    def with_fragments(self, text: str) -> str:
        """Return the document with the fragments that it spreads."""
        return "\n".join([text, *(self._fragment(name) for name in dict.fromkeys(_LEAVES.findall(text)))])

    def _fragment(self, name: str) -> str:
        if name not in self._leaves_by_type:
            self._leaves_by_type[name] = self._all_leaves(self._type(name))
        return f"fragment {name}Leaves on {name} {{ {self._leaves_by_type[name]} }}"

    def _root_selection(
        self,
        name: str,
        definition: GraphQLField,
        variant: Variant,
        graphql_type: GraphQLNamedType,
        continuation: str = "",
    ) -> RootSelection:
        alias = f"{name}__{next(self._numbers)}"
        selection = self._with_connection(graphql_type, f"{self._leaves(_item(graphql_type))} {continuation}")
        if variant.type_name:
            selection = f"__typename id ... on {variant.type_name} {{ {selection} }}"
        text = f"{alias}: {name}{_arguments(definition, variant)} {{ {selection} }}"
        path = f"{name}({variant.text[:100]}) {_readable(continuation)}".strip()
        return RootSelection(alias, path, text, variant.expected)

    def _continuations(
        self, graphql_type: GraphQLNamedType, edges: int, every_variant: bool = False
    ) -> Iterator[str]:
        """Yield a selection for each edge from an object of this type or from its value objects.

        An edge has several selections if many edges follow it.
        """
        if not isinstance(graphql_type, GraphQLObjectType) or not edges:
            return
        for name, definition in graphql_type.fields.items():
            target = get_named_type(definition.type)
            if is_value(target):
                for continuation in self._continuations(target, edges, every_variant):
                    yield f"{name} {{ __typename {continuation} }}"
            elif not is_leaf_type(target):
                variants = self._variants.get(f"{graphql_type.name}.{name}", PLAIN)
                for variant in variants if every_variant else variants[:1]:
                    item = self._type(variant.type_name) if variant.type_name else _item(target)
                    further = list(self._continuations(item, edges - 1))
                    for start in range(0, len(further) or 1, CONTINUATIONS_PER_FIELD):
                        yield self._edge(name, definition, variant, further[start : start + CONTINUATIONS_PER_FIELD])

    def _edge(self, name: str, definition: GraphQLField, variant: Variant, further: Sequence[str]) -> str:
        target = self._type(variant.type_name) if variant.type_name else get_named_type(definition.type)
        selection = self._with_connection(target, f"{self._leaves(_item(target))} {' '.join(further)}")
        if variant.type_name:
            selection = f"__typename id ... on {variant.type_name} {{ {selection} }}"
        alias = f"{name}__{next(self._numbers)}: " if variant.text else ""
        return f"{alias}{name}{_arguments(definition, variant)} {{ {selection} }}"

    def _with_connection(self, graphql_type: GraphQLNamedType, selection: str) -> str:
        """Return the selection of a type or of the items of a connection.

        A connection returns its items twice. Paths from them are selected only below `nodes`.
        """
        if not is_connection(graphql_type):
            return selection
        edges = f"edges {{ __typename cursor node {{ {self._leaves(_item(graphql_type))} }} }}"
        return f"__typename totalCount {PAGE_INFO} {edges} nodes {{ {selection} }}"

    def _leaves(self, graphql_type: GraphQLNamedType) -> str:
        return f"...{graphql_type.name}Leaves"

    def _all_leaves(self, graphql_type: GraphQLNamedType) -> str:
        """Return all leaves of a type with those of its value objects. An abstract type has those of all types."""
        leaves = ["__typename"]
        if is_abstract_type(graphql_type):
            possible_types = self._schema.get_possible_types(graphql_type)
            leaves += [
                f"... on {possible_type.name} {{ {self._all_leaves(possible_type)} }}"
                for possible_type in possible_types
            ]
        elif isinstance(graphql_type, GraphQLObjectType):
            for name, definition in graphql_type.fields.items():
                target = get_named_type(definition.type)
                if is_value(target):
                    leaves.append(f"{name} {{ {self._all_leaves(target)} }}")
                elif is_leaf_type(target):
                    variant, *_ = self._variants.get(f"{graphql_type.name}.{name}", PLAIN)
                    leaves.append(name + _arguments(definition, variant))
        return " ".join(leaves)

    def _type(self, name: str) -> GraphQLNamedType:
        graphql_type = self._schema.get_type(name)
        assert graphql_type is not None, name
        return graphql_type


def _item(graphql_type: GraphQLNamedType) -> GraphQLNamedType:
    """Return the type of a connection's items, or the type itself if it is not a connection."""
    if not is_connection(graphql_type):
        return graphql_type
    assert isinstance(graphql_type, GraphQLObjectType)
    return get_named_type(graphql_type.fields["nodes"].type)


def _arguments(definition: GraphQLField, variant: Variant) -> str:
    page = f"first: {PAGE_SIZE}" if "first" in definition.args and "first:" not in variant.text else ""
    text = f"{variant.text} {page}".strip()
    return f"({text})" if text else ""


def _readable(continuation: str) -> str:
    """Return a continuation for messages: without leaves and structural fields."""
    hidden = rf"\(.*?\)|{re.escape(PAGE_INFO)}|\w+__\d+:|__typename|edges \{{.*?\}} \}}"
    words = re.findall(r"[\w.]+", re.sub(hidden, " ", continuation))
    return ".".join(word for word in words if not word.startswith("...") and word not in {"totalCount", "nodes"})
