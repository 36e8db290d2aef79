"""Deletion of the quizzes of a course."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.assessment.models import Quiz
from lms_graphql.assessment.services.quizzes import delete_quiz_rows


def delete_quizzes(session: Session, course_key: int) -> None:
    """Delete all quizzes of a course before the course is deleted. They have no attempts (see `attempt_blocker`)."""
    delete_quiz_rows(session, list(session.scalars(select(Quiz.id).where(Quiz.course_id == course_key))))
