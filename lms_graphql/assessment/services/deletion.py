"""Deletion of the quizzes of a course."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from lms_graphql.assessment.models import Question, Quiz
from lms_graphql.core.statements import execute_dml


def delete_quizzes(session: Session, course_key: int) -> None:
    """Delete all quizzes of a course before the course is deleted. They have no attempts (see `attempt_blocker`)."""
    quiz_keys = select(Quiz.id).where(Quiz.course_id == course_key)
    execute_dml(session, delete(Question).where(Question.quiz_id.in_(quiz_keys)))
    execute_dml(session, delete(Quiz).where(Quiz.course_id == course_key))
