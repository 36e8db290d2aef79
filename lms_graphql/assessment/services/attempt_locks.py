"""Locks of attempts, and who may change them. Every change of an attempt locks its row first."""

from sqlalchemy import bindparam, or_, update
from sqlalchemy.orm import Session

from lms_graphql.assessment.models import AttemptStatus, QuizAttempt
from lms_graphql.assessment.reads.attempt_rows import AttemptTarget, find_attempt_target
from lms_graphql.catalog.policies import is_course_staff
from lms_graphql.core import clock
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode, RequestError, RequestErrorCode, not_found
from lms_graphql.core.statements import NOW, execute_dml

_LOCK = update(QuizAttempt).where(QuizAttempt.id == bindparam("attempt")).values(updated_at=QuizAttempt.updated_at)
_LOCK_OPEN = _LOCK.where(QuizAttempt.status == AttemptStatus.IN_PROGRESS)
_LOCK_IN_TIME = _LOCK_OPEN.where(or_(QuizAttempt.closes_at.is_(None), QuizAttempt.closes_at >= NOW))


def lock_attempt(session: Session, attempt_key: int) -> AttemptTarget:
    """Lock the attempt and return it as it is now."""
    execute_dml(session, _LOCK, {"attempt": attempt_key})
    return _locked(session, attempt_key)


def lock_open_attempt(session: Session, attempt_key: int) -> AttemptTarget | None:
    """Lock the attempt if it is open and return it; None if it was submitted."""
    if not execute_dml(session, _LOCK_OPEN, {"attempt": attempt_key}):
        return None
    return _locked(session, attempt_key)


def lock_attempt_in_time(session: Session, attempt_key: int) -> bool:
    """Lock the attempt if it is open and still accepts answers. Return whether it is so."""
    return execute_dml(session, _LOCK_IN_TIME, {"attempt": attempt_key, "now": clock.now()}) == 1


def require_visible_attempt(actor: Actor, target: AttemptTarget | None) -> AttemptTarget:
    """Return the attempt. Raise NOT_FOUND unless it is the actor's own or the actor is course staff."""
    if target is None or not (target.user_key == actor.key or is_course_staff(actor, target)):
        raise not_found("attempt_id")
    return target


def require_own_attempt(actor: Actor, target: AttemptTarget | None) -> AttemptTarget:
    """Return the attempt. Raise NOT_FOUND, or FORBIDDEN for course staff: only its learner answers and submits."""
    visible = require_visible_attempt(actor, target)
    if visible.user_key != actor.key:
        raise RequestError(RequestErrorCode.FORBIDDEN, "Only the learner of an attempt may answer and submit it.")
    return visible


def attempt_closed() -> DomainError:
    message = "This attempt was submitted, so its answers can no longer change. Load its result."
    return DomainError(ErrorCode.ATTEMPT_CLOSED, message, ("attempt_id",))


def _locked(session: Session, attempt_key: int) -> AttemptTarget:
    target = find_attempt_target(session, attempt_key)
    assert target is not None, "attempts are never deleted"
    return target
