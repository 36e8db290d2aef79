"""Quizzes go with their course."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from lms_graphql.assessment.models import Question, Quiz
from lms_graphql.core.statements import execute_dml


def delete_quizzes(session: Session, course_key: int) -> None:
    """All of a course that is to be deleted. None of them has attempts."""
    of_course = select(Quiz.id).where(Quiz.course_id == course_key)
    execute_dml(session, delete(Question).where(Question.quiz_id.in_(of_course)))
    execute_dml(session, delete(Quiz).where(Quiz.course_id == course_key))
