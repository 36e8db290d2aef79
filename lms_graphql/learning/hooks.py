"""What figures and progress leave open for the floors above. Filled in `lms_graphql/wiring.py`."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy.orm import Session

from lms_graphql.core.hooks import Hook

course_level_quizzes: Hook[Callable[[Session, Sequence[int]], Mapping[int, Sequence[int]]]] = Hook(
    "learning.course_level_quizzes"
)
"""The keys of the published quizzes of each of these courses that no lecture carries, by the course's key."""


class PassedQuizzes(NamedTuple):
    """What somebody has passed in a course: lectures by their quiz, and quizzes that no lecture carries."""

    lectures: frozenset[int] = frozenset()
    quizzes: int = 0


passed_quizzes: Hook[Callable[[Session, int, Sequence[int]], Mapping[int, PassedQuizzes]]] = Hook(
    "learning.passed_quizzes"
)
"""What each of these people has passed of this course's published quizzes. Who has passed nothing may be left out."""
