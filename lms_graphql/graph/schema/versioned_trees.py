"""Versioned trees: objects below a field that depend on nothing but their parent and its version.

Such objects may be cached by that version: see `graph/execution/tree_cache.py`. The field declares
`metadata={TREE: VersionedTree(...)}`. A field with a resolver below it is allowed in the tree if it declares
`metadata={IN_TREE: True}`. Its value must not depend on the viewer, the time or arguments. Each change of the value
must raise the version. Attributes of the rows need no declaration.
"""

from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

from lms_graphql.core.actor import Actor
from lms_graphql.graph.execution.loaders import BatchRead

TREE = "tree"
"""Key of the `VersionedTree` in the metadata of a field."""
IN_TREE = "in_tree"
"""Key in the metadata of a field that may be in a versioned tree."""


class VersionedTree(NamedTuple):
    """Declaration of a field whose objects depend on nothing but the parent's key and version."""

    version_of: Callable[[Actor, Any], Hashable | None]
    """Return the version of the parent's row, or None if the tree is not the same for all viewers."""
    read_versions: BatchRead
    """Read the current versions by the keys of the parents. They compare equal to those of `version_of`."""
