"""Reads of the questions of an attempt as its learner meets them, and of their results if the viewer may review."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, aliased

from lms_graphql.assessment import attempt_rules, scoring
from lms_graphql.assessment.answer_validation import shown_options_by_id
from lms_graphql.assessment.models import (
    SUBMITTED_STATUSES,
    AttemptStatus,
    QuestionType,
    Quiz,
    QuizAccommodation,
    QuizAttempt,
)
from lms_graphql.assessment.question_content import Option, QuestionContent
from lms_graphql.assessment.reads.attempt_rows import AttemptQuestionRow, attempt_question_rows
from lms_graphql.assessment.reads.passed_quizzes import has_passed
from lms_graphql.catalog.models import Course
from lms_graphql.catalog.policies import is_course_staff
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.statements import KEYS, fetch_named_rows


class ShownOption(NamedTuple):
    id: str
    text: str


class ShownAnswer(NamedTuple):
    option_ids: Sequence[str]
    boolean: bool | None
    text: str | None
    saved_at: datetime


class ShownResult(NamedTuple):
    """Result of an answer: its points, and the right answer."""

    is_correct: bool
    earned_points: Decimal
    feedback: str | None
    correct_option_ids: Sequence[str]
    correct_answer: str | None
    explanation: str | None


class ShownQuestion(NamedTuple):
    """A question as the learner meets it. `result` is the only part that says what is right."""

    id: str
    type: QuestionType
    prompt: str
    points: Decimal
    options: Sequence[ShownOption]
    allows_several: bool
    answer: ShownAnswer | None
    result: ShownResult | None


class AttemptReview(NamedTuple):
    """Facts about an attempt: whether the viewer sees its results, and whether it is closed."""

    shuffle_seed: str | None
    may_review: bool
    is_closed: bool


_SIBLING = aliased(QuizAttempt)
_REVIEWS = (
    select(
        QuizAttempt.id,
        QuizAttempt.shuffle_seed,
        Quiz.review_policy,
        Quiz.max_attempts,
        func.coalesce(QuizAccommodation.extra_attempts, 0).label("extra_attempts"),
        Course.instructor_id.label("instructor_key"),
        Quiz.kept_score,
        Quiz.passing_score,
        _SIBLING.id.label("sibling_key"),
        _SIBLING.status,
        _SIBLING.closes_at,
        _SIBLING.earned_points,
        _SIBLING.total_points,
        _SIBLING.is_passed,
    )
    .join(Quiz, Quiz.id == QuizAttempt.quiz_id)
    .join(Course, Course.id == Quiz.course_id)
    .join(_SIBLING, and_(_SIBLING.quiz_id == QuizAttempt.quiz_id, _SIBLING.user_id == QuizAttempt.user_id))
    .outerjoin(
        QuizAccommodation,
        and_(QuizAccommodation.quiz_id == QuizAttempt.quiz_id, QuizAccommodation.user_id == QuizAttempt.user_id),
    )
    .where(QuizAttempt.id.in_(KEYS))
    .order_by(QuizAttempt.id, _SIBLING.attempt_number)
)


def questions_by_attempt(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, list[ShownQuestion]]:
    """Return the questions of each attempt. The attempts were loaded by a read that checks who may see them."""
    questions, reviews = attempt_question_rows(session, keys), _reviews(session, actor, keys)
    return {key: [_shown(row, reviews[key]) for row in rows] for key, rows in questions.items()}


def _reviews(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, AttemptReview]:
    rows, now = fetch_named_rows(session, _REVIEWS, {"keys": keys}), clock.now()
    groups = groupby(rows, key=lambda row: row.id)
    return {key: _review(actor, key, list(siblings), now) for key, siblings in groups}


def _review(actor: Actor, key: int, siblings: Sequence[Any], now: datetime) -> AttemptReview:
    """Return the review of an attempt. `siblings` are all attempts of its learner at the quiz, itself included."""
    quiz = siblings[0]
    statuses = {row.sibling_key: _status(row, now) for row in siblings}
    submitted = [row for row in siblings if row.status in SUBMITTED_STATUSES]
    used = sum(status is not AttemptStatus.VOIDED for status in statuses.values())
    facts = attempt_rules.ReviewFacts(
        attempt_rules.attempts_left(quiz.max_attempts, quiz.extra_attempts, used),
        has_open_attempt=AttemptStatus.IN_PROGRESS in statuses.values(),
        has_passed=has_passed(quiz.kept_score, quiz.passing_score, submitted),
    )
    may_review = is_course_staff(actor, quiz) or attempt_rules.may_review(quiz.review_policy, statuses[key], facts)
    return AttemptReview(quiz.shuffle_seed, may_review, statuses[key] is not AttemptStatus.IN_PROGRESS)


def _status(row: Any, now: datetime) -> AttemptStatus:
    """Return the status now. An attempt whose time is up counts as graded, whether an essay waits or not."""
    if row.status is AttemptStatus.IN_PROGRESS and attempt_rules.is_overdue(row.closes_at, now):
        return AttemptStatus.GRADED
    status: AttemptStatus = row.status
    return status


def _shown(row: AttemptQuestionRow, review: AttemptReview) -> ShownQuestion:
    options = shown_options_by_id(row.scored_by, row.key, review.shuffle_seed)
    return ShownQuestion(
        global_ids.encode("AttemptQuestion", row.key),
        row.content.type,
        row.content.prompt,
        row.scored_by.points,
        [ShownOption(id, option.text) for id, option in options.items()],
        row.content.allows_several,
        _answer(row, options),
        _result(row, options, review),
    )


def _answer(row: AttemptQuestionRow, options: dict[str, Option]) -> ShownAnswer | None:
    if row.saved_at is None:
        return None
    selected = [id for id, option in options.items() if option.id in row.answer.selected]
    return ShownAnswer(selected, row.answer.boolean, row.answer.text, row.saved_at)


def _result(row: AttemptQuestionRow, options: dict[str, Option], review: AttemptReview) -> ShownResult | None:
    if not review.may_review:
        return None
    earned = row.earned_points
    if earned is None and review.is_closed:  # the time is up, and no transaction has stored the points yet
        earned = scoring.earned_points(row.scored_by, row.answer)
    if earned is None:
        return None
    key = row.scored_by
    return ShownResult(
        earned == key.points,
        earned,
        row.feedback,
        [id for id, option in options.items() if option.is_correct],
        _correct_answer(key),
        key.explanation,
    )


def _correct_answer(key: QuestionContent) -> str | None:
    match key.type:
        case QuestionType.TRUE_FALSE:
            return "true" if key.correct_answer else "false"
        case QuestionType.SHORT_ANSWER:
            return "; ".join(key.accepted_answers)
        case _:
            return None
