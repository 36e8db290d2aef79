"""Services for the questions of a quiz: add, update, delete and reorder.

Attempts refer to versions, which never change. So a question can be edited while attempts are open.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from lms_graphql.assessment.models import Question, QuestionType, QuestionVersion, Quiz
from lms_graphql.assessment.question_content import QuestionContent, from_columns, keep_option_ids, to_columns
from lms_graphql.assessment.quiz_validation import question_content
from lms_graphql.assessment.reads.questions import QUESTION_KINDS
from lms_graphql.assessment.services.quiz_locks import lock_question_to_edit, lock_quiz_to_edit
from lms_graphql.catalog.services.course_locks import bump_version
from lms_graphql.catalog.services.ordering import Positions, stored_positions, validate_position
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.statements import insert_returning_key
from lms_graphql.core.validation import Validator

MAX_QUESTIONS = 200


def add_question(
    session: Session, actor: Actor, quiz_id: str, kind: QuestionType, values: Mapping[str, Any], position: int | None
) -> int:
    """Add a question to a quiz and return its key. Attempts that are open do not get it.

    Raise NOT_FOUND, FORBIDDEN, LIMIT_REACHED, or validation errors.
    """
    course, quiz = lock_quiz_to_edit(session, actor, quiz_id)
    validator = Validator()
    content = question_content(validator.within("question", kind.value), kind, values)
    position = validate_position(validator, position)
    validator.raise_errors()
    order = question_positions(session, quiz)
    require_room(order, 1)
    question = Question(quiz_id=quiz.id, **to_columns(content))
    order.insert(session, question, position)
    store_version(session, question.id, content)
    bump_version(course)
    return question.id


def update_question(
    session: Session, actor: Actor, question_id: str, kind: QuestionType, values: Mapping[str, Any]
) -> int:
    """Replace the content of a question and return its key. Options whose text stays keep their ids.

    Raise NOT_FOUND, FORBIDDEN, INVALID for another type, or validation errors.
    """
    course, _, question = lock_question_to_edit(session, actor, question_id)
    validator = Validator()
    nested = validator.within("question", kind.value)
    if kind is not question.question_type:
        message = "The type of a question cannot change. Delete the question and add another one."
        raise DomainError(ErrorCode.INVALID, message, ("question", kind.value))
    previous = from_columns(question)
    content = keep_option_ids(question_content(nested, kind, values), previous)
    validator.raise_errors()
    if content != previous:
        for column, value in to_columns(content).items():
            setattr(question, column, value)
        store_version(session, question.id, content)
        bump_version(course)
    return question.id


def delete_question(session: Session, actor: Actor, question_id: str) -> int:
    """Delete a question and return the course's key. Attempts keep it.

    Raise NOT_FOUND, FORBIDDEN, or NOT_READY for the last question of a published quiz.
    """
    course, quiz, question = lock_question_to_edit(session, actor, question_id)
    order = question_positions(session, quiz)
    if quiz.is_published and len(order.keys) == 1:
        message = "A published quiz needs a question. Add another one before you delete this one."
        raise DomainError(ErrorCode.NOT_READY, message, ("question_id",), subject=("Quiz", quiz.id))
    order.keys.remove(question.id)
    session.delete(question)
    session.flush()
    order.write(session)
    bump_version(course)
    return course.id


def reorder_questions(session: Session, actor: Actor, quiz_id: str, question_ids: Sequence[str]) -> int:
    """Put the questions of a quiz into the order of `question_ids` and return the quiz's key.

    Raise NOT_FOUND, FORBIDDEN, or INVALID if the ids are not exactly those of the quiz's questions.
    """
    course, quiz = lock_quiz_to_edit(session, actor, quiz_id)
    types = session.execute(select(Question.id, Question.question_type).where(Question.quiz_id == quiz.id))
    kinds = {key: QUESTION_KINDS[question_type] for key, question_type in types}
    question_positions(session, quiz).reorder(session, question_ids, "question_ids", kinds)
    bump_version(course)
    return quiz.id


def question_positions(session: Session, quiz: Quiz) -> Positions:
    return stored_positions(session, Question, Question.quiz_id == quiz.id)


def require_room(order: Positions, added: int) -> None:
    """Raise LIMIT_REACHED if the quiz would have too many questions."""
    if len(order.keys) + added > MAX_QUESTIONS:
        message = f"A quiz has at most {MAX_QUESTIONS} questions. Delete some first."
        raise DomainError(ErrorCode.LIMIT_REACHED, message, ("quiz_id",), limit=MAX_QUESTIONS)


def store_version(session: Session, question_key: int, content: QuestionContent) -> int:
    """Add a version of the question, which is its present content from now on. Return the version's key."""
    return insert_returning_key(
        session, insert(QuestionVersion), {"question_id": question_key, **to_columns(content)}
    )
