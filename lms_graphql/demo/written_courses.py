"""Demo courses written by hand. Each has its own file in `topics`; they are sorted by file name."""

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import Any

from lms_graphql.catalog.models import CourseStatus, DifficultyLevel
from lms_graphql.demo import resources
from lms_graphql.demo.outlines import CourseOutline, QuizOutline, SectionOutline, parse_lecture


@cache
def written_courses() -> Sequence[CourseOutline]:
    return tuple(_course(resources.read(path)) for path in resources.paths("topics"))


def _course(text: dict[str, Any]) -> CourseOutline:
    return CourseOutline(
        title=text["title"],
        short_description=text["short_description"],
        description=text["description"].strip(),
        category=text["category"],
        instructor=text["instructor"],
        difficulty=DifficultyLevel(text["difficulty"]),
        language=text["language"],
        price=Decimal(text["price"]),
        currency=text["currency"],
        status=CourseStatus(text.get("status", CourseStatus.PUBLISHED)),
        is_featured=text.get("featured", False),
        sections=tuple(_section(section) for section in text["sections"]),
    )


def _section(text: dict[str, Any]) -> SectionOutline:
    bodies = {title: body.strip() for title, body in text.get("bodies", {}).items()}
    return SectionOutline(
        title=text["title"],
        description=text.get("description"),
        lectures=tuple(parse_lecture(line, bodies) for line in text["lectures"].strip().splitlines()),
        quiz=_quiz(text["quiz"]) if "quiz" in text else None,
    )


def _quiz(text: dict[str, Any]) -> QuizOutline:
    texts = {name: value for name, value in text.items() if name not in {"right", "wrong"}}
    return QuizOutline(**texts, correct_options=tuple(text["right"]), wrong_options=tuple(text["wrong"]))
