"""What figures and progress leave open for the floors above. Filled in `lms_graphql/wiring.py`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from lms_graphql.core.statements import RowSelect


@dataclass(frozen=True, slots=True)
class AnalyticsRollup:
    """Figures that are kept for each course, because to count takes long."""

    changed: Callable[[datetime, datetime], Sequence[RowSelect]]
    """Statements for the keys of courses to which something happened between these two; quick ones, by an index."""
    count: Callable[[Session, Sequence[int], datetime], Mapping[int, Any]]
    """Works the figures of these courses out, as they are at that instant. A course without any may be left out."""
    stored: Callable[[Session, Sequence[int]], Mapping[int, Any]]
    """What is kept of them, in the form that `count` gives."""
    store: Callable[[Session, Sequence[int], Mapping[int, Any]], None]
    """Writes what was counted in place of what is kept of these courses."""


analytics_rollups: list[AnalyticsRollup] = []
"""Beside learning's own: counted and kept with them, so that all figures of a course are of one time."""

course_level_quizzes: list[Callable[[Session, Sequence[int]], Mapping[int, Sequence[int]]]] = []
"""The keys of the published quizzes of each of these courses that no lecture carries, by the course's key."""


class PassedQuizzes(NamedTuple):
    """What somebody has passed in a course: lectures by their quiz, and quizzes that no lecture carries."""

    lectures: frozenset[int] = frozenset()
    quizzes: int = 0


passed_quizzes: list[Callable[[Session, int, Sequence[int]], Mapping[int, PassedQuizzes]]] = []
"""What each of these people has passed of this course's published quizzes. Who has passed nothing may be left out."""
