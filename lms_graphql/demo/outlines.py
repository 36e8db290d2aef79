"""Outline of a demo course: its texts and its curriculum, before there are rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from lms_graphql.catalog.models import CourseStatus, DifficultyLevel, LectureType
from lms_graphql.demo.quiz_outlines import QuizOutline


@dataclass(frozen=True, slots=True)
class LectureOutline:
    """Outline of a lecture. If `body` is missing, a text is chosen from the pool."""

    kind: LectureType
    title: str
    body: str | None = None


@dataclass(frozen=True, slots=True)
class SectionOutline:
    """Outline of a section. `quiz` is the quiz of its QUIZ lecture. A section has at most one."""

    title: str
    description: str | None
    lectures: tuple[LectureOutline, ...]
    quiz: QuizOutline | None


@dataclass(frozen=True, slots=True)
class CourseOutline:
    """
    Outline of a course. `category` is a slug, `instructor` a key of the pool, `price` in major units. `quizzes` are
    its course-level quizzes.
    """

    title: str
    short_description: str
    description: str
    category: str
    instructor: str
    difficulty: DifficultyLevel
    language: str
    price: Decimal
    currency: str
    status: CourseStatus
    is_featured: bool
    sections: tuple[SectionOutline, ...]
    quizzes: tuple[QuizOutline, ...] = ()


def parse_lecture(line: str, bodies: Mapping[str, str]) -> LectureOutline:
    """Parse a line such as `video: Setting everything up`. `bodies` are texts by title of the lecture."""
    kind, _, title = line.partition(": ")
    return LectureOutline(LectureType(kind), title, bodies.get(title))
