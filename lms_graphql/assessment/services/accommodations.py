"""Accommodations: extra time and extra attempts for one learner in one quiz."""

from typing import NamedTuple

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit
from lms_graphql.assessment import attempt_rules
from lms_graphql.assessment.models import AttemptStatus, Quiz, QuizAccommodation, QuizAttempt
from lms_graphql.assessment.policies import quizzes_visible_to
from lms_graphql.assessment.services.attempt_locks import lock_open_attempt
from lms_graphql.assessment.services.submission import submit_if_overdue
from lms_graphql.catalog.models import Course, Enrollment
from lms_graphql.catalog.policies import may_edit_course
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import RequestError, RequestErrorCode, not_found
from lms_graphql.core.statements import execute_dml, insert_ignore, peek
from lms_graphql.core.validation import MAX_REASON_LENGTH, Validator
from lms_graphql.learning.services.progress_locks import lock_course_and_enrollment
from lms_graphql.settings import settings_of

MAX_EXTRA_TIME_PERCENT = 400
MAX_EXTRA_ATTEMPTS = 100


class AccommodationTarget(NamedTuple):
    """A quiz, with the open attempt of the learner if there is one."""

    quiz_key: int
    course_key: int
    instructor_key: int
    time_limit: int | None
    open_attempt_key: int | None


def set_quiz_accommodation(
    session: Session,
    actor: Actor,
    quiz_id: str,
    user_id: str,
    extra_time_percent: int | None,
    extra_attempts: int | None,
    note: str | None,
) -> int | None:
    """Set the accommodation of a learner, as course staff, and return its key. Both extras 0 remove it: None.

    More time also lengthens an attempt that is open; less time never shortens one. Raise NOT_FOUND for a user who was
    never enrolled in the course, FORBIDDEN, or validation errors.
    """
    quiz_key, user_key = global_ids.decode_key("Quiz", quiz_id), global_ids.decode_key("User", user_id)
    target = peek(session, lambda peek_session: _find_target(peek_session, actor, quiz_key, user_key))
    validator = Validator()
    percent = validator.integer("extra_time_percent", extra_time_percent or 0, maximum=MAX_EXTRA_TIME_PERCENT)
    attempts = validator.integer("extra_attempts", extra_attempts or 0, maximum=MAX_EXTRA_ATTEMPTS)
    note = validator.multi_line("note", note, max_length=MAX_REASON_LENGTH)
    validator.raise_errors()
    if target.open_attempt_key is not None:
        lock_open_attempt(session, target.open_attempt_key)
    assert user_key is not None
    # Starts of the learner wait for this lock, so that no attempt starts with the old time limit.
    lock_course_and_enrollment(session, target.course_key, user_key, with_access=False)
    key = _store(session, actor, target.quiz_key, user_key, percent, attempts, note)
    _lengthen_open_attempt(session, target, user_key, percent)
    return key


def _find_target(session: Session, actor: Actor, quiz_key: int | None, user_key: int | None) -> AccommodationTarget:
    """Return the quiz. Raise NOT_FOUND for the quiz, FORBIDDEN, or NOT_FOUND for a user who was never enrolled."""
    is_visible = (Quiz.id == quiz_key, quizzes_visible_to(actor.access_level))
    columns = (Quiz.id, Quiz.course_id, Course.instructor_id.label("instructor_key"), Quiz.time_limit)
    statement = select(*columns).join(Course, Course.id == Quiz.course_id).where(*is_visible)
    row = session.execute(statement, {**actor.bind_params, "now": clock.now()}).one_or_none()
    if row is None:
        raise not_found("quiz_id")
    if not may_edit_course(actor, row):
        message = "Only the course's instructor and super admins may set accommodations."
        raise RequestError(RequestErrorCode.FORBIDDEN, message)
    enrollment = (Enrollment.user_id == user_key, Enrollment.course_id == row.course_id)
    if session.scalar(select(Enrollment.id).where(*enrollment)) is None:
        raise not_found("user_id")
    binds = {"quiz": quiz_key, "user": user_key}
    return AccommodationTarget(*row, session.scalar(_OPEN_ATTEMPT, binds))


_OPEN_ATTEMPT = select(QuizAttempt.id).where(
    QuizAttempt.quiz_id == bindparam("quiz"),
    QuizAttempt.user_id == bindparam("user"),
    QuizAttempt.status == AttemptStatus.IN_PROGRESS,
)


def _store(
    session: Session, actor: Actor, quiz_key: int, user_key: int, percent: int, attempts: int, note: str | None
) -> int | None:
    """Set or remove the accommodation, and record it. Return its key; None if it is removed or there was none."""
    of_learner = (QuizAccommodation.quiz_id == quiz_key, QuizAccommodation.user_id == user_key)
    find_key = select(QuizAccommodation.id).where(*of_learner)
    extras = {"extra_time_percent": percent, "extra_attempts": attempts}
    key = None
    if not percent and not attempts:
        subject = session.scalar(find_key)
        execute_dml(session, delete(QuizAccommodation).where(*of_learner))
    else:
        values = {**extras, "note": note}
        row = {"quiz_id": quiz_key, "user_id": user_key, **values}
        session.connection().execute(insert_ignore(QuizAccommodation), row)
        execute_dml(session, update(QuizAccommodation).where(*of_learner).values(**values))
        key = subject = session.scalars(find_key).one()
    if subject is not None:
        details = {"user": user_key, "quiz": quiz_key, **extras}
        audit.record_each(session, "quiz.accommodation_set", {subject: details}, actor=actor.key)
    return key


def _lengthen_open_attempt(session: Session, target: AccommodationTarget, user_key: int, percent: int) -> None:
    """Move the deadline of the open attempt. An attempt whose time was up before is submitted instead."""
    key = session.scalar(_OPEN_ATTEMPT, {"quiz": target.quiz_key, "user": user_key})
    attempt = lock_open_attempt(session, key) if key is not None else None
    if attempt is None or submit_if_overdue(session, attempt) or attempt.deadline_at is None:
        return
    deadline = attempt_rules.deadline(attempt.started_at, target.time_limit, percent)
    if deadline is not None and deadline > attempt.deadline_at:
        closes_at = attempt_rules.closing_time(deadline, settings_of(session).attempt_grace_seconds)
        open_attempt = update(QuizAttempt).where(QuizAttempt.id == attempt.key)
        execute_dml(session, open_attempt.values(deadline_at=deadline, closes_at=closes_at))
