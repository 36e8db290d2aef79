"""Reads of attempts. An attempt whose time is up is read as submitted, before a transaction stores that.

Maintenance or the next change of the attempt stores the same result.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import SQLColumnExpression, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session

from lms_graphql.assessment import attempt_rules, scoring
from lms_graphql.assessment.models import (
    AttemptQuestion,
    AttemptStatus,
    QuestionType,
    QuestionVersion,
    Quiz,
    QuizAttempt,
)
from lms_graphql.assessment.policies import attempts_visible_to
from lms_graphql.assessment.reads.attempt_rows import attempt_question_rows
from lms_graphql.catalog.models import Course
from lms_graphql.core import clock
from lms_graphql.core.actor import VIEWER, AccessLevel, Actor
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.list_queries import ListQuery
from lms_graphql.core.pagination import SortKey, SortOrder
from lms_graphql.core.statements import KEYS, NOW, RowSelect, fetch_rows, group_rows

MAX_VIEWER_ATTEMPTS = 100


@with_global_id("QuizAttempt")
class AttemptRow(NamedTuple):
    """An attempt as it is at the instant of the read."""

    key: int
    user_key: int
    quiz_key: int
    number: int
    status: AttemptStatus
    started_at: datetime
    deadline_at: datetime | None
    submitted_at: datetime | None
    total_points: Decimal
    earned_points: Decimal | None
    passed: bool | None
    closes_at: datetime | None
    passing_score: Decimal
    shuffle_seed: str | None

    @property
    def score_percent(self) -> Decimal | None:
        if self.earned_points is None:
            return None
        return scoring.displayed_percent(self.earned_points, self.total_points, self.passing_score)

    @property
    def remaining_seconds(self) -> int | None:
        is_open = self.status is AttemptStatus.IN_PROGRESS
        return attempt_rules.remaining_seconds(self.deadline_at, clock.now()) if is_open else None


_IS_OVERDUE = and_(QuizAttempt.status == AttemptStatus.IN_PROGRESS, QuizAttempt.closes_at < NOW)
_HAS_ANSWERED_ESSAY = (
    exists()
    .where(
        AttemptQuestion.attempt_id == QuizAttempt.id,
        AttemptQuestion.answer_text.is_not(None),
        QuestionVersion.id == AttemptQuestion.version_id,
        QuestionVersion.question_type == QuestionType.ESSAY,
    )
    .correlate(QuizAttempt)
)


def current_status() -> SQLColumnExpression[AttemptStatus]:
    """Return the status at `NOW`: an attempt whose time is up counts as submitted."""
    submitted = case((_HAS_ANSWERED_ESSAY, AttemptStatus.GRADING), else_=AttemptStatus.GRADED)
    return case((_IS_OVERDUE, submitted), else_=QuizAttempt.status)


ATTEMPTS = (
    select(
        QuizAttempt.id,
        QuizAttempt.user_id,
        QuizAttempt.quiz_id,
        QuizAttempt.attempt_number,
        QuizAttempt.status,
        QuizAttempt.started_at,
        QuizAttempt.deadline_at,
        QuizAttempt.submitted_at,
        QuizAttempt.total_points,
        QuizAttempt.earned_points,
        QuizAttempt.is_passed,
        QuizAttempt.closes_at,
        Quiz.passing_score,
        QuizAttempt.shuffle_seed,
    )
    .join(Quiz, Quiz.id == QuizAttempt.quiz_id)
    .join(Course, Course.id == Quiz.course_id)
)
_VIEWER_ATTEMPTS = (
    ATTEMPTS.where(QuizAttempt.user_id == VIEWER, QuizAttempt.quiz_id.in_(KEYS))
    .add_columns(
        func.row_number()
        .over(partition_by=QuizAttempt.quiz_id, order_by=QuizAttempt.attempt_number.desc())
        .label("place")
    )
    .subquery()
)
VIEWER_ATTEMPTS = (
    select(_VIEWER_ATTEMPTS)
    .where(_VIEWER_ATTEMPTS.c.place <= MAX_VIEWER_ATTEMPTS)
    .order_by(_VIEWER_ATTEMPTS.c.quiz_id, _VIEWER_ATTEMPTS.c.place)
)


@cache
def _by_key(access_level: AccessLevel) -> RowSelect:
    return ATTEMPTS.where(QuizAttempt.id.in_(KEYS), attempts_visible_to(access_level))


def attempts_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, AttemptRow]:
    rows = fetch_rows(session, _by_key(actor.access_level), {**actor.bind_params, "keys": keys})
    return {row.key: row for row in as_submitted(session, [_to_row(row) for row in rows])}


def viewer_attempts_by_quiz(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, list[AttemptRow]]:
    """Return the viewer's last attempts at each quiz, newest first."""
    rows = fetch_rows(session, VIEWER_ATTEMPTS, {**actor.bind_params, "keys": keys})
    attempts = as_submitted(session, [_to_row(row[:-1]) for row in rows])
    return group_rows(attempts, lambda attempt: attempt, by=AttemptRow._fields.index("quiz_key"))


@cache
def attempts_of_quiz(status: AttemptStatus | None) -> ListQuery:
    """Return the query for the attempts at a quiz, newest first. The caller checks that the viewer is staff."""
    rows = ATTEMPTS if status is None else ATTEMPTS.where(current_status() == status)
    order = SortOrder("quiz.attempts:newest", _sort_keys(QuizAttempt.started_at, "started_at"), descending=True)
    return ListQuery(rows, _to_row, order, parent=QuizAttempt.quiz_id, complete=as_submitted)


@cache
def attempts_to_grade() -> ListQuery:
    """Return the query for the attempts in an instructor's courses that wait for a grade, oldest first.

    Attempts whose time is up belong to them. They are submitted at their deadline, which gives their place.
    """
    # The two statuses are named first, so that databases do not read the graded attempts.
    may_wait = QuizAttempt.status.in_((AttemptStatus.GRADING, AttemptStatus.IN_PROGRESS))
    is_waiting = or_(QuizAttempt.status == AttemptStatus.GRADING, and_(_IS_OVERDUE, _HAS_ANSWERED_ESSAY))
    submitted_at = func.coalesce(QuizAttempt.submitted_at, QuizAttempt.deadline_at)
    order = SortOrder("teaching.attemptsToGrade", _sort_keys(submitted_at, "submitted_at"))
    rows = ATTEMPTS.where(may_wait, is_waiting)
    return ListQuery(rows, _to_row, order, parent=Course.instructor_id, complete=as_submitted)


def _sort_keys(column: SQLColumnExpression[Any], name: str) -> tuple[SortKey, ...]:
    instant = SortKey(column, lambda row: getattr(row, name), datetime)
    return instant, SortKey(QuizAttempt.id, lambda row: row.key, int)


def as_submitted(session: Session, attempts: Sequence[AttemptRow]) -> list[AttemptRow]:
    """Return the attempts, with the result of those whose time is up."""
    now = clock.now()
    overdue = [attempt.key for attempt in attempts if is_overdue(attempt, now)]
    if not overdue:
        return list(attempts)
    questions = attempt_question_rows(session, overdue)
    return [_with_result(row, questions.get(row.key, [])) if row.key in questions else row for row in attempts]


def is_overdue(attempt: AttemptRow, now: datetime) -> bool:
    """Return whether the attempt is open and its time is up."""
    return attempt.status is AttemptStatus.IN_PROGRESS and attempt_rules.is_overdue(attempt.closes_at, now)


def _with_result(attempt: AttemptRow, questions: Sequence[Any]) -> AttemptRow:
    points = [scoring.earned_points(row.scored_by, row.answer) for row in questions]
    result = scoring.attempt_result(points, attempt.total_points, attempt.passing_score)
    return attempt._replace(submitted_at=attempt.deadline_at, **result._asdict())


def _to_row(row: Any) -> AttemptRow:
    return AttemptRow._make(row)
