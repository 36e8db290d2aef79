"""Quiz services: create, update, publish and delete. Attempts are in `attempts`."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session

from lms_graphql.assessment.models import Question, QuestionVersion, Quiz, QuizAccommodation, QuizAttempt
from lms_graphql.assessment.quiz_validation import quiz_columns
from lms_graphql.assessment.services.quiz_locks import lock_quiz_to_edit
from lms_graphql.catalog.models import Course, CourseStatus, Lecture
from lms_graphql.catalog.services.course_locks import bump_version, lock_course_to_edit
from lms_graphql.catalog.services.ordering import finish_curriculum_change
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.statements import execute_dml
from lms_graphql.core.validation import Validator

MAX_QUIZZES = 100


def create_quiz(session: Session, actor: Actor, course_id: str, values: Mapping[str, Any]) -> int:
    """Add a course-level quiz, which is not published, and return its key.

    Raise NOT_FOUND, FORBIDDEN, LIMIT_REACHED, or validation errors.
    """
    course = lock_course_to_edit(session, actor, course_id)
    validator = Validator()
    columns = quiz_columns(validator, values)
    validator.raise_errors()
    if _count(session, Quiz.course_id == course.id) >= MAX_QUIZZES:
        message = f"A course has at most {MAX_QUIZZES} quizzes. Delete one first."
        raise DomainError(ErrorCode.LIMIT_REACHED, message, ("course_id",), limit=MAX_QUIZZES)
    quiz = Quiz(course_id=course.id, **columns)
    session.add(quiz)
    finish_curriculum_change(session, course)
    return quiz.id


def update_quiz(session: Session, actor: Actor, quiz_id: str, changes: Mapping[str, Any]) -> int:
    """Change the fields in `changes` and return the quiz's key. Attempts that are graded keep their results.

    Raise NOT_FOUND, FORBIDDEN, or validation errors.
    """
    course, quiz = lock_quiz_to_edit(session, actor, quiz_id)
    validator = Validator()
    columns = quiz_columns(validator, changes)
    validator.raise_errors()
    for column, value in columns.items():
        setattr(quiz, column, value)
    if columns:
        finish_curriculum_change(session, course)
    return quiz.id


def set_quiz_published(session: Session, actor: Actor, quiz_id: str, is_published: bool) -> int:
    """Publish a quiz or unpublish it, and return its key. Repeating it changes nothing.

    Raise NOT_FOUND, FORBIDDEN, NOT_READY for a quiz without questions, or IN_USE if a lecture of a published course
    needs it.
    """
    course, quiz = lock_quiz_to_edit(session, actor, quiz_id)
    if quiz.is_published == is_published:
        return quiz.id
    if is_published:
        _require_questions(session, quiz)
    else:
        _require_not_needed(course, quiz)
    quiz.is_published = is_published
    finish_curriculum_change(session, course)
    return quiz.id


def delete_quiz(session: Session, actor: Actor, quiz_id: str) -> int:
    """Delete a quiz with its questions, and return the course's key.

    Raise NOT_FOUND, FORBIDDEN, or IN_USE if it has attempts or a lecture of a published course needs it.
    """
    course, quiz = lock_quiz_to_edit(session, actor, quiz_id)
    _require_not_needed(course, quiz)
    if session.scalar(select(exists().where(QuizAttempt.quiz_id == quiz.id))):
        message = "This quiz has attempts, which are not deleted. Unpublish it instead."
        raise DomainError(ErrorCode.IN_USE, message, ("quiz_id",))
    if quiz.lecture_id is not None:
        bump_version(session.get_one(Lecture, quiz.lecture_id))
    delete_quiz_rows(session, [quiz.id])
    finish_curriculum_change(session, course)
    return course.id


def delete_quiz_rows(session: Session, quiz_keys: list[int]) -> None:
    """Delete quizzes that have no attempts, with everything that belongs to them. Their course is locked."""
    questions = select(Question.id).where(Question.quiz_id.in_(quiz_keys))
    question_keys = session.scalars(questions).all()
    execute_dml(session, delete(QuestionVersion).where(QuestionVersion.question_id.in_(question_keys)))
    execute_dml(session, delete(Question).where(Question.id.in_(question_keys)))
    execute_dml(session, delete(QuizAccommodation).where(QuizAccommodation.quiz_id.in_(quiz_keys)))
    execute_dml(session, delete(Quiz).where(Quiz.id.in_(quiz_keys)))


def _require_questions(session: Session, quiz: Quiz) -> None:
    if not session.scalar(select(exists().where(Question.quiz_id == quiz.id))):
        message = "This quiz has no questions. Add one before you publish it."
        raise DomainError(ErrorCode.NOT_READY, message, ("quiz_id",))


def _require_not_needed(course: Course, quiz: Quiz) -> None:
    if quiz.is_published and quiz.lecture_id is not None and course.status is CourseStatus.PUBLISHED:
        message = "A lecture of a published course needs this quiz. Delete the lecture or archive the course first."
        raise DomainError(ErrorCode.IN_USE, message, ("quiz_id",), subject=("Lecture", quiz.lecture_id))


def _count(session: Session, *where: Any) -> int:
    return session.scalar(select(func.count()).select_from(Quiz).where(*where)) or 0
