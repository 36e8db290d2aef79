"""Read of the quizzes that learners have passed, for the progress in a course."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import groupby, takewhile
from typing import Any, Protocol

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from lms_graphql.assessment.models import SUBMITTED_STATUSES, KeptScore, Quiz, QuizAttempt
from lms_graphql.core.statements import KEYS, fetch_named_rows
from lms_graphql.learning.hooks import PassedQuizzes

ATTEMPTS = (
    select(
        QuizAttempt.user_id,
        QuizAttempt.quiz_id,
        Quiz.lecture_id,
        Quiz.kept_score,
        Quiz.passing_score,
        QuizAttempt.earned_points,
        QuizAttempt.total_points,
        QuizAttempt.is_passed,
    )
    .join(Quiz, Quiz.id == QuizAttempt.quiz_id)
    .where(QuizAttempt.status.in_(SUBMITTED_STATUSES))
    .order_by(QuizAttempt.user_id, QuizAttempt.quiz_id, QuizAttempt.attempt_number)
)
ATTEMPTS_IN_COURSE = ATTEMPTS.where(
    Quiz.course_id == bindparam("course"), Quiz.is_published, QuizAttempt.user_id.in_(KEYS)
)
ATTEMPTS_OF_USER = ATTEMPTS.where(QuizAttempt.quiz_id.in_(KEYS), QuizAttempt.user_id == bindparam("user"))
ATTEMPTS_OF_USERS = ATTEMPTS.where(QuizAttempt.quiz_id == bindparam("quiz"), QuizAttempt.user_id.in_(KEYS))


def passed_quizzes(session: Session, course_key: int, user_keys: Sequence[int]) -> dict[int, PassedQuizzes]:
    """Return what each user has passed in the course. Users who have passed nothing are left out."""
    rows = fetch_named_rows(session, ATTEMPTS_IN_COURSE, {"course": course_key, "keys": user_keys})
    passed_by_user: dict[int, PassedQuizzes] = {}
    for (user_key, _), group in groupby(rows, key=lambda row: (row.user_id, row.quiz_id)):
        attempts = list(group)
        if _has_passed(attempts):
            lecture_key, passed = attempts[0].lecture_id, passed_by_user.get(user_key, PassedQuizzes())
            passed_by_user[user_key] = (
                passed._replace(quizzes=passed.quizzes + 1)
                if lecture_key is None
                else passed._replace(lectures=passed.lectures | {lecture_key})
            )
    return passed_by_user


def quizzes_passed_by(session: Session, user_key: int, quiz_keys: Sequence[int]) -> set[int]:
    """Return those of the quizzes, published or not, that the user has passed."""
    rows = fetch_named_rows(session, ATTEMPTS_OF_USER, {"keys": quiz_keys, "user": user_key})
    groups = groupby(rows, key=lambda row: row.quiz_id)
    return {quiz_key for quiz_key, attempts in groups if _has_passed(list(attempts))}


def users_who_passed(session: Session, quiz_key: int, user_keys: Sequence[int]) -> set[int]:
    """Return those of the users who have passed the quiz, published or not."""
    rows = fetch_named_rows(session, ATTEMPTS_OF_USERS, {"keys": user_keys, "quiz": quiz_key})
    groups = groupby(rows, key=lambda row: row.user_id)
    return {user_key for user_key, attempts in groups if _has_passed(list(attempts))}


class AttemptPoints(Protocol):
    """Points of a submitted attempt, all in the same unit. `is_passed` is null while it waits for a grade."""

    @property
    def earned_points(self) -> Decimal | int | None: ...
    @property
    def total_points(self) -> Decimal | int: ...
    @property
    def is_passed(self) -> bool | None: ...


def has_passed(kept_score: KeptScore, passing_score: Decimal, attempts: Sequence[AttemptPoints]) -> bool:
    """
    Return whether a user has passed a quiz. `attempts` are all submitted attempts of the user, in order.

    A passed quiz stays passed. Therefore the score of the quiz needs to have been sufficient after any one of the
    attempts: a later attempt may lower the latest score or the average. The first score and the average are not
    known beyond an attempt that waits for a grade.
    """
    known = list(takewhile(lambda attempt: attempt.is_passed is not None, attempts))
    match kept_score:
        case KeptScore.FIRST:
            return any(attempt.is_passed for attempt in known[:1])
        case KeptScore.AVERAGE:
            return any(average >= Fraction(passing_score) for average in _running_averages(known))
        case KeptScore.HIGHEST | KeptScore.LATEST:
            return any(attempt.is_passed for attempt in attempts)


def _running_averages(attempts: Sequence[AttemptPoints]) -> Iterator[Fraction]:
    """Yield the exact average score in percent after each attempt."""
    total = Fraction(0)
    for number, attempt in enumerate(attempts, 1):
        if attempt.total_points:
            total += Fraction(attempt.earned_points or 0) * 100 / Fraction(attempt.total_points)
        yield total / number


def _has_passed(attempts: Sequence[Any]) -> bool:
    """Return whether a user has passed the quiz of these rows of `ATTEMPTS`."""
    return has_passed(attempts[0].kept_score, attempts[0].passing_score, attempts)
