"""Published quizzes that no lecture carries: what a course requires beside its lectures."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.assessment.models import Quiz
from lms_graphql.core.statements import KEYS, fetch_rows, group_rows

COURSE_LEVEL_QUIZZES = select(Quiz.course_id, Quiz.id).where(
    Quiz.course_id.in_(KEYS), Quiz.is_published, Quiz.lecture_id.is_(None)
)


def course_level_quizzes(session: Session, course_keys: Sequence[int]) -> dict[int, list[int]]:
    """Their keys, by course."""
    return group_rows(fetch_rows(session, COURSE_LEVEL_QUIZZES, {"keys": course_keys}), lambda row: row[1], by=0)
