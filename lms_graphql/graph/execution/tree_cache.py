"""Cache of versioned trees: what is below a field, ready for the response, by selection, parent and version.

The parent's row is read by each request, so that its visibility and its version are current. An entry therefore never
becomes wrong. It is removed when the cache is full and it was not used for the longest time.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import NamedTuple

from orjson import Fragment

ENTRY_BYTES = 600
"""Memory of an entry without its JSON: the key with its version, the tree, and their places in the cache."""


class TreeKey(NamedTuple):
    """Key of a tree. Equal selections of different documents share their trees."""

    selection: bytes
    parent: int
    version: Hashable


class Tree(NamedTuple):
    """The value of a field as JSON, with what the response budget is charged for it."""

    json: bytes
    units: int
    characters: int

    @property
    def data(self) -> Fragment:
        return Fragment(self.json)


class TreeCache:
    """Trees within `max_bytes` of memory. All threads use it."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._trees: OrderedDict[TreeKey, Tree] = OrderedDict()
        self._lock = threading.Lock()
        self.bytes = 0

    def __len__(self) -> int:
        """Return the number of trees."""
        return len(self._trees)

    def find(self, key: TreeKey) -> Tree | None:
        with self._lock:
            tree = self._trees.get(key)
            if tree is not None:
                self._trees.move_to_end(key)
            return tree

    def store(self, key: TreeKey, tree: Tree) -> None:
        """Store a tree, unless it is stored already or does not fit into the cache."""
        size = _size(tree)
        with self._lock:
            if key in self._trees or size > self._max_bytes:
                return
            self._trees[key] = tree
            self.bytes += size
            while self.bytes > self._max_bytes:
                _, removed = self._trees.popitem(last=False)
                self.bytes -= _size(removed)


def _size(tree: Tree) -> int:
    return len(tree.json) + ENTRY_BYTES
