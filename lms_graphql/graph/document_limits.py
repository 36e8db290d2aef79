"""Limits of a document, checked before it is validated or executed. Each fragment is visited once: linear time.

Strawberry's own depth and alias limiters follow each spread of a fragment again. They take exponential time if
fragments spread each other.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
)

from lms_graphql.core.errors import RequestError, RequestErrorCode

ONCE_PER_DOCUMENT = frozenset(
    {
        "login",
        "register",
        "refreshSession",
        "requestPasswordReset",
        "purchaseCourse",
        "refundTransaction",
        "runPayouts",
        "verifyCertificate",
    }
)
"""Root fields that a document may select once, because aliases would allow many guesses in one request."""
CONNECTION_FIELDS = frozenset({"edges", "nodes", "pageInfo"})
"""Fields of connections. They do not count as levels directly below a field that counts."""
FIELDS_OF_EDGES = frozenset({"node"})
MAX_FIELD_PAIRS = 20_000
"""Limit of the pairs of fields that validation compares. They grow with the square of a name's occurrences."""


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    characters: int = 100_000
    tokens: int = 1_000
    depth: int = 12
    aliases: int = 30
    root_fields: int = 10
    mutation_root_fields: int = 25
    directives: int = 20
    fragments: int = 100


@dataclass(slots=True)
class _Counts:
    aliases: int = 0
    directives: int = 0
    names: Counter[str] = field(default_factory=Counter)


def check_document(document: DocumentNode, limits: DocumentLimits) -> None:
    """Raise QUERY_TOO_COMPLEX, with the name of the limit, if the document exceeds one."""
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    count = sum(isinstance(definition, FragmentDefinitionNode) for definition in document.definitions)
    _require_within_limit(limits.fragments, count, "fragments")
    counts = _Counts()
    for definition in document.definitions:
        _count(definition, counts)
    _require_within_limit(limits.aliases, counts.aliases, "aliases")
    _require_within_limit(limits.directives, counts.directives, "directives")
    if sum(times * times for times in counts.names.values()) > MAX_FIELD_PAIRS:
        message = "The same field is selected too many times. Select it once."
        raise RequestError(RequestErrorCode.QUERY_TOO_COMPLEX, message)
    measure = _Measure(fragments)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            is_mutation = definition.operation is OperationType.MUTATION
            root_fields = limits.mutation_root_fields if is_mutation else limits.root_fields
            _require_within_limit(root_fields, measure.width(definition.selection_set), "root fields")
            for name in ONCE_PER_DOCUMENT:
                width = _Measure(fragments, only=name).width(definition.selection_set)
                _require_within_limit(1, width, f"`{name}`")
            _require_within_limit(limits.depth, measure.depth(definition.selection_set), "levels")


def _require_within_limit(limit: int, number: int, label: str) -> None:
    if number > limit:
        message = f"The document has {number} {label}. At most {limit} are allowed."
        raise RequestError(RequestErrorCode.QUERY_TOO_COMPLEX, message)


def _count(definition: object, counts: _Counts) -> None:
    counts.directives += len(getattr(definition, "directives", None) or ())
    for variable in getattr(definition, "variable_definitions", None) or ():
        counts.directives += len(variable.directives or ())
    pending = [getattr(definition, "selection_set", None)]
    while pending:
        selection_set = pending.pop()
        if selection_set is None:
            continue
        for selection in selection_set.selections:
            counts.directives += len(selection.directives or ())
            if isinstance(selection, FieldNode):
                counts.aliases += selection.alias is not None
                counts.names[(selection.alias or selection.name).value] += 1
            pending.append(getattr(selection, "selection_set", None))


class _Measure:
    """Depth and width of selections with fragments expanded.

    A fragment that spreads itself counts once, because validation rejects it. With `only`, the width counts only
    fields of this name.
    """

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode], only: str | None = None) -> None:
        self._fragments = fragments
        self._only = only
        self._depths: dict[frozenset[str], dict[str, int]] = defaultdict(dict)
        self._widths: dict[str, int] = {}

    def depth(self, selection_set: SelectionSetNode | None, uncounted: frozenset[str] = frozenset()) -> int:
        """Return the number of levels of fields. Introspection and the fields of connections do not count.

        `uncounted` are the names that do not count in this selection. At most two levels below each level that
        counts are free, so that a document cannot nest without end, as in `node { node { … } }`.
        """
        max_depth = 0
        for selection in _selections(selection_set):
            if isinstance(selection, FragmentSpreadNode):
                measure = partial(self.depth, uncounted=uncounted)
                depth = self._of_fragment(selection.name.value, self._depths[uncounted], measure)
            elif isinstance(selection, FieldNode):
                depth = self._depth_of_field(selection, uncounted)
            else:
                depth = self.depth(getattr(selection, "selection_set", None), uncounted)
            max_depth = max(max_depth, depth)
        return max_depth

    def _depth_of_field(self, field_node: FieldNode, uncounted: frozenset[str]) -> int:
        name = field_node.name.value
        if name.startswith("__"):
            return 0
        if name not in uncounted:
            return 1 + self.depth(field_node.selection_set, CONNECTION_FIELDS)
        return self.depth(field_node.selection_set, FIELDS_OF_EDGES if name == "edges" else frozenset())

    def width(self, selection_set: SelectionSetNode | None) -> int:
        """Return the number of fields on the first level."""
        total = 0
        for selection in _selections(selection_set):
            if isinstance(selection, FragmentSpreadNode):
                total += self._of_fragment(selection.name.value, self._widths, self.width)
            elif isinstance(selection, FieldNode):
                total += self._only in (None, selection.name.value)
            else:
                total += self.width(getattr(selection, "selection_set", None))
        return total

    def _of_fragment(self, name: str, results: dict[str, int], measure: Callable[[SelectionSetNode], int]) -> int:
        if name not in results:
            results[name] = 0
            fragment = self._fragments.get(name)
            results[name] = measure(fragment.selection_set) if fragment is not None else 0
        return results[name]


def _selections(selection_set: SelectionSetNode | None) -> Iterator[SelectionNode]:
    return iter(selection_set.selections if selection_set is not None else ())
