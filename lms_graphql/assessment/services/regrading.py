"""Regrading: scoring a question again in all attempts that hold it, after its key, points or credit were corrected.

The first batch runs in the request, the others in maintenance. Each batch is one transaction, which also stores how
far it came. So a regrade that was killed continues where it stopped.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit
from lms_graphql.assessment import scoring
from lms_graphql.assessment.models import (
    SUBMITTED_STATUSES,
    AttemptQuestion,
    QuestionRegrade,
    QuestionType,
    QuestionVersion,
    QuizAttempt,
    RegradePolicy,
)
from lms_graphql.assessment.reads.attempt_results import results_by_attempt
from lms_graphql.assessment.reads.attempt_rows import (
    AttemptQuestionRow,
    attempt_targets,
    question_rows_by_attempt,
)
from lms_graphql.assessment.reads.questions import QUESTION_KINDS
from lms_graphql.assessment.services.quiz_locks import require_editable_question
from lms_graphql.assessment.services.results import store_results, total_points
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.database import Database
from lms_graphql.core.statements import execute_dml, insert_returning_key, peek, update_by_key
from lms_graphql.settings import SESSION_SETTINGS_KEY, Settings

BATCH_SIZE = 500
"""Attempts that are regraded in one transaction."""


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
    """The next attempts of a regrade. It is read in a transaction before the one that locks them."""

    actor_key: int
    question_key: int
    question_kind: str
    version_key: int
    policy: RegradePolicy
    regraded_to: int
    attempt_keys: Sequence[int]


def regrade_question(session: Session, actor: Actor, question_id: str, policy: RegradePolicy) -> RegradeResult:
    """Score a question again in all attempts that hold it, by its present key, points and partial credit.

    Completions and certificates stay. Attempts that are open are scored by the present key when they are submitted.
    Raise NOT_FOUND or FORBIDDEN.
    """
    batch = peek(session, lambda peek_session: _first_batch(peek_session, actor, question_id, policy))
    values = {"question_id": batch.question_key, "version_id": batch.version_key, "policy": policy}
    regrade_key = insert_returning_key(session, insert(QuestionRegrade), {**values, "actor_id": batch.actor_key})
    result = _regrade_batch(session, regrade_key, batch)
    audit.record(
        session,
        "question.regraded",
        actor=actor.key,
        subject=batch.question_key,
        subject_kind=batch.question_kind,
        version=batch.version_key,
        policy=policy.value,
        attempts=result.regraded,
    )
    pending = _count_pending(session, batch) if result.processed == BATCH_SIZE else 0
    return RegradeResult(batch.question_key, result.regraded, pending)


def continue_regrades(database: Database, settings: Settings) -> int:
    """Continue all regrades that are not finished. Return the number of attempts."""
    total = 0
    for key in database.read_sync(_unfinished_keys):
        while batch := database.write_sync(partial(continue_regrade, regrade_key=key, settings=settings)):
            total += batch.regraded
    return total


def continue_regrade(session: Session, regrade_key: int, settings: Settings) -> BatchResult | None:
    """Regrade the next batch. Return None if the regrade is finished, or if another run has just taken the batch."""
    session.info[SESSION_SETTINGS_KEY] = settings
    batch = peek(session, lambda peek_session: _next_batch(peek_session, regrade_key))
    if batch is None:
        return None
    is_next = (QuestionRegrade.regraded_to == batch.regraded_to, QuestionRegrade.finished_at.is_(None))
    statement = update(QuestionRegrade).where(QuestionRegrade.id == regrade_key, *is_next)
    if not execute_dml(session, statement.values(updated_at=QuestionRegrade.updated_at)):
        return None
    return _regrade_batch(session, regrade_key, batch)


def _unfinished_keys(session: Session) -> list[int]:
    unfinished = select(QuestionRegrade.id).where(QuestionRegrade.finished_at.is_(None))
    return list(session.scalars(unfinished.order_by(QuestionRegrade.id)))


def _first_batch(session: Session, actor: Actor, question_id: str, policy: RegradePolicy) -> _Batch:
    """Return the first batch of a new regrade. Raise NOT_FOUND or FORBIDDEN."""
    key = require_editable_question(session, actor, question_id)
    version_key = session.scalar(select(func.max(QuestionVersion.id)).where(QuestionVersion.question_id == key))
    assert version_key is not None
    assert actor.key is not None
    kind = _question_kind(session, version_key)
    return _Batch(actor.key, key, kind, version_key, policy, 0, _next_attempts(session, key, 0))


def _next_batch(session: Session, regrade_key: int) -> _Batch | None:
    """Return the next batch of a regrade; None if it is finished."""
    regrade = session.get_one(QuestionRegrade, regrade_key)
    if regrade.finished_at is not None:
        return None
    key = regrade.question_id
    attempt_keys = _next_attempts(session, key, regrade.regraded_to)
    actor, version, policy = regrade.actor_id, regrade.version_id, regrade.policy
    return _Batch(actor, key, _question_kind(session, version), version, policy, regrade.regraded_to, attempt_keys)


def _question_kind(session: Session, version_key: int) -> str:
    """Return the kind in the question's global id. Versions stay when the question is deleted."""
    question_type = select(QuestionVersion.question_type).where(QuestionVersion.id == version_key)
    return QUESTION_KINDS[session.scalars(question_type).one()]


def _next_attempts(session: Session, question_key: int, regraded_to: int) -> Sequence[int]:
    attempts = select(AttemptQuestion.attempt_id).where(*_is_after(question_key, regraded_to))
    return session.scalars(attempts.order_by(AttemptQuestion.attempt_id).limit(BATCH_SIZE)).all()


def _is_after(question_key: int, regraded_to: int) -> tuple[ColumnElement[bool], ...]:
    return AttemptQuestion.question_id == question_key, AttemptQuestion.attempt_id > regraded_to


def _count_pending(session: Session, batch: _Batch) -> int:
    """Return the number of submitted attempts after this batch."""
    attempts = select(func.count()).join(QuizAttempt, QuizAttempt.id == AttemptQuestion.attempt_id)
    is_pending = (*_is_after(batch.question_key, batch.attempt_keys[-1]), QuizAttempt.status.in_(SUBMITTED_STATUSES))
    return session.scalar(attempts.select_from(AttemptQuestion).where(*is_pending)) or 0


def _regrade_batch(session: Session, regrade_key: int, batch: _Batch) -> BatchResult:
    """Regrade the attempts of a batch, and store how far it came. Mark the regrade as finished after the last one.

    The number of statements does not depend on the number of attempts, except for the progress of a few learners.
    """
    regraded, progress = 0, dict[str, Any]()
    if batch.attempt_keys:
        _lock_attempts(session, batch.attempt_keys)
        regraded = _score_again(session, batch)
        progress["regraded_to"] = batch.attempt_keys[-1]
    if len(batch.attempt_keys) < BATCH_SIZE:
        progress["finished_at"] = clock.now()
    execute_dml(session, update(QuestionRegrade).where(QuestionRegrade.id == regrade_key).values(progress))
    return BatchResult(len(batch.attempt_keys), regraded)


def _lock_attempts(session: Session, keys: Sequence[int]) -> None:
    """Lock the attempts in the order of their keys."""
    statement = update(QuizAttempt).where(QuizAttempt.id.in_(keys)).values(updated_at=QuizAttempt.updated_at)
    execute_dml(session, statement)


def _score_again(session: Session, batch: _Batch) -> int:
    """Let the present key score the question in the attempts, which are locked. Return how many were submitted."""
    keys, question_key = batch.attempt_keys, batch.question_key
    targets = attempt_targets(session, keys)
    questions = (AttemptQuestion.question_id == question_key, AttemptQuestion.attempt_id.in_(keys))
    execute_dml(session, update(AttemptQuestion).where(*questions).values(key_version_id=batch.version_key))
    submitted = [target for target in targets if target.status in SUBMITTED_STATUSES]
    rows = question_rows_by_attempt(session, question_key, [target.key for target in submitted])
    points = {row.key: {"earned_points": _new_points(row, batch.policy)} for row in rows.values()}
    update_by_key(session, AttemptQuestion, points)
    _record_changes(session, batch, rows, points)
    results = results_by_attempt(session, keys)
    opened = [target.key for target in targets if target.key not in rows]
    update_by_key(session, QuizAttempt, {key: {"total_points": total_points(results[key])} for key in opened})
    if submitted:
        store_results(session, submitted, results)
    return len(submitted)


def _record_changes(
    session: Session,
    batch: _Batch,
    rows: Mapping[int, AttemptQuestionRow],
    points: Mapping[int, Mapping[str, Decimal | None]],
) -> None:
    """Record each attempt whose points the regrade has changed, with the user who asked for it."""
    question = global_ids.encode(batch.question_kind, batch.question_key)
    events = {}
    for attempt_key, row in rows.items():
        new = points[row.key]["earned_points"]
        if new != row.earned_points:
            previous = None if row.earned_points is None else f"{row.earned_points:.2f}"
            changed = {"previous_points": previous, "points": None if new is None else f"{new:.2f}"}
            events[attempt_key] = {"question": question, **changed}
    audit.record_each(session, "attempt.regraded", events, actor=batch.actor_key)


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
