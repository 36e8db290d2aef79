"""Ways through the schema: every edge of the type graph, each followed by every other that can follow it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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

from tests.access_matrix.arguments import PAGE, PLAIN, Variant
from tests.access_matrix.matrix import CONNECTION, EDGE, PLUMBING

STEPS = 2
"""Edges that are followed from what an entrance brings. `nodes` is an entrance to every kind."""
TOGETHER = 4
"""Ways on from one object that are asked for at once: a document has room for so many."""
PAGE_INFO = "pageInfo { __typename hasNextPage hasPreviousPage startCursor endCursor }"
_LEAVES = re.compile(r"\.\.\.(\w+)Leaves")


def is_connection(kind: GraphQLNamedType) -> bool:
    return isinstance(kind, GraphQLObjectType) and set(kind.fields) == CONNECTION


def is_plumbing(kind: GraphQLNamedType) -> bool:
    is_edge = isinstance(kind, GraphQLObjectType) and set(kind.fields) == EDGE
    return kind.name in PLUMBING or is_connection(kind) or is_edge


def is_value(kind: GraphQLNamedType) -> bool:
    """An object without an id: it belongs to the one that it hangs on, and is asked for with its leaves."""
    return isinstance(kind, GraphQLObjectType) and "id" not in kind.fields and not is_connection(kind)


@dataclass(frozen=True)
class Piece:
    """A root field with its selection. `name` is what it is called in the answer."""

    name: str
    path: str
    text: str
    finds: tuple[str, ...] | None


class Paths:
    def __init__(self, schema: GraphQLSchema, variants: Mapping[str, tuple[Variant, ...]]) -> None:
        self._schema = schema
        self._variants = variants
        self._numbers = count(1)

    def pieces(self) -> Iterator[Piece]:
        """Every entrance in every variant; from the first variant of each kind, every walk of `STEPS` edges."""
        assert self._schema.query_type is not None
        for name, definition in self._schema.query_type.fields.items():
            walked = {"node"} if name == "node" else set()  # `nodes` goes the same ways with all ids at once
            for variant in self._variants.get(f"Query.{name}", PLAIN):
                kind = self._kind(variant.kind) if variant.kind else get_named_type(definition.type)
                yield self._piece(name, definition, variant, kind)
                if name not in walked and kind.name not in walked:
                    walked.add(kind.name)
                    for way in self._ways(_item(kind), STEPS, every_variant=True):
                        yield self._piece(name, definition, variant, kind, way)

    def payload(self, kind: GraphQLNamedType, steps: int) -> str:
        """What is asked of a mutation's payload: all that it holds, and all that is so many steps from there."""
        return f"{self._leaves(kind)} {' '.join(self._ways(kind, steps))}"

    def whole(self, text: str) -> str:
        """With the fragments that it spreads."""
        kinds = dict.fromkeys(_LEAVES.findall(text))
        leaves = (f"fragment {kind}Leaves on {kind} {{ {self._all_leaves(self._kind(kind))} }}" for kind in kinds)
        return "\n".join([text, *leaves])

    def _piece(
        self, name: str, definition: GraphQLField, variant: Variant, kind: GraphQLNamedType, way: str = ""
    ) -> Piece:
        alias = f"{name}__{next(self._numbers)}"
        selection = self._around(kind, f"{self._leaves(_item(kind))} {way}")
        if variant.kind:
            selection = f"__typename id ... on {variant.kind} {{ {selection} }}"
        text = f"{alias}: {name}{_arguments(definition, variant)} {{ {selection} }}"
        return Piece(alias, f"{name}({variant.text[:100]}) {_shown(way)}".strip(), text, variant.finds)

    def _ways(self, kind: GraphQLNamedType, steps: int, every_variant: bool = False) -> Iterator[str]:
        """
        One for each edge that leads on from an object of this type or from a value that hangs on it; several, where
        many edges lead on from there.
        """
        if not isinstance(kind, GraphQLObjectType) or not steps:
            return
        for name, definition in kind.fields.items():
            target = get_named_type(definition.type)
            if is_value(target):
                for way in self._ways(target, steps, every_variant):
                    yield f"{name} {{ __typename {way} }}"
            elif not is_leaf_type(target):
                variants = self._variants.get(f"{kind.name}.{name}", PLAIN)
                for variant in variants if every_variant else variants[:1]:
                    item = self._kind(variant.kind) if variant.kind else _item(target)
                    further = list(self._ways(item, steps - 1))
                    for start in range(0, len(further) or 1, TOGETHER):
                        yield self._edge(name, definition, variant, further[start : start + TOGETHER])

    def _edge(self, name: str, definition: GraphQLField, variant: Variant, further: Sequence[str]) -> str:
        target = self._kind(variant.kind) if variant.kind else get_named_type(definition.type)
        selection = self._around(target, f"{self._leaves(_item(target))} {' '.join(further)}")
        if variant.kind:
            selection = f"__typename id ... on {variant.kind} {{ {selection} }}"
        alias = f"{name}__{next(self._numbers)}: " if variant.text else ""
        return f"{alias}{name}{_arguments(definition, variant)} {{ {selection} }}"

    def _around(self, kind: GraphQLNamedType, selection: str) -> str:
        """A connection hands its items out twice; what is below them is asked of `nodes` alone."""
        if not is_connection(kind):
            return selection
        edges = f"edges {{ __typename cursor node {{ {self._leaves(_item(kind))} }} }}"
        return f"__typename totalCount {PAGE_INFO} {edges} nodes {{ {selection} }}"

    def _leaves(self, kind: GraphQLNamedType) -> str:
        return f"...{kind.name}Leaves"

    def _all_leaves(self, kind: GraphQLNamedType) -> str:
        """Every leaf of a type, those of its values included; of an abstract one, of every type that it may be."""
        found = ["__typename"]
        if is_abstract_type(kind):
            members = self._schema.get_possible_types(kind)
            found += [f"... on {one.name} {{ {self._all_leaves(one)} }}" for one in members]
        elif isinstance(kind, GraphQLObjectType):
            for name, definition in kind.fields.items():
                target = get_named_type(definition.type)
                if is_value(target):
                    found.append(f"{name} {{ {self._all_leaves(target)} }}")
                elif is_leaf_type(target):
                    found.append(name)
        return " ".join(found)

    def _kind(self, name: str) -> GraphQLNamedType:
        kind = self._schema.get_type(name)
        assert kind is not None, name
        return kind


def _item(kind: GraphQLNamedType) -> GraphQLNamedType:
    """What a connection is a list of; any other type itself."""
    if not is_connection(kind):
        return kind
    assert isinstance(kind, GraphQLObjectType)
    return get_named_type(kind.fields["nodes"].type)


def _arguments(definition: GraphQLField, variant: Variant) -> str:
    paged = f"first: {PAGE}" if "first" in definition.args and "first:" not in variant.text else ""
    text = f"{variant.text} {paged}".strip()
    return f"({text})" if text else ""


def _shown(way: str) -> str:
    """A way as a message tells it: without leaves and plumbing."""
    words = re.findall(
        r"[\w.]+", re.sub(rf"\(.*?\)|{re.escape(PAGE_INFO)}|\w+__\d+:|__typename|edges \{{.*?\}} \}}", " ", way)
    )
    return ".".join(word for word in words if not word.startswith("...") and word not in {"totalCount", "nodes"})
