"""Submission of attempts: by the learner, by the next request that changes an overdue attempt, and by maintenance.

All ways give the same result: an overdue attempt counts as submitted at its deadline.
"""

from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.assessment import scoring
from lms_graphql.assessment.attempt_rules import is_overdue
from lms_graphql.assessment.models import AttemptQuestion, AttemptStatus, QuizAttempt
from lms_graphql.assessment.reads.attempt_rows import AttemptTarget, attempt_question_rows, find_attempt_target
from lms_graphql.assessment.services.attempt_locks import lock_open_attempt, require_own_attempt
from lms_graphql.assessment.services.results import store_result
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.database import Database
from lms_graphql.core.statements import NOW, peek, update_by_key
from lms_graphql.settings import SESSION_SETTINGS_KEY, Settings

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
    rows = [
        row._replace(earned_points=scoring.earned_points(row.scored_by, row.answer))
        for row in attempt_question_rows(session, [target.key]).get(target.key, [])
    ]
    update_by_key(session, AttemptQuestion, {row.key: {"earned_points": row.earned_points} for row in rows})
    submitted_at = now if target.deadline_at is None else min(now, target.deadline_at)
    store_result(session, target, [row.result for row in rows], submitted_at=submitted_at, open_marker=None)


def submit_overdue(database: Database, settings: Settings) -> int:
    """Submit all attempts whose deadline and grace have passed. Return their number."""
    total = 0
    while keys := database.read_sync(_overdue_keys):
        for key in keys:
            total += database.write_sync(partial(_submit_with_settings, attempt_key=key, settings=settings))
    return total


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
