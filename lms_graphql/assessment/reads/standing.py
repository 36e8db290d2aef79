"""The quizzes that stand for themselves in a course, beside its lectures."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms_graphql.assessment.models import Quiz


def standing_quizzes(session: Session, course_key: int) -> int:
    """How many are published."""
    standing = (Quiz.course_id == course_key, Quiz.lecture_id.is_(None), Quiz.is_published)
    return session.scalar(select(func.count()).where(*standing)) or 0
