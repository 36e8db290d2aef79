"""Lock of a quiz for editing. Quizzes change under the exclusive lock of their course, like sections and lectures."""

from sqlalchemy import ColumnElement, and_, false, select, true
from sqlalchemy.orm import Session

from lms_graphql.assessment.models import Question, Quiz
from lms_graphql.assessment.policies import questions_visible_to, quizzes_visible_to
from lms_graphql.assessment.reads.questions import QUESTION_KINDS
from lms_graphql.catalog.models import Course
from lms_graphql.catalog.policies import may_edit_course
from lms_graphql.catalog.services.course_locks import lock_course
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import RequestError, RequestErrorCode, not_found
from lms_graphql.core.statements import peek, peek_once


def lock_quiz_to_edit(session: Session, actor: Actor, quiz_id: str) -> tuple[Course, Quiz]:
    """Lock the quiz's course and return both. Raise NOT_FOUND at `quiz_id`, or FORBIDDEN."""
    return _lock(session, actor, global_ids.decode_key("Quiz", quiz_id), "quiz_id")


def peek_course_key(session: Session, quiz_id: str) -> int | None:
    """Return the key of the quiz's course, by `peek_once`."""
    return _peek_course_key(session, global_ids.decode_key("Quiz", quiz_id))


def lock_question_to_edit(session: Session, actor: Actor, question_id: str) -> tuple[Course, Quiz, Question]:
    """Lock the course of the question's quiz and return all three. Raise NOT_FOUND at `question_id`, or FORBIDDEN."""
    has_id = _has_id(question_id)
    statement = select(Question.quiz_id).where(has_id)
    course, quiz = _lock(session, actor, peek(session, lambda peek: peek.scalar(statement)), "question_id")
    question = session.scalar(select(Question).where(has_id))
    if question is None:  # deleted since its quiz was read
        raise not_found("question_id")
    return course, quiz, question


def require_editable_quiz(session: Session, actor: Actor, quiz_id: str) -> int:
    """Return the key of a quiz that the actor may edit. Raise NOT_FOUND at `quiz_id`, or FORBIDDEN."""
    key = global_ids.decode_key("Quiz", quiz_id)
    return _require_editable(session, actor, key, "quiz_id")


def require_editable_question(session: Session, actor: Actor, question_id: str) -> int:
    """Return the key of a question that the actor may edit. Raise NOT_FOUND at `question_id`, or FORBIDDEN."""
    question = session.execute(select(Question.id, Question.quiz_id).where(_has_id(question_id))).one_or_none()
    if question is None:
        raise not_found("question_id")
    _require_editable(session, actor, question.quiz_id, "question_id")
    return question.id


def _require_editable(session: Session, actor: Actor, quiz_key: int | None, path: str) -> int:
    """Return the key of the quiz if the actor may edit it."""
    statement = select(Course.instructor_id.label("instructor_key")).join(Quiz, Quiz.course_id == Course.id)
    course = session.execute(statement.where(Quiz.id == quiz_key)).one_or_none()
    if quiz_key is None or course is None or not may_edit_course(actor, course):
        raise _access_error(session, actor, quiz_key, path)
    return quiz_key


def _has_id(question_id: str) -> ColumnElement[bool]:
    """Return the condition on a question that this is its global id, which names its type as well."""
    decoded = global_ids.decode(question_id)
    types = {kind: question_type for question_type, kind in QUESTION_KINDS.items()}
    if decoded is None or decoded[0] not in types:
        return false()
    return and_(Question.id == decoded[1], Question.question_type == types[decoded[0]])


def _lock(session: Session, actor: Actor, quiz_key: int | None, path: str) -> tuple[Course, Quiz]:
    """Lock the quiz's course. Its key is read before the transaction, because it never changes."""
    course_key = _peek_course_key(session, quiz_key)
    is_editable = true() if actor.is_super_admin else Course.instructor_id == actor.key
    if course_key is None or not lock_course(session, Course.id == course_key, is_editable):
        raise _access_error(session, actor, quiz_key, path)
    quiz = session.get(Quiz, quiz_key)
    if quiz is None:  # deleted since its course was read
        raise not_found(path)
    return session.get_one(Course, course_key), quiz


def _peek_course_key(session: Session, quiz_key: int | None) -> int | None:
    key: int | None = peek_once(session, (Quiz, quiz_key), select(Quiz.course_id).where(Quiz.id == quiz_key))
    return key


def _access_error(session: Session, actor: Actor, quiz_key: int | None, path: str) -> Exception:
    """Return NOT_FOUND if the quiz, or its questions if the path names one, are not visible to the actor.

    Else return FORBIDDEN.
    """
    is_visible_to = quizzes_visible_to if path == "quiz_id" else questions_visible_to
    is_visible = (Quiz.id == quiz_key, is_visible_to(actor.access_level))
    statement = select(Quiz.id).join(Course, Course.id == Quiz.course_id).where(*is_visible)
    if session.scalar(statement, {**actor.bind_params, "now": clock.now()}) is None:
        return not_found(path)
    message = "Only the course's instructor and super admins may change its quizzes."
    return RequestError(RequestErrorCode.FORBIDDEN, message)
