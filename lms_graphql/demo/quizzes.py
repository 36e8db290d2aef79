"""Rows of demo quizzes and their questions, made from outlines. Each QUIZ lecture has a quiz."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import NamedTuple

from lms_graphql.assessment.models import Question, QuestionType, QuestionVersion, Quiz
from lms_graphql.assessment.question_content import OPTION_ID_BYTES, QuestionContent, to_columns
from lms_graphql.demo.quiz_outlines import QuestionOutline, QuizOutline
from lms_graphql.demo.row_buffer import RowBuffer


class QuizContext(NamedTuple):
    """Values of a quiz that do not come from its outline. A course-level quiz has no lecture."""

    course_key: int
    lecture_key: int | None
    title: str
    is_published: bool
    created_at: datetime


class DemoQuestion(NamedTuple):
    """Question that learners answer. `option_ids` are in the order of the outline, unlike those of `content`."""

    key: int
    version_key: int
    content: QuestionContent
    option_ids: Sequence[str]
    outline: QuestionOutline


class DemoQuiz(NamedTuple):
    """Quiz that learners take."""

    key: int
    outline: QuizOutline
    questions: Sequence[DemoQuestion]

    @property
    def total_points(self) -> Decimal:
        return sum((question.content.points for question in self.questions), Decimal(0))

    @property
    def has_essay(self) -> bool:
        return any(question.content.type is QuestionType.ESSAY for question in self.questions)


def add_quiz(rows: RowBuffer, outline: QuizOutline, context: QuizContext, rng: Random) -> DemoQuiz:
    key = rows.next_key(Quiz)
    rows.add(
        Quiz,
        id=key,
        created_at=context.created_at,
        updated_at=context.created_at,
        course_id=context.course_key,
        lecture_id=context.lecture_key,
        title=context.title,
        description=outline.description,
        time_limit=outline.time_limit,
        max_attempts=outline.max_attempts,
        passing_score=outline.passing_score,
        review_policy=outline.review_policy,
        shuffle_questions=outline.shuffle_questions,
        kept_score=outline.kept_score,
        is_published=context.is_published,
    )
    questions = tuple(
        _add_question(rows, key, order, question, context.created_at, rng)
        for order, question in enumerate(outline.questions)
    )
    return DemoQuiz(key, outline, questions)


def _add_question(
    rows: RowBuffer, quiz_key: int, order: int, outline: QuestionOutline, created_at: datetime, rng: Random
) -> DemoQuestion:
    options = list(outline.content.options)
    rng.shuffle(options)
    options = [option._replace(id=rng.randbytes(OPTION_ID_BYTES).hex()) for option in options]
    content = outline.content._replace(options=tuple(options))
    columns = {"created_at": created_at, "updated_at": created_at, **to_columns(content)}
    key, version_key = rows.next_key(Question), rows.next_key(QuestionVersion)
    rows.add(Question, id=key, quiz_id=quiz_key, order_index=order, **columns)
    rows.add(QuestionVersion, id=version_key, question_id=key, **columns)
    ids_by_text = {option.text: option.id for option in options}
    option_ids = tuple(ids_by_text[option.text] for option in outline.content.options)
    return DemoQuestion(key, version_key, content, option_ids, outline)
