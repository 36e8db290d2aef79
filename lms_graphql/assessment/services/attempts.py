"""Attempts of learners: start, save an answer, submit.

Lock order: docs/architecture.md. Each change locks the attempt first. The start of an attempt locks the course
(shared) and the enrollment, so that concurrent starts of one learner run one after the other.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, case, func, insert, select, update
from sqlalchemy.orm import Session

from lms_graphql.assessment import attempt_rules
from lms_graphql.assessment.answer_validation import answer_columns, shown_options_by_id
from lms_graphql.assessment.models import (
    AttemptQuestion,
    AttemptStatus,
    Question,
    QuestionVersion,
    Quiz,
    QuizAccommodation,
    QuizAttempt,
)
from lms_graphql.assessment.policies import quizzes_visible_to
from lms_graphql.assessment.reads.attempt_rows import find_answer_target, find_attempt_target
from lms_graphql.assessment.services.attempt_locks import attempt_closed, lock_attempt_in_time, require_own_attempt
from lms_graphql.assessment.services.submission import submit_if_open
from lms_graphql.catalog.models import Course
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import VIEWER, AccessLevel, Actor
from lms_graphql.core.errors import DomainError, ErrorCode, not_found
from lms_graphql.core.statements import (
    RowSelect,
    execute_dml,
    fetch_named_rows,
    fetch_rows,
    insert_returning_key,
    peek,
)
from lms_graphql.core.validation import Validator
from lms_graphql.learning.services.progress_locks import lock_course_and_enrollment, require_access
from lms_graphql.settings import settings_of


class QuizToTake(NamedTuple):
    """A quiz with what limits the attempts of one learner."""

    key: int
    course_key: int
    is_published: bool
    time_limit: int | None
    max_attempts: int | None
    shuffle_questions: bool
    extra_time_percent: int
    extra_attempts: int
    open_attempt_key: int | None


_QUIZ = (
    select(
        Quiz.id,
        Quiz.course_id,
        Quiz.is_published,
        Quiz.time_limit,
        Quiz.max_attempts,
        Quiz.shuffle_questions,
        func.coalesce(QuizAccommodation.extra_time_percent, 0),
        func.coalesce(QuizAccommodation.extra_attempts, 0),
        QuizAttempt.id,
    )
    .join(Course, Course.id == Quiz.course_id)
    .outerjoin(QuizAccommodation, and_(QuizAccommodation.quiz_id == Quiz.id, QuizAccommodation.user_id == VIEWER))
    .outerjoin(
        QuizAttempt,
        and_(
            QuizAttempt.quiz_id == Quiz.id,
            QuizAttempt.user_id == VIEWER,
            QuizAttempt.status == AttemptStatus.IN_PROGRESS,
        ),
    )
    .where(Quiz.id == bindparam("quiz"))
)


@cache
def _visible_quiz(access_level: AccessLevel) -> RowSelect:
    return _QUIZ.where(quizzes_visible_to(access_level))


def start_quiz_attempt(session: Session, actor: Actor, quiz_id: str) -> int:
    """Start an attempt and return its key, or the key of the attempt that is open.

    An open attempt whose time is up is submitted first. Raise NOT_FOUND, NOT_ENROLLED, NOT_PUBLISHED or
    NO_ATTEMPTS_LEFT.
    """
    assert actor.key is not None
    quiz_key = global_ids.decode_key("Quiz", quiz_id)
    quiz = peek(session, lambda peek_session: _find_quiz(peek_session, actor, quiz_key))
    if quiz is None:
        raise not_found("quiz_id")
    if quiz.open_attempt_key is not None and _is_still_open(session, quiz.open_attempt_key):
        return quiz.open_attempt_key
    require_access(lock_course_and_enrollment(session, quiz.course_key, actor.key), "quiz_id")
    quiz = _find_quiz(session, actor, quiz_key)
    if quiz is None:
        raise not_found("quiz_id")
    if quiz.open_attempt_key is not None:  # another request of this learner has just started it
        return quiz.open_attempt_key
    if not quiz.is_published:
        message = "This quiz is not published, so no attempt can be started."
        raise DomainError(ErrorCode.NOT_PUBLISHED, message, ("quiz_id",))
    return _insert_attempt(session, actor.key, quiz)


def save_answer(
    session: Session, actor: Actor, attempt_id: str, question_id: str, answer: Mapping[str, Any] | None
) -> int | DomainError:
    """Store the answer to a question of the actor's open attempt; None takes it back. Return the attempt's key.

    `answer` has one field: `option_ids`, `boolean` or `text`. Return ATTEMPT_CLOSED if the time is up; the attempt
    is submitted then. Raise NOT_FOUND, FORBIDDEN, ATTEMPT_CLOSED, or validation errors.
    """
    attempt_key = global_ids.decode_key("QuizAttempt", attempt_id)
    question_key = global_ids.decode_key("AttemptQuestion", question_id)
    found = peek(session, lambda peek_session: find_answer_target(peek_session, attempt_key, question_key))
    if found is None:
        require_own_attempt(actor, find_attempt_target(session, attempt_key))
        raise not_found("question_id")
    target, question = require_own_attempt(actor, found[0]), found[1]
    validator = Validator()
    options = shown_options_by_id(question.content, question.key, target.shuffle_seed)
    columns = answer_columns(validator, question.content, options, answer)
    validator.raise_errors()
    if not lock_attempt_in_time(session, target.key):
        submit_if_open(session, target.key)
        return attempt_closed()
    saved_at = None if answer is None else clock.now()
    execute_dml(session, _SAVE_ANSWER, {"row": question.key, **columns, "saved_at": saved_at})
    return target.key


_SAVE_ANSWER = update(AttemptQuestion).where(AttemptQuestion.id == bindparam("row"))


def _find_quiz(session: Session, actor: Actor, quiz_key: int | None) -> QuizToTake | None:
    binds = {**actor.bind_params, "quiz": quiz_key, "now": clock.now()}
    row = session.connection().execute(_visible_quiz(actor.access_level), binds).one_or_none()
    return None if row is None else QuizToTake._make(row)


def _is_still_open(session: Session, attempt_key: int) -> bool:
    """Return whether the open attempt is still open. Submit it if its time is up."""
    if lock_attempt_in_time(session, attempt_key):
        return True
    submit_if_open(session, attempt_key)
    return False


_USED_ATTEMPTS = select(
    func.coalesce(func.max(QuizAttempt.attempt_number), 0),
    func.coalesce(func.sum(case((QuizAttempt.status != AttemptStatus.VOIDED, 1), else_=0)), 0),
).where(QuizAttempt.quiz_id == bindparam("quiz"), QuizAttempt.user_id == bindparam("user"))


def _insert_attempt(session: Session, user_key: int, quiz: QuizToTake) -> int:
    """Insert the next attempt with its questions. The enrollment is locked. Raise NO_ATTEMPTS_LEFT."""
    last_number, used = fetch_rows(session, _USED_ATTEMPTS, {"quiz": quiz.key, "user": user_key})[0]
    if attempt_rules.attempts_left(quiz.max_attempts, quiz.extra_attempts, int(used)) == 0:
        message = "You have used all attempts at this quiz. Ask the instructor for another one."
        raise DomainError(ErrorCode.NO_ATTEMPTS_LEFT, message, ("quiz_id",))
    now, seed = clock.now(), attempt_rules.new_shuffle_seed() if quiz.shuffle_questions else None
    versions = fetch_named_rows(session, _PRESENT_VERSIONS, {"quiz": quiz.key})
    questions = attempt_rules.shuffled(versions, seed, lambda version: version.question_id)
    deadline = attempt_rules.deadline(now, quiz.time_limit, quiz.extra_time_percent)
    values = {
        "user_id": user_key,
        "quiz_id": quiz.key,
        "attempt_number": last_number + 1,
        "status": AttemptStatus.IN_PROGRESS,
        "shuffle_seed": seed,
        "total_points": sum((version.points for version in questions), Decimal(0)),
        "started_at": now,
        "deadline_at": deadline,
        "closes_at": attempt_rules.closing_time(deadline, settings_of(session).attempt_grace_seconds),
        "open_marker": f"{user_key}:{quiz.key}",
    }
    attempt_key = insert_returning_key(session, insert(QuizAttempt), values)
    session.connection().execute(
        insert(AttemptQuestion),
        [
            {
                "attempt_id": attempt_key,
                "position": position,
                "question_id": version.question_id,
                "version_id": version.id,
                "key_version_id": version.id,
            }
            for position, version in enumerate(questions)
        ],
    )
    return attempt_key


_PRESENT_VERSION_KEYS = (
    select(func.max(QuestionVersion.id))
    .join(Question, Question.id == QuestionVersion.question_id)
    .where(Question.quiz_id == bindparam("quiz"))
    .group_by(QuestionVersion.question_id)
)
_PRESENT_VERSIONS = (
    select(QuestionVersion.id, QuestionVersion.question_id, QuestionVersion.points)
    .join(Question, Question.id == QuestionVersion.question_id)
    .where(QuestionVersion.id.in_(_PRESENT_VERSION_KEYS))
    .order_by(Question.order_index, Question.id)
)
