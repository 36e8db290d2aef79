"""Reads of quizzes: by key, by course and by lecture, and what limits the viewer's attempts."""

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from lms_graphql.assessment import attempt_rules
from lms_graphql.assessment.models import (
    AttemptStatus,
    KeptScore,
    Question,
    Quiz,
    QuizAccommodation,
    QuizAttempt,
    ReviewPolicy,
)
from lms_graphql.assessment.policies import quizzes_visible_to
from lms_graphql.assessment.reads.passed_quizzes import quizzes_passed_by
from lms_graphql.assessment.scoring import NO_POINTS
from lms_graphql.catalog.models import Course, Lecture
from lms_graphql.catalog.policies import content_visible_to
from lms_graphql.core import clock
from lms_graphql.core.actor import VIEWER, AccessLevel, Actor
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows, group_rows


@with_global_id("Quiz")
class QuizRow(NamedTuple):
    key: int
    course_key: int
    lecture_key: int | None
    instructor_key: int
    title: str
    description: str | None
    time_limit_seconds: int | None
    max_attempts: int | None
    passing_score: Decimal
    shuffle_questions: bool
    review_policy: ReviewPolicy
    kept_score: KeptScore
    is_published: bool
    question_count: int
    total_points: Decimal


_OF_QUIZ = Question.quiz_id == Quiz.id
QUIZZES = select(
    Quiz.id,
    Quiz.course_id,
    Quiz.lecture_id,
    Course.instructor_id,
    Quiz.title,
    Quiz.description,
    Quiz.time_limit,
    Quiz.max_attempts,
    Quiz.passing_score,
    Quiz.shuffle_questions,
    Quiz.review_policy,
    Quiz.kept_score,
    Quiz.is_published,
    select(func.count()).where(_OF_QUIZ).correlate(Quiz).scalar_subquery(),
    select(func.sum(Question.points, type_=Question.points.type)).where(_OF_QUIZ).correlate(Quiz).scalar_subquery(),
).join(Course, Course.id == Quiz.course_id)


@cache
def _by_key(access_level: AccessLevel) -> RowSelect:
    return QUIZZES.where(Quiz.id.in_(KEYS), quizzes_visible_to(access_level))


@cache
def _by_course(access_level: AccessLevel) -> RowSelect:
    statement = QUIZZES.where(Quiz.course_id.in_(KEYS), quizzes_visible_to(access_level))
    return statement.order_by(Quiz.course_id, Quiz.id)


@cache
def _by_lecture(access_level: AccessLevel) -> RowSelect:
    statement = QUIZZES.join(Lecture, Lecture.id == Quiz.lecture_id)
    return statement.where(
        Quiz.lecture_id.in_(KEYS), quizzes_visible_to(access_level), content_visible_to(access_level)
    )


def quizzes_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, QuizRow]:
    return {row[0]: _to_row(row) for row in _fetch(session, actor, _by_key(actor.access_level), keys)}


def quizzes_by_course(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, list[QuizRow]]:
    """Return the quizzes of each course that the viewer may see, in the order of their creation."""
    return group_rows(_fetch(session, actor, _by_course(actor.access_level), keys), _to_row, by=1)


def quizzes_by_lecture(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, QuizRow]:
    """Return the quiz of each lecture whose content the viewer may read."""
    return {row[2]: _to_row(row) for row in _fetch(session, actor, _by_lecture(actor.access_level), keys)}


class ViewerLimits(NamedTuple):
    """Limits of the viewer's attempts at a quiz, with their accommodation. None is no limit."""

    attempts_left: int | None
    time_limit_seconds: int | None


_VIEWER_LIMITS = (
    select(
        Quiz.id,
        Quiz.max_attempts,
        Quiz.time_limit,
        func.coalesce(func.max(QuizAccommodation.extra_attempts), 0),
        func.coalesce(func.max(QuizAccommodation.extra_time_percent), 0),
        func.coalesce(func.sum(case((QuizAttempt.status != AttemptStatus.VOIDED, 1), else_=0)), 0),
    )
    .outerjoin(QuizAccommodation, and_(QuizAccommodation.quiz_id == Quiz.id, QuizAccommodation.user_id == VIEWER))
    .outerjoin(QuizAttempt, and_(QuizAttempt.quiz_id == Quiz.id, QuizAttempt.user_id == VIEWER))
    .where(Quiz.id.in_(KEYS))
    .group_by(Quiz.id, Quiz.max_attempts, Quiz.time_limit)
)


def viewer_limits_by_quiz(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, ViewerLimits]:
    limits = {}
    for key, maximum, seconds, extra, percent, used in _fetch(session, actor, _VIEWER_LIMITS, keys):
        left = attempt_rules.attempts_left(maximum, extra, int(used))
        limits[key] = ViewerLimits(left, attempt_rules.time_limit_seconds(seconds, percent))
    return limits


def viewer_passed_by_quiz(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, bool]:
    """Return True for each quiz that the viewer has passed."""
    return dict.fromkeys(quizzes_passed_by(session, actor.key, keys) if actor.key is not None else (), True)


def _fetch(session: Session, actor: Actor, statement: RowSelect, keys: Sequence[int]) -> Sequence[Any]:
    return fetch_rows(session, statement, {**actor.bind_params, "keys": keys, "now": clock.now()})


def _to_row(row: Any) -> QuizRow:
    return QuizRow._make((*row[:-1], row[-1] or NO_POINTS))
