"""What a course is before it has rows: its texts and the shape of its curriculum."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from lms_graphql.catalog.models import CourseStatus, DifficultyLevel, LectureType


@dataclass(frozen=True, slots=True)
class QuizOutline:
    """A statement to be called true or false, and a prompt with right and wrong options."""

    statement: str
    is_true: bool
    reason: str
    prompt: str
    right: tuple[str, ...]
    wrong: tuple[str, ...]
    explanation: str


@dataclass(frozen=True, slots=True)
class LectureOutline:
    """`body` is None where it is to be chosen from the pool."""

    kind: LectureType
    title: str
    body: str | None = None


@dataclass(frozen=True, slots=True)
class SectionOutline:
    """`quiz` is what its QUIZ lecture asks; there is at most one."""

    title: str
    description: str | None
    lectures: tuple[LectureOutline, ...]
    quiz: QuizOutline | None


@dataclass(frozen=True, slots=True)
class CourseOutline:
    """`category` is a slug, `instructor` a key of the pool of instructors, `price` in major units."""

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


def lecture(line: str, bodies: Mapping[str, str]) -> LectureOutline:
    """From a line of the form "video: What a program is". `bodies` are found by title."""
    kind, _, title = line.partition(": ")
    return LectureOutline(LectureType(kind), title, bodies.get(title))
