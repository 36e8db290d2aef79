"""Submission of attempts: by the learner, by whoever touches an overdue attempt next, and by maintenance.

All ways give the same result: an overdue attempt counts as submitted at its deadline.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import case, literal, select, update
from sqlalchemy.orm import Session

from lms_graphql.assessment import scoring
from lms_graphql.assessment.attempt_rules import is_overdue
from lms_graphql.assessment.models import AttemptQuestion, AttemptStatus, QuizAttempt
from lms_graphql.assessment.reads.attempt_rows import AttemptTarget, attempt_question_rows, find_attempt_target
from lms_graphql.assessment.reads.passed_quizzes import quizzes_passed_by
from lms_graphql.assessment.services.attempt_locks import lock_open_attempt, require_own_attempt
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.database import Database
from lms_graphql.core.orm import FixedDecimal
from lms_graphql.core.statements import NOW, execute_dml, peek
from lms_graphql.learning.services.quiz_results import record_passed_quiz
from lms_graphql.settings import SESSION_SETTINGS_KEY, Settings, settings_of

BATCH_SIZE = 100


def submit_quiz_attempt(session: Session, actor: Actor, attempt_id: str) -> int:
    """Submit the actor's attempt and return its key. Submitting it again changes nothing.

    Raise NOT_FOUND or FORBIDDEN.
    """
    key = global_ids.decode_key("QuizAttempt", attempt_id)
    target = require_own_attempt(actor, peek(session, lambda peek_session: find_attempt_target(peek_session, key)))
    submit_if_open(session, target.key)
    return target.key


def submit_if_open(session: Session, attempt_key: int) -> bool:
    """Submit the attempt as it stands. Return whether it was open."""
    target = lock_open_attempt(session, attempt_key)
    if target is not None:
        submit_locked_attempt(session, target)
    return target is not None


def submit_if_overdue(session: Session, target: AttemptTarget) -> bool:
    """Submit the attempt, which is locked, if it is open and its time is up. Return whether it was so."""
    if target.status is not AttemptStatus.IN_PROGRESS or not is_overdue(target.closes_at, clock.now()):
        return False
    submit_locked_attempt(session, target)
    return True


def submit_locked_attempt(session: Session, target: AttemptTarget) -> None:
    """Score the open attempt, which is locked, close it, and update progress if the quiz is passed."""
    now = clock.now()
    points = {
        row.key: scoring.earned_points(row.scored_by, row.answer)
        for row in attempt_question_rows(session, [target.key]).get(target.key, [])
    }
    store_points(session, target.key, points)
    submitted_at = now if target.deadline_at is None else min(now, target.deadline_at)
    store_result(session, target, list(points.values()), submitted_at=submitted_at, open_marker=None)


def submit_overdue(database: Database, settings: Settings) -> int:
    """Submit all attempts whose deadline and grace have passed. Return their number."""
    total = 0
    while keys := database.read_sync(_overdue_keys):
        for key in keys:
            total += database.write_sync(partial(_submit_with_settings, attempt_key=key, settings=settings))
    return total


def store_points(session: Session, attempt_key: int, points: Mapping[int, Decimal | None]) -> None:
    """Store the points of questions of an attempt, by their keys, in one statement."""
    if points:
        by_key = {key: literal(value, FixedDecimal()) for key, value in points.items()}
        values = case(by_key, value=AttemptQuestion.id)
        of_attempt = (AttemptQuestion.attempt_id == attempt_key, AttemptQuestion.id.in_(points))
        execute_dml(session, update(AttemptQuestion).where(*of_attempt).values(earned_points=values))


def store_result(
    session: Session, target: AttemptTarget, points: Sequence[Decimal | None], **columns: Any
) -> AttemptStatus:
    """Store the result that follows from the points of all questions; None is a question to be graded by a person.

    The attempt is locked. `columns` are further columns to set. Progress is updated if the quiz is passed.
    """
    earned = scoring.total_earned(points)
    is_graded = None not in points
    is_passed = scoring.has_passing_score(earned, target.total_points, target.passing_score) if is_graded else None
    status = AttemptStatus.GRADED if is_graded else AttemptStatus.GRADING
    score = scoring.score_percent(earned, target.total_points)
    result = {"status": status, "earned_points": earned, "score": score, "is_passed": is_passed}
    attempt = update(QuizAttempt).where(QuizAttempt.id == target.key)
    execute_dml(session, attempt.values(**result, **columns))
    if is_graded and target.is_published and quizzes_passed_by(session, target.user_key, [target.quiz_key]):
        record_passed_quiz(session, target.user_key, target.course_key, target.lecture_key, settings_of(session))
    return status


_OVERDUE = (
    select(QuizAttempt.id)
    .where(QuizAttempt.status == AttemptStatus.IN_PROGRESS, QuizAttempt.closes_at < NOW)
    .order_by(QuizAttempt.closes_at, QuizAttempt.id)
    .limit(BATCH_SIZE)
)


def _overdue_keys(session: Session) -> list[int]:
    return list(session.scalars(_OVERDUE, {"now": clock.now()}))


def _submit_with_settings(session: Session, attempt_key: int, settings: Settings) -> bool:
    session.info[SESSION_SETTINGS_KEY] = settings
    return submit_if_open(session, attempt_key)
