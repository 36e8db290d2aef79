"""The category tree as integers: ancestors, depth and height. No database."""

from collections.abc import Mapping

MAX_DEPTH = 5
"""The number of levels. Root categories are on level 1."""
MAX_CATEGORIES = 1_000


class CategoryTree:
    """All categories by key. `parents` maps each category to its parent; a root maps to None."""

    def __init__(self, parents: Mapping[int, int | None]) -> None:
        self._parents = parents
        self._children: dict[int, list[int]] = {}
        for key, parent in parents.items():
            if parent is not None:
                self._children.setdefault(parent, []).append(key)

    def __contains__(self, key: int) -> bool:
        return key in self._parents

    def __len__(self) -> int:
        return len(self._parents)

    def depth(self, key: int | None) -> int:
        """Return the level of the category: 1 for a root, 0 for None, which stands for the parent of all roots."""
        level = 0
        while key is not None:
            level, key = level + 1, self._parents[key]
        return level

    def height(self, key: int) -> int:
        """Return the number of levels in the category's subtree: 1 for a leaf."""
        return 1 + max((self.height(child) for child in self._children.get(key, ())), default=0)

    def is_within(self, key: int | None, subtree_root: int) -> bool:
        """Return whether the category is `subtree_root` or one of its descendants."""
        while key is not None and key != subtree_root:
            key = self._parents[key]
        return key is not None
