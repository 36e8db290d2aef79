"""Hooks of the catalog, filled in `lms_graphql/wiring.py`.

Each function runs in the transaction of the change, in which the course's row is locked. The rows that it reads
therefore stay as they are until the commit, provided that every writer of those rows locks the course first.
"""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.orm import Session

from lms_graphql.catalog.publish_checks import PublishProblemFacts
from lms_graphql.core.hooks import Hook

publish_checks: Hook[Callable[[Session, Sequence[int]], Mapping[int, Sequence[PublishProblemFacts]]]] = Hook(
    "catalog.publish_checks"
)
"""Given course keys, each function returns further publish problems by course key."""

unpublish_blockers: Hook[Callable[[Session, int], str | None]] = Hook("catalog.unpublish_blockers")
"""Given a course key, each function returns a message if the course cannot become a draft again, else None."""

delete_blockers: Hook[Callable[[Session, int], str | None]] = Hook("catalog.delete_blockers")
"""Given the key of a draft, each function returns a message if the draft cannot be deleted, else None."""

before_deletion: Hook[Callable[[Session, int], None]] = Hook("catalog.before_deletion")
"""Given a course key, each function deletes the rows that refer to the course or its lectures, deleted next."""

curriculum_changed: Hook[Callable[[Session, int], None]] = Hook("catalog.curriculum_changed")
"""Each function is called with a course key after the course's sections or lectures changed."""

lectures_removed: Hook[Callable[[Session, Sequence[int]], None]] = Hook("catalog.lectures_removed")
"""Each function is called with the keys of lectures that were just marked as deleted."""
