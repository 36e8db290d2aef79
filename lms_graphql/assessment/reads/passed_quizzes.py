"""Read of the quizzes that learners have passed, for the progress in a course."""

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
    """Return what each user has passed in the course. Users who have passed nothing are left out."""
    rows = fetch_rows(session, ATTEMPTS, {"course": course_key, "keys": user_keys})
    passed_by_user: dict[int, PassedQuizzes] = {}
    for (user_key, _), group in groupby(rows, key=lambda row: (row.user_id, row.quiz_id)):
        attempts = list(group)
        if has_passed(attempts):
            lecture_key, passed = attempts[0].lecture_id, passed_by_user.get(user_key, PassedQuizzes())
            passed_by_user[user_key] = (
                passed._replace(quizzes=passed.quizzes + 1)
                if lecture_key is None
                else passed._replace(lectures=passed.lectures | {lecture_key})
            )
    return passed_by_user


def has_passed(attempts: Sequence[Any]) -> bool:
    """
    Return whether a user has passed a quiz. `attempts` are all graded attempts of the user, in order.

    A passed quiz stays passed. Therefore the score of the quiz needs to have been sufficient after any one of the
    attempts: a later attempt may lower the latest score or the average.
    """
    score_rule = attempts[0].kept_score
    if score_rule is KeptScore.AVERAGE:
        return any(average >= attempts[0].passing_score for average in _running_averages(attempts))
    if score_rule is KeptScore.FIRST:
        return bool(attempts[0].is_passed)
    return any(attempt.is_passed for attempt in attempts)


def _running_averages(attempts: Sequence[Any]) -> Iterator[Decimal]:
    """Yield the average score after each attempt."""
    total = Decimal(0)
    for number, attempt in enumerate(attempts, 1):
        total += attempt.score or 0
        yield total / number
