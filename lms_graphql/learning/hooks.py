"""Hooks of learning: facts about quizzes and payments from upper layers. Registered in `lms_graphql/wiring.py`."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy.orm import Session

from lms_graphql.core.hooks import Hook

course_level_quizzes: Hook[Callable[[Session, Sequence[int]], Mapping[int, Sequence[int]]]] = Hook(
    "learning.course_level_quizzes"
)
"""Published quizzes of each course that belong to no lecture: quiz keys by course key."""


class PassedQuizzes(NamedTuple):
    """Quizzes of a course that a user has passed.

    `lectures` holds the keys of lectures whose quiz is passed. `quizzes` is the number of passed course-level
    quizzes.
    """

    lectures: frozenset[int] = frozenset()
    quizzes: int = 0


passed_quizzes: Hook[Callable[[Session, int, Sequence[int]], Mapping[int, PassedQuizzes]]] = Hook(
    "learning.passed_quizzes"
)
"""Published quizzes of one course that each user has passed, by user key. Users without any may be missing."""

payment_checks: Hook[Callable[[Session, int, int], bool]] = Hook("learning.payment_checks")
"""Given a user and a course, whose row is locked, each function returns whether the user has paid for it."""
