"""What the catalog's rules need to know and to have done by the floors above. Filled in `lms_graphql/wiring.py`.

All are called in the transaction of what is done to the course, whose row is locked: what they read stays so, if only
everybody who changes it locks that row first.
"""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.orm import Session

from lms_graphql.catalog.publish_checks import PublishIssue

publish_checks: list[Callable[[Session, Sequence[int]], Mapping[int, Sequence[PublishIssue]]]] = []
"""What else stops the publication of each of these courses, by the course's key."""

unpublish_blockers: list[Callable[[Session, int], str | None]] = []
"""Why this course cannot become a draft again, for people; None where nothing is in the way."""

delete_blockers: list[Callable[[Session, int], str | None]] = []
"""Why this draft cannot be deleted, for people; None where nothing is in the way."""

before_deletion: list[Callable[[Session, int], None]] = []
"""Removes what hangs on this course or its lectures; they go right afterwards."""

curriculum_changed: list[Callable[[Session, int], None]] = []
"""Told a course's key after its sections or lectures have changed, in the same transaction."""

lectures_removed: list[Callable[[Session, Sequence[int]], None]] = []
"""Told the keys of lectures that are no more, in the same transaction."""
