"""The tree of categories, as whole numbers: who is below whom, and how deep."""

from collections.abc import Mapping

MAX_DEPTH = 5
"""Levels; a root is on the first one."""


class CategoryTree:
    """`parents`: the parent of each category, None for a root."""

    def __init__(self, parents: Mapping[int, int | None]) -> None:
        self._parents = parents
        self._children: dict[int, list[int]] = {}
        for key, parent in parents.items():
            if parent is not None:
                self._children.setdefault(parent, []).append(key)

    def __contains__(self, key: int) -> bool:
        return key in self._parents

    def depth(self, key: int | None) -> int:
        """Its level: 1 for a root, 0 for what is above all roots."""
        level = 0
        while key is not None:
            level, key = level + 1, self._parents[key]
        return level

    def height(self, key: int) -> int:
        """The levels of its branch: 1 for a leaf."""
        return 1 + max((self.height(child) for child in self._children.get(key, ())), default=0)

    def is_within(self, key: int | None, branch: int) -> bool:
        """Whether this is the branch's root or anywhere below it."""
        while key is not None and key != branch:
            key = self._parents[key]
        return key is not None
