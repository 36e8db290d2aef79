"""Grading of essays by people. Everything that depends on the points is computed again in the same transaction."""

from decimal import Decimal

from sqlalchemy import update
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit
from lms_graphql.assessment.models import AttemptQuestion, AttemptStatus, QuestionType
from lms_graphql.assessment.quiz_validation import validate_points
from lms_graphql.assessment.reads.attempt_rows import (
    AttemptTarget,
    attempt_question_rows,
    find_answer_target,
    find_attempt_target,
)
from lms_graphql.assessment.services.attempt_locks import lock_attempt, require_visible_attempt
from lms_graphql.assessment.services.results import store_result
from lms_graphql.assessment.services.submission import submit_if_overdue
from lms_graphql.catalog.policies import may_edit_course
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode, RequestError, RequestErrorCode, not_found
from lms_graphql.core.statements import execute_dml, peek
from lms_graphql.core.validation import Validator


def grade_answer(
    session: Session, actor: Actor, attempt_id: str, question_id: str, points: Decimal, feedback: str | None
) -> int:
    """Set the points and the feedback of an essay, as course staff, and return the attempt's key.

    Grading again replaces the previous grade. Each grade is in the audit log. Raise NOT_FOUND, FORBIDDEN,
    INVALID for another type of question, INVALID_TRANSITION for an open attempt, or validation errors.
    """
    attempt_key = global_ids.decode_key("QuizAttempt", attempt_id)
    question_key = global_ids.decode_key("AttemptQuestion", question_id)
    found = peek(session, lambda peek_session: find_answer_target(peek_session, attempt_key, question_key))
    if found is None:
        _require_grader(actor, find_attempt_target(session, attempt_key))
        raise not_found("question_id")
    _require_grader(actor, found[0])
    if found[1].content.type is not QuestionType.ESSAY:
        message = "Only essays are graded by people. Correct the question and regrade it instead."
        raise DomainError(ErrorCode.INVALID, message, ("question_id",))
    target = lock_attempt(session, found[0].key)
    is_submitted = submit_if_overdue(session, target) or target.status is not AttemptStatus.IN_PROGRESS
    rows = {row.key: row for row in attempt_question_rows(session, [target.key])[target.key]}
    question = rows[found[1].key]  # as it is under the lock, because a regrade changes its points
    validator = Validator()
    points = validate_points(validator, "points", points, Decimal(0), question.scored_by.points)
    feedback = validator.multi_line("feedback", feedback)
    validator.raise_errors()
    if not is_submitted:
        message = "This attempt is still open. Grade it after it was submitted."
        raise DomainError(ErrorCode.INVALID_TRANSITION, message, ("attempt_id",))
    values = {"earned_points": points, "feedback": feedback, "graded_by_id": actor.key, "graded_at": clock.now()}
    execute_dml(session, update(AttemptQuestion).where(AttemptQuestion.id == question.key).values(values))
    rows[question.key] = question._replace(earned_points=points)
    store_result(session, target, [row.result for row in rows.values()])
    _record(session, actor, target, question.question_key, question.earned_points, points)
    return target.key


def _require_grader(actor: Actor, target: AttemptTarget | None) -> None:
    """Raise NOT_FOUND if the attempt is not visible to the actor, and FORBIDDEN unless they may grade it."""
    if not may_edit_course(actor, require_visible_attempt(actor, target)):
        message = "Only the course's instructor and super admins may grade attempts."
        raise RequestError(RequestErrorCode.FORBIDDEN, message)


def _record(
    session: Session,
    actor: Actor,
    target: AttemptTarget,
    question_key: int,
    previous: Decimal | None,
    points: Decimal,
) -> None:
    audit.record(
        session,
        "attempt.graded",
        actor=actor.key,
        subject=target.key,
        user=target.user_key,
        question=question_key,
        previous_points=None if previous is None else str(previous),
        points=f"{points:.2f}",
    )
