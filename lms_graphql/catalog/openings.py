"""What the rules of the catalog set off on the floors above. Filled in `lms_graphql/wiring.py`."""

from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

curriculum_changed: list[Callable[[Session, int], None]] = []
"""Told a course's key after its sections or lectures have changed, in the same transaction."""

lectures_removed: list[Callable[[Session, Sequence[int]], None]] = []
"""Told the keys of lectures that are no more, in the same transaction."""
