"""Rows of a demo attempt at a quiz, as the services would have stored them."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from lms_graphql.assessment import scoring
from lms_graphql.assessment.models import AttemptQuestion, AttemptStatus, QuizAttempt
from lms_graphql.assessment.result_tokens import QuestionResult
from lms_graphql.assessment.services.results import result_columns
from lms_graphql.demo.quiz_outlines import Essay
from lms_graphql.demo.quizzes import DemoQuestion, DemoQuiz
from lms_graphql.demo.row_buffer import RowBuffer


class AnsweredQuestion(NamedTuple):
    """Question of an attempt with its answer, which may be blank. `essay` has the grade of an essay."""

    question: DemoQuestion
    answer: scoring.Answer
    essay: Essay | None
    saved_at: datetime | None

    def earned_points(self, is_graded: bool) -> Decimal | None:
        """Return the points. They are None for an essay that is not graded yet."""
        if self.essay is None or not is_graded:
            return scoring.earned_points(self.question.content, self.answer)
        return (Decimal(str(self.essay.share)) * self.question.content.points).quantize(scoring.HUNDREDTH)


class DemoAttempt(NamedTuple):
    """
    Attempt at a quiz, with its questions in the learner's order. `submitted_at` is None if it is open. `graded_at` is
    None if no essay was graded.
    """

    user_key: int
    quiz: DemoQuiz
    number: int
    questions: Sequence[AnsweredQuestion]
    shuffle_seed: str | None
    started_at: datetime
    deadline_at: datetime | None
    closes_at: datetime | None
    submitted_at: datetime | None
    graded_by_key: int | None = None
    graded_at: datetime | None = None

    @property
    def last_change(self) -> datetime:
        return self.graded_at or self.submitted_at or self.started_at

    def results(self) -> list[QuestionResult]:
        return [_result(answered, self.graded_at is not None) for answered in self.questions]


def add_attempt(rows: RowBuffer, attempt: DemoAttempt) -> dict[str, Any]:
    """Add the rows of an attempt. Return the columns of its result."""
    key, results = rows.next_key(QuizAttempt), attempt.results()
    result = _open_columns(attempt) if attempt.submitted_at is None else _submitted_columns(attempt, results)
    rows.add(
        QuizAttempt,
        id=key,
        created_at=attempt.started_at,
        updated_at=attempt.last_change,
        user_id=attempt.user_key,
        quiz_id=attempt.quiz.key,
        attempt_number=attempt.number,
        shuffle_seed=attempt.shuffle_seed,
        started_at=attempt.started_at,
        deadline_at=attempt.deadline_at,
        closes_at=attempt.closes_at,
        submitted_at=attempt.submitted_at,
        **result,
    )
    for position, (answered, question_result) in enumerate(zip(attempt.questions, results, strict=True)):
        earned_points = None if attempt.submitted_at is None else question_result.earned_points
        _add_question(rows, attempt, key, position, answered, earned_points)
    return result


def _submitted_columns(attempt: DemoAttempt, results: Sequence[QuestionResult]) -> dict[str, Any]:
    return {"open_marker": None, **result_columns(results, attempt.quiz.outline.passing_score)}


def _open_columns(attempt: DemoAttempt) -> dict[str, Any]:
    return {
        "open_marker": f"{attempt.user_key}:{attempt.quiz.key}",
        "status": AttemptStatus.IN_PROGRESS,
        "earned_points": None,
        "total_points": attempt.quiz.total_points,
        "score": None,
        "is_passed": None,
        "result_tokens": None,
    }


def _result(answered: AnsweredQuestion, is_graded: bool) -> QuestionResult:
    question, answer = answered.question, answered.answer
    return QuestionResult(
        question.version_key,
        [option.id for option in question.content.options],
        answer.selected,
        not answer.is_blank,
        answered.earned_points(is_graded),
        question.content.points,
    )


def _add_question(
    rows: RowBuffer,
    attempt: DemoAttempt,
    attempt_key: int,
    position: int,
    answered: AnsweredQuestion,
    earned_points: Decimal | None,
) -> None:
    answer = answered.answer
    grade = answered.essay if attempt.graded_at is not None else None
    rows.add(
        AttemptQuestion,
        id=rows.next_key(AttemptQuestion),
        created_at=attempt.started_at,
        updated_at=max(attempt.last_change, answered.saved_at or attempt.started_at),
        attempt_id=attempt_key,
        position=position,
        question_id=answered.question.key,
        version_id=answered.question.version_key,
        key_version_id=answered.question.version_key,
        selected_options=",".join(sorted(answer.selected)) or None,
        answer_boolean=answer.boolean,
        answer_text=answer.text,
        saved_at=answered.saved_at,
        earned_points=earned_points,
        feedback=grade and grade.feedback,
        graded_by_id=attempt.graded_by_key if grade else None,
        graded_at=attempt.graded_at if grade else None,
    )
