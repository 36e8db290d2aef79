"""What a document may be before anything of it runs: one linear walk, each fragment looked at once.

Strawberry's own depth and alias limiters follow every spread anew and take exponential time on fragments that
spread each other.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
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
"""Entrances at which somebody might try many things in one request."""
MAX_FIELD_PAIRS = 20_000
"""Bounds the pairs of fields that validation compares, which grow with the square of a name's occurrences."""


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    characters: int = 100_000
    tokens: int = 1_000
    depth: int = 12
    aliases: int = 30
    root_fields: int = 10
    directives: int = 20
    fragments: int = 100


@dataclass(slots=True)
class _Tally:
    aliases: int = 0
    directives: int = 0
    names: Counter[str] = field(default_factory=Counter)


def check_document(document: DocumentNode, limits: DocumentLimits) -> None:
    """RequestError QUERY_TOO_COMPLEX, naming the limit, where the document is over one."""
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    count = sum(isinstance(definition, FragmentDefinitionNode) for definition in document.definitions)
    _hold("fragments", count, limits.fragments)
    tally = _Tally()
    for definition in document.definitions:
        _count(definition, tally)
    _hold("aliases", tally.aliases, limits.aliases)
    _hold("directives", tally.directives, limits.directives)
    if sum(times * times for times in tally.names.values()) > MAX_FIELD_PAIRS:
        raise RequestError(RequestErrorCode.QUERY_TOO_COMPLEX, "The same field is selected too many times.")
    walk = _Walk(fragments)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            _hold("root fields", walk.width(definition.selection_set), limits.root_fields)
            for name in ONCE_PER_DOCUMENT:
                _hold(f"`{name}`", _Walk(fragments, only=name).width(definition.selection_set), 1)
            _hold("levels", walk.depth(definition.selection_set), limits.depth)


def _hold(what: str, number: int, limit: int) -> None:
    if number > limit:
        message = f"The document has {number} {what}; at most {limit} are allowed."
        raise RequestError(RequestErrorCode.QUERY_TOO_COMPLEX, message)


def _count(definition: object, tally: _Tally) -> None:
    tally.directives += len(getattr(definition, "directives", None) or ())
    for variable in getattr(definition, "variable_definitions", None) or ():
        tally.directives += len(variable.directives or ())
    waiting = [getattr(definition, "selection_set", None)]
    while waiting:
        selection_set = waiting.pop()
        if selection_set is None:
            continue
        for selection in selection_set.selections:
            tally.directives += len(selection.directives or ())
            if isinstance(selection, FieldNode):
                tally.aliases += selection.alias is not None
                tally.names[(selection.alias or selection.name).value] += 1
            waiting.append(getattr(selection, "selection_set", None))


class _Walk:
    """
    Depth and width with fragments expanded. One that spreads itself counts once: validation refuses it.
    `only`: the width in fields of this name.
    """

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode], only: str | None = None) -> None:
        self._fragments = fragments
        self._only = only
        self._depths: dict[str, int] = {}
        self._widths: dict[str, int] = {}

    def depth(self, selection_set: SelectionSetNode | None) -> int:
        """Levels of fields; introspection does not count."""
        deepest = 0
        for selection in _selections(selection_set):
            if isinstance(selection, FragmentSpreadNode):
                below = self._of_fragment(selection.name.value, self._depths, self.depth)
            elif isinstance(selection, FieldNode):
                introspects = selection.name.value.startswith("__")
                below = 0 if introspects else 1 + self.depth(selection.selection_set)
            else:
                below = self.depth(getattr(selection, "selection_set", None))
            deepest = max(deepest, below)
        return deepest

    def width(self, selection_set: SelectionSetNode | None) -> int:
        """Fields on the first level."""
        total = 0
        for selection in _selections(selection_set):
            if isinstance(selection, FragmentSpreadNode):
                total += self._of_fragment(selection.name.value, self._widths, self.width)
            elif isinstance(selection, FieldNode):
                total += self._only in (None, selection.name.value)
            else:
                total += self.width(getattr(selection, "selection_set", None))
        return total

    def _of_fragment(self, name: str, known: dict[str, int], measure: Callable[[SelectionSetNode], int]) -> int:
        if name not in known:
            known[name] = 0
            fragment = self._fragments.get(name)
            known[name] = measure(fragment.selection_set) if fragment is not None else 0
        return known[name]


def _selections(selection_set: SelectionSetNode | None) -> Iterator[SelectionNode]:
    return iter(selection_set.selections if selection_set is not None else ())
