"""A small quiz for each QUIZ lecture: a course that is published needs one."""

from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

from lms_graphql.assessment.models import KeptScore, PartialCredit, Question, QuestionType, Quiz, ReviewPolicy
from lms_graphql.demo.outlines import QuizOutline
from lms_graphql.demo.row_buffer import RowBuffer


class QuizPlace(NamedTuple):
    course_id: int
    lecture_id: int
    title: str
    is_published: bool
    made_at: datetime


def add_quiz(rows: RowBuffer, quiz: QuizOutline, place: QuizPlace, rng: Random) -> None:
    key = rows.key(Quiz)
    rows.add(
        Quiz,
        id=key,
        created_at=place.made_at,
        updated_at=place.made_at,
        course_id=place.course_id,
        lecture_id=place.lecture_id,
        title=place.title,
        passing_score=Decimal(50),
        review_policy=ReviewPolicy.AFTER_SUBMIT,
        shuffle_questions=False,
        kept_score=KeptScore.HIGHEST,
        is_published=place.is_published,
    )
    for order, question in enumerate((_true_or_false(quiz), _choice(quiz, rng))):
        rows.add(
            Question,
            id=rows.key(Question),
            created_at=place.made_at,
            updated_at=place.made_at,
            quiz_id=key,
            order_index=order,
            points=Decimal(1),
            **question,
        )


def _true_or_false(quiz: QuizOutline) -> dict[str, Any]:
    return {
        "question_type": QuestionType.TRUE_FALSE,
        "question_text": quiz.statement,
        "options": [],
        "correct_answers": [quiz.is_true],
        "explanation": quiz.reason,
        "partial_credit": PartialCredit.ALL_OR_NOTHING,
    }


def _choice(quiz: QuizOutline, rng: Random) -> dict[str, Any]:
    options = [{"text": text, "is_correct": True} for text in quiz.right]
    options += [{"text": text, "is_correct": False} for text in quiz.wrong]
    rng.shuffle(options)
    several = len(quiz.right) > 1
    return {
        "question_type": QuestionType.MULTIPLE_CHOICE,
        "question_text": quiz.prompt,
        "options": options,
        "correct_answers": [],
        "explanation": quiz.explanation,
        "partial_credit": PartialCredit.RIGHT_MINUS_WRONG if several else PartialCredit.ALL_OR_NOTHING,
    }
