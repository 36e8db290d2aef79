"""Demo courses written by hand. Each has its own file in `topics`; they are sorted by file name."""

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import Any

from lms_graphql.catalog.models import CourseStatus, DifficultyLevel
from lms_graphql.demo import resources
from lms_graphql.demo.outlines import CourseOutline, SectionOutline, parse_lecture
from lms_graphql.demo.quiz_outlines import parse_course_quiz, parse_lecture_quiz


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
        quizzes=tuple(parse_course_quiz(quiz) for quiz in text.get("quizzes", ())),
    )


def _section(text: dict[str, Any]) -> SectionOutline:
    bodies = {title: body.strip() for title, body in text.get("bodies", {}).items()}
    return SectionOutline(
        title=text["title"],
        description=text.get("description"),
        lectures=tuple(parse_lecture(line, bodies) for line in text["lectures"].strip().splitlines()),
        quiz=parse_lecture_quiz(text["quiz"]) if "quiz" in text else None,
    )
