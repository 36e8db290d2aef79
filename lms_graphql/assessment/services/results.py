"""Results of attempts: the columns that follow from the results of the questions, and the effects on progress."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from lms_graphql.assessment import scoring
from lms_graphql.assessment.models import AttemptStatus, QuizAttempt
from lms_graphql.assessment.reads.attempt_rows import AttemptTarget
from lms_graphql.assessment.reads.passed_quizzes import users_who_passed
from lms_graphql.assessment.result_tokens import QuestionResult, result_tokens
from lms_graphql.core.statements import update_by_key
from lms_graphql.learning.services.progress_recount import schedule_recount
from lms_graphql.learning.services.quiz_results import record_lost_pass, record_passed_quiz
from lms_graphql.settings import settings_of

MAX_INLINE_CHANGES = 25
"""Learners whose progress follows in the transaction of the results. Each takes about ten statements."""


def store_result(session: Session, target: AttemptTarget, results: Sequence[QuestionResult], **columns: Any) -> None:
    """Store the result of an attempt, which is locked. `columns` are further columns to set.

    Progress follows at once if the learner has passed the quiz, or no longer passes it.
    """
    store_results(session, [target], {target.key: results}, **columns)


def store_results(
    session: Session,
    targets: Sequence[AttemptTarget],
    results: Mapping[int, Sequence[QuestionResult]],
    **columns: Any,
) -> None:
    """Store the results of attempts at one quiz, by their keys. `targets` are all of them, as they were locked.

    Progress follows at once for at most `MAX_INLINE_CHANGES` learners. For more, maintenance recounts the course.
    """
    quiz = targets[0]
    # An attempt that was open takes no pass away, so nothing needs to be read before it is submitted.
    previous = {target.user_key for target in targets if target.status is not AttemptStatus.IN_PROGRESS}
    passed_before = users_who_passed(session, quiz.quiz_key, sorted(previous)) if previous else set()
    rows = {
        target.key: {**result_columns(results[target.key], target.passing_score), **columns} for target in targets
    }
    update_by_key(session, QuizAttempt, rows)
    if not quiz.is_published:
        return
    graded = {target.user_key for target in targets if rows[target.key]["status"] is AttemptStatus.GRADED}
    users = sorted(previous | graded)
    passed = users_who_passed(session, quiz.quiz_key, users) if users else set()
    _update_progress(session, quiz, sorted(passed - passed_before), sorted(passed_before - passed))


def total_points(results: Sequence[QuestionResult]) -> Decimal:
    """Return the points of all questions."""
    return sum((result.points for result in results), scoring.NO_POINTS)


def result_columns(results: Sequence[QuestionResult], passing_score: Decimal) -> dict[str, Any]:
    """Return the columns of a submitted attempt that follow from the results of all questions."""
    total = total_points(results)
    result = scoring.attempt_result([result.earned_points for result in results], total, passing_score)
    return {
        "status": result.status,
        "earned_points": result.earned_points,
        "total_points": total,
        "score": scoring.score_percent(result.earned_points, total),
        "is_passed": result.passed,
        "result_tokens": result_tokens(results),
    }


def _update_progress(
    session: Session, quiz: AttemptTarget, passed_users: Sequence[int], lost_users: Sequence[int]
) -> None:
    if len(passed_users) + len(lost_users) > MAX_INLINE_CHANGES:
        schedule_recount(session, [quiz.course_key])
        return
    for user_key in passed_users:
        record_passed_quiz(session, user_key, quiz.course_key, quiz.lecture_key, settings_of(session))
    for user_key in lost_users:
        record_lost_pass(session, user_key, quiz.course_key)
