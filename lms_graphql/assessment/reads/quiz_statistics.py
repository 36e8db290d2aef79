"""Statistics of quizzes as they are served: computed live, or stored if a quiz has many attempts."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Integer, bindparam, select, type_coerce
from sqlalchemy.orm import Session

from lms_graphql.assessment.models import (
    SUBMITTED_STATUSES,
    AttemptStatus,
    KeptScore,
    Question,
    QuestionVersion,
    Quiz,
    QuizAttempt,
)
from lms_graphql.assessment.models import QuizStatistics as StoredStatistics
from lms_graphql.assessment.question_content import Option
from lms_graphql.assessment.reads.passed_quizzes import has_passed
from lms_graphql.assessment.reads.questions import QuestionRow
from lms_graphql.assessment.statistics import (
    QuestionStatistics,
    QuizStatistics,
    ShownVersion,
    SubmittedAttempt,
    compute_statistics,
)
from lms_graphql.core import clock
from lms_graphql.core.actor import Actor
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.mean_seconds import mean_seconds
from lms_graphql.core.named_locks import NamedLock
from lms_graphql.core.statements import KEYS, fetch_named_rows, fetch_rows, group_rows

STATISTICS_WATERMARK = "quiz statistics"
"""Name of the watermark of the stored statistics: changes before it are in them."""
MAX_AGE = timedelta(minutes=5)
"""Age from which stored statistics are no longer served, because maintenance does not run."""


@with_global_id("QuizStatistics")
class QuizStatisticsRow(NamedTuple):
    """Statistics of a quiz at an instant. `key` is the quiz's key."""

    key: int
    as_of: datetime
    attempt_count: int
    learner_count: int
    passed_learner_count: int
    mean_score_percent: float | None
    median_score_percent: float | None
    mean_duration_seconds: int | None
    questions_by_key: Mapping[int, QuestionStatistics]


class OptionStatisticsRow(NamedTuple):
    option: Option
    chosen_count: int


class QuestionStatisticsRow(NamedTuple):
    """Statistics of a question, with the question and its options as they are now."""

    question: QuestionRow
    answered_count: int
    unanswered_count: int
    full_points_count: int
    partial_points_count: int
    no_points_count: int
    mean_points_percent: float | None
    discrimination: float | None
    options: Sequence[OptionStatisticsRow]


_STORED = select(
    StoredStatistics.quiz_id,
    StoredStatistics.as_of,
    select(NamedLock.taken_at).where(NamedLock.name == STATISTICS_WATERMARK).scalar_subquery(),
    StoredStatistics.statistics,
).where(StoredStatistics.quiz_id.in_(KEYS), StoredStatistics.as_of <= bindparam("now"))


def statistics_by_quiz(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, QuizStatisticsRow]:
    """Return the statistics of each quiz. Quizzes without a submitted attempt are left out.

    The caller checks that the viewer is course staff. The number of statements does not depend on the keys.
    """
    now, rows = clock.now(), {}
    for key, stored_as_of, watermark, stored in fetch_rows(session, _STORED, {"keys": keys, "now": now}):
        # A quiz that had changed before the watermark would have been refreshed, so its statistics still hold.
        as_of = max(stored_as_of, watermark or stored_as_of)
        if now - as_of < MAX_AGE:
            rows[key] = _to_row(key, as_of, QuizStatistics.from_json(stored))
    if missing := [key for key in keys if key not in rows]:
        live = live_statistics(session, missing)
        rows |= {key: _to_row(key, now, statistics) for key, statistics in live.items()}
    return rows


_IS_SUBMITTED = QuizAttempt.status.in_(SUBMITTED_STATUSES)
_QUIZZES = (
    select(
        Quiz.id, Quiz.kept_score, Quiz.passing_score, mean_seconds(QuizAttempt.started_at, QuizAttempt.submitted_at)
    )
    .join(QuizAttempt, QuizAttempt.quiz_id == Quiz.id)
    .where(Quiz.id.in_(KEYS), _IS_SUBMITTED)
    .group_by(Quiz.id, Quiz.kept_score, Quiz.passing_score)
)
_ATTEMPTS = select(
    QuizAttempt.quiz_id,
    QuizAttempt.user_id,
    QuizAttempt.attempt_number,
    QuizAttempt.status == AttemptStatus.GRADED,
    QuizAttempt.is_passed,
    # Integers, because converting them to decimals would take longer than reading them.
    type_coerce(QuizAttempt.earned_points, Integer),
    type_coerce(QuizAttempt.total_points, Integer),
    QuizAttempt.result_tokens,
).where(QuizAttempt.quiz_id.in_(KEYS), _IS_SUBMITTED)
_VERSIONS = (
    select(Question.quiz_id, QuestionVersion.id, QuestionVersion.question_id, QuestionVersion.options)
    .join(Question, Question.id == QuestionVersion.question_id)
    .where(Question.quiz_id.in_(KEYS))
)


def live_statistics(session: Session, keys: Sequence[int]) -> dict[int, QuizStatistics]:
    """Compute the statistics of each quiz from its attempts as they are now."""
    quizzes = fetch_named_rows(session, _QUIZZES, {"keys": keys})
    attempts = group_rows(fetch_rows(session, _ATTEMPTS, {"keys": keys}), SubmittedAttempt._make, by=0)
    versions = group_rows(fetch_named_rows(session, _VERSIONS, {"keys": keys}), _to_version, by=0)
    return {
        quiz.id: compute_statistics(
            attempts[quiz.id],
            _count_passed(quiz.kept_score, quiz.passing_score, attempts[quiz.id]),
            None if quiz.mean_seconds is None else math.floor(quiz.mean_seconds + 0.5),
            dict(versions.get(quiz.id, ())),
        )
        for quiz in quizzes
        if quiz.id in attempts
    }


def _count_passed(kept_score: KeptScore, passing_score: Decimal, attempts: Sequence[SubmittedAttempt]) -> int:
    """Return the number of learners who have passed the quiz."""
    by_user: dict[int, list[SubmittedAttempt]] = {}
    for attempt in attempts:
        by_user.setdefault(attempt.user_key, []).append(attempt)
    numbers = attrgetter("number")
    return sum(has_passed(kept_score, passing_score, sorted(rows, key=numbers)) for rows in by_user.values())


def _to_version(row: Any) -> tuple[int, ShownVersion]:
    return row.id, ShownVersion(row.question_id, [option["id"] for option in row.options])


def _to_row(key: int, as_of: datetime, statistics: QuizStatistics) -> QuizStatisticsRow:
    return QuizStatisticsRow(key, as_of, *statistics)


def question_rows(
    questions: Sequence[QuestionRow], statistics: Mapping[int, QuestionStatistics]
) -> list[QuestionStatisticsRow]:
    """Return the questions with their statistics, in order. An option that was never chosen has 0."""
    rows = []
    for question in questions:
        *numbers, chosen_counts = statistics.get(question.key, QuestionStatistics())
        options = [OptionStatisticsRow(option, chosen_counts.get(option.id, 0)) for option in question.options]
        rows.append(QuestionStatisticsRow._make((question, *numbers, options)))
    return rows
