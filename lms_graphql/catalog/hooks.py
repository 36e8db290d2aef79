"""What the catalog's rules need to know and to have done by the floors above. Filled in `lms_graphql/wiring.py`.

All are called in the transaction of what is done to the course, whose row is locked: what they read stays so, if only
everybody who changes it locks that row first.
"""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.orm import Session

from lms_graphql.catalog.publish_checks import PublishIssue
from lms_graphql.core.hooks import Hook

publish_checks: Hook[Callable[[Session, Sequence[int]], Mapping[int, Sequence[PublishIssue]]]] = Hook(
    "catalog.publish_checks"
)
"""What else stops the publication of each of these courses, by the course's key."""

unpublish_blockers: Hook[Callable[[Session, int], str | None]] = Hook("catalog.unpublish_blockers")
"""Why this course cannot become a draft again, for people; None where nothing is in the way."""

delete_blockers: Hook[Callable[[Session, int], str | None]] = Hook("catalog.delete_blockers")
"""Why this draft cannot be deleted, for people; None where nothing is in the way."""

before_deletion: Hook[Callable[[Session, int], None]] = Hook("catalog.before_deletion")
"""Removes what hangs on this course or its lectures; they go right afterwards."""

curriculum_changed: Hook[Callable[[Session, int], None]] = Hook("catalog.curriculum_changed")
"""Told a course's key after its sections or lectures have changed, in the same transaction."""

lectures_removed: Hook[Callable[[Session, Sequence[int]], None]] = Hook("catalog.lectures_removed")
"""Told the keys of lectures that are no more, in the same transaction."""
