"""Demo quizzes. Each QUIZ lecture gets one, because publication of the course requires it."""

from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

from lms_graphql.assessment.models import (
    KeptScore,
    PartialCredit,
    Question,
    QuestionType,
    QuestionVersion,
    Quiz,
    ReviewPolicy,
)
from lms_graphql.assessment.question_content import OPTION_ID_BYTES
from lms_graphql.demo.outlines import QuizOutline
from lms_graphql.demo.row_buffer import RowBuffer


class QuizContext(NamedTuple):
    """Values of a quiz that do not come from its outline."""

    course_key: int
    lecture_key: int
    title: str
    is_published: bool
    created_at: datetime


def add_quiz(rows: RowBuffer, quiz: QuizOutline, context: QuizContext, rng: Random) -> None:
    key = rows.next_key(Quiz)
    rows.add(
        Quiz,
        id=key,
        created_at=context.created_at,
        updated_at=context.created_at,
        course_id=context.course_key,
        lecture_id=context.lecture_key,
        title=context.title,
        passing_score=Decimal(50),
        review_policy=ReviewPolicy.AFTER_SUBMIT,
        shuffle_questions=False,
        kept_score=KeptScore.HIGHEST,
        is_published=context.is_published,
    )
    for order, question in enumerate((_true_or_false(quiz), _multiple_choice(quiz, rng))):
        times = {"created_at": context.created_at, "updated_at": context.created_at}
        content = {"points": Decimal(1), **question}
        question_key = rows.next_key(Question)
        rows.add(Question, id=question_key, **times, quiz_id=key, order_index=order, **content)
        rows.add(QuestionVersion, id=rows.next_key(QuestionVersion), **times, question_id=question_key, **content)


def _true_or_false(quiz: QuizOutline) -> dict[str, Any]:
    return {
        "question_type": QuestionType.TRUE_FALSE,
        "question_text": quiz.statement,
        "options": [],
        "correct_answers": [quiz.is_true],
        "explanation": quiz.reason,
        "partial_credit": PartialCredit.ALL_OR_NOTHING,
    }


def _multiple_choice(quiz: QuizOutline, rng: Random) -> dict[str, Any]:
    options: list[dict[str, Any]] = [{"text": text, "is_correct": True} for text in quiz.correct_options]
    options += [{"text": text, "is_correct": False} for text in quiz.wrong_options]
    rng.shuffle(options)
    options = [{"id": rng.randbytes(OPTION_ID_BYTES).hex(), **option} for option in options]
    has_several_answers = len(quiz.correct_options) > 1
    return {
        "question_type": QuestionType.MULTIPLE_CHOICE,
        "question_text": quiz.prompt,
        "options": options,
        "correct_answers": [],
        "explanation": quiz.explanation,
        "partial_credit": PartialCredit.RIGHT_MINUS_WRONG if has_several_answers else PartialCredit.ALL_OR_NOTHING,
    }
