"""Who has passed which quiz, as the progress in a course counts it."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from lms_graphql.assessment.models import AttemptStatus, KeptScore, Quiz, QuizAttempt
from lms_graphql.core.statements import KEYS, fetch_rows
from lms_graphql.learning.hooks import PassedQuizzes

ATTEMPTS = (
    select(
        QuizAttempt.user_id,
        QuizAttempt.quiz_id,
        Quiz.lecture_id,
        Quiz.kept_score,
        Quiz.passing_score,
        QuizAttempt.score,
        QuizAttempt.is_passed,
    )
    .join(Quiz, Quiz.id == QuizAttempt.quiz_id)
    .where(
        Quiz.course_id == bindparam("course"),
        Quiz.is_published,
        QuizAttempt.status == AttemptStatus.GRADED,
        QuizAttempt.user_id.in_(KEYS),
    )
    .order_by(QuizAttempt.user_id, QuizAttempt.quiz_id, QuizAttempt.attempt_number)
)


def passed_quizzes(session: Session, course_key: int, user_keys: Sequence[int]) -> dict[int, PassedQuizzes]:
    """By person, of those who have passed any."""
    rows = fetch_rows(session, ATTEMPTS, {"course": course_key, "keys": user_keys})
    found: dict[int, PassedQuizzes] = {}
    for (user, _), attempts in groupby(rows, key=lambda row: (row.user_id, row.quiz_id)):
        several = list(attempts)
        if has_passed(several):
            lecture, before = several[0].lecture_id, found.get(user, PassedQuizzes())
            found[user] = (
                before._replace(quizzes=before.quizzes + 1)
                if lecture is None
                else before._replace(lectures=before.lectures | {lecture})
            )
    return found


def has_passed(attempts: Sequence[Any]) -> bool:
    """
    Of one person's graded attempts at one quiz, in their order: whether the kept score has ever been enough. What is
    passed stays so, whatever a later attempt does to the last or the mean.
    """
    kept = attempts[0].kept_score
    if kept is KeptScore.AVERAGE:
        return any(mean >= attempts[0].passing_score for mean in _means(attempts))
    if kept is KeptScore.FIRST:
        return bool(attempts[0].is_passed)
    return any(attempt.is_passed for attempt in attempts)


def _means(attempts: Sequence[Any]) -> Iterator[Decimal]:
    """After each attempt."""
    total = Decimal(0)
    for number, attempt in enumerate(attempts, 1):
        total += attempt.score or 0
        yield total / number
