"""Regrading: scoring a question again in all attempts that hold it, after its key, points or credit were corrected.

The first batch runs in the request, the others in maintenance. Each batch is one transaction, which also stores how
far it came. So a regrade that was killed continues where it stopped.
"""

from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit
from lms_graphql.assessment import scoring
from lms_graphql.assessment.models import (
    AttemptQuestion,
    AttemptStatus,
    QuestionRegrade,
    QuestionType,
    QuestionVersion,
    QuizAttempt,
    RegradePolicy,
)
from lms_graphql.assessment.question_content import QuestionContent, from_columns, with_key_of
from lms_graphql.assessment.reads.attempt_rows import AttemptQuestionRow, attempt_question_rows, find_attempt_target
from lms_graphql.assessment.services.quiz_locks import require_editable_question
from lms_graphql.assessment.services.submission import store_points, store_result
from lms_graphql.core import clock
from lms_graphql.core.actor import Actor
from lms_graphql.core.database import Database
from lms_graphql.core.statements import execute_dml, peek
from lms_graphql.settings import SESSION_SETTINGS_KEY, Settings

BATCH_SIZE = 100
MAX_INLINE_ATTEMPTS = 500


class RegradeResult(NamedTuple):
    """Result of the part of a regrade that ran at once: attempts that are done, and those left to maintenance."""

    question_key: int
    regraded: int
    pending: int


class BatchResult(NamedTuple):
    """Number of attempts that a batch processed, and of those that were submitted and so have new points."""

    processed: int
    regraded: int


class _Batch(NamedTuple):
    """What to do with the attempts of a batch: their key from now on, and how points change."""

    question_key: int
    version_key: int
    key: QuestionContent
    policy: RegradePolicy


def regrade_question(session: Session, actor: Actor, question_id: str, policy: RegradePolicy) -> RegradeResult:
    """Score a question again in all attempts that hold it, by its present key, points and partial credit.

    What was completed or certified stays. Attempts that are open are scored by the present key when they are
    submitted. Raise NOT_FOUND or FORBIDDEN.
    """
    question_key = peek(session, lambda peek_session: require_editable_question(peek_session, actor, question_id))
    version_key = session.scalar(
        select(func.max(QuestionVersion.id)).where(QuestionVersion.question_id == question_key)
    )
    assert version_key is not None
    assert actor.key is not None
    regrade = QuestionRegrade(question_id=question_key, version_id=version_key, actor_id=actor.key, policy=policy)
    session.add(regrade)
    session.flush()
    processed = regraded = 0
    while regrade.finished_at is None and processed < MAX_INLINE_ATTEMPTS:
        batch = _regrade_batch(session, regrade, min(BATCH_SIZE, MAX_INLINE_ATTEMPTS - processed))
        processed, regraded = processed + batch.processed, regraded + batch.regraded
    audit.record(
        session,
        "question.regraded",
        actor=actor.key,
        question=question_key,
        version=version_key,
        policy=policy.value,
        attempts=regraded,
    )
    pending = 0 if regrade.finished_at is not None else _count_after(session, regrade)
    return RegradeResult(question_key, regraded, pending)


def continue_regrades(database: Database, settings: Settings) -> int:
    """Continue all regrades that are not finished. Return the number of attempts."""
    total = 0
    for key in database.read_sync(_unfinished_keys):
        batch = BatchResult(1, 0)
        while batch.processed:
            batch = database.write_sync(partial(_continue, regrade_key=key, settings=settings))
            total += batch.regraded
    return total


def _unfinished_keys(session: Session) -> list[int]:
    unfinished = select(QuestionRegrade.id).where(QuestionRegrade.finished_at.is_(None))
    return list(session.scalars(unfinished.order_by(QuestionRegrade.id)))


def _continue(session: Session, regrade_key: int, settings: Settings) -> BatchResult:
    """Regrade the next batch. Runs at the same time lock the row and run one after the other."""
    session.info[SESSION_SETTINGS_KEY] = settings
    of_regrade = QuestionRegrade.id == regrade_key
    execute_dml(session, update(QuestionRegrade).where(of_regrade).values(updated_at=QuestionRegrade.updated_at))
    regrade = session.get_one(QuestionRegrade, regrade_key)
    return BatchResult(0, 0) if regrade.finished_at is not None else _regrade_batch(session, regrade, BATCH_SIZE)


def _regrade_batch(session: Session, regrade: QuestionRegrade, size: int) -> BatchResult:
    """Regrade the next attempts. Mark the regrade as finished after the last one."""
    keys = session.scalars(
        select(AttemptQuestion.attempt_id)
        .where(AttemptQuestion.question_id == regrade.question_id, AttemptQuestion.attempt_id > regrade.regraded_to)
        .order_by(AttemptQuestion.attempt_id)
        .limit(size)
    ).all()
    if len(keys) < size:
        regrade.finished_at = clock.now()
    regraded = 0
    if keys:
        regrade.regraded_to = keys[-1]
        version = session.get_one(QuestionVersion, regrade.version_id)
        batch = _Batch(regrade.question_id, version.id, from_columns(version), regrade.policy)
        _lock_attempts(session, keys)
        regraded = sum(_regrade_attempt(session, key, batch) for key in keys)
    session.flush()
    return BatchResult(len(keys), regraded)


def _lock_attempts(session: Session, keys: Sequence[int]) -> None:
    """Lock the attempts in the order of their keys."""
    statement = update(QuizAttempt).where(QuizAttempt.id.in_(keys)).values(updated_at=QuizAttempt.updated_at)
    execute_dml(session, statement)


def _regrade_attempt(session: Session, attempt_key: int, batch: _Batch) -> bool:
    """Set the new key, and store the result if the attempt was submitted. Return whether it was."""
    rows = attempt_question_rows(session, [attempt_key])[attempt_key]
    row = next(row for row in rows if row.question_key == batch.question_key)
    execute_dml(
        session, update(AttemptQuestion).where(AttemptQuestion.id == row.key).values(key_version_id=batch.version_key)
    )
    row_with_key = row._replace(scored_by=with_key_of(row.content, batch.key))
    rows = [row_with_key if other.key == row.key else other for other in rows]
    total = sum((other.scored_by.points for other in rows), Decimal(0))
    execute_dml(session, update(QuizAttempt).where(QuizAttempt.id == attempt_key).values(total_points=total))
    target = find_attempt_target(session, attempt_key)
    assert target is not None
    if target.status not in (AttemptStatus.GRADING, AttemptStatus.GRADED):
        return False
    points = {other.key: other.earned_points for other in rows}
    points[row.key] = _new_points(row_with_key, batch.policy)
    store_points(session, attempt_key, {row.key: points[row.key]})
    store_result(session, target, list(points.values()))
    return True


def _new_points(row: AttemptQuestionRow, policy: RegradePolicy) -> Decimal | None:
    """Return the points after the regrade, at most those of the question. None if a person still has to grade it."""
    maximum = row.scored_by.points
    if policy is RegradePolicy.FULL_POINTS:
        return maximum
    if row.content.type is QuestionType.ESSAY:
        return None if row.earned_points is None else min(row.earned_points, maximum)
    points = scoring.earned_points(row.scored_by, row.answer) or Decimal(0)
    if policy is RegradePolicy.KEEP_BETTER and row.earned_points is not None:
        points = max(points, row.earned_points)
    return min(points, maximum)


def _count_after(session: Session, regrade: QuestionRegrade) -> int:
    """Return the number of submitted attempts that the regrade has not reached."""
    later = (AttemptQuestion.question_id == regrade.question_id, AttemptQuestion.attempt_id > regrade.regraded_to)
    is_submitted = QuizAttempt.status.in_((AttemptStatus.GRADING, AttemptStatus.GRADED))
    attempts = select(func.count()).join(QuizAttempt, QuizAttempt.id == AttemptQuestion.attempt_id)
    return session.scalar(attempts.select_from(AttemptQuestion).where(*later, is_submitted)) or 0
