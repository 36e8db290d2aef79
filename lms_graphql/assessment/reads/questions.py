"""Reads of questions with their answer keys, which only course staff may see."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.assessment.models import PartialCredit, Question, QuestionType, Quiz
from lms_graphql.assessment.policies import questions_visible_to
from lms_graphql.assessment.question_content import ContentColumns, Option, from_columns
from lms_graphql.catalog.models import Course
from lms_graphql.core import global_ids
from lms_graphql.core.actor import AccessLevel, Actor
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows, group_rows

QUESTION_KINDS = {
    QuestionType.MULTIPLE_CHOICE: "MultipleChoiceQuestion",
    QuestionType.TRUE_FALSE: "TrueFalseQuestion",
    QuestionType.SHORT_ANSWER: "ShortAnswerQuestion",
    QuestionType.ESSAY: "EssayQuestion",
}
"""Kind in the global id of a question: the name of its GraphQL type."""


class QuestionRow(NamedTuple):
    """A question of a quiz with its key. Only the fields of its type are filled."""

    key: int
    quiz_key: int
    position: int
    type: QuestionType
    prompt: str
    points: Decimal
    explanation: str | None
    options: Sequence[Option]
    correct_answer: bool | None
    accepted_answers: Sequence[str]
    partial_credit: PartialCredit

    @property
    def kind(self) -> str:
        return QUESTION_KINDS[self.type]

    @property
    def id(self) -> str:
        return global_ids.encode(self.kind, self.key)


QuestionsByKey = Callable[[Session, Actor, Sequence[int]], dict[int, QuestionRow]]

QUESTIONS = select(
    Question.id,
    Question.quiz_id,
    Question.order_index,
    *(getattr(Question, name) for name in ContentColumns._fields),
)
_BY_QUIZ = QUESTIONS.where(Question.quiz_id.in_(KEYS)).order_by(Question.quiz_id, Question.order_index, Question.id)


@cache
def _by_key(access_level: AccessLevel) -> RowSelect:
    statement = QUESTIONS.join(Quiz, Quiz.id == Question.quiz_id).join(Course, Course.id == Quiz.course_id)
    return statement.where(Question.id.in_(KEYS), questions_visible_to(access_level))


def questions_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, QuestionRow]:
    rows = fetch_rows(session, _by_key(actor.access_level), {**actor.bind_params, "keys": keys})
    return {row[0]: to_question_row(row) for row in rows}


@cache
def questions_of_type(question_type: QuestionType) -> QuestionsByKey:
    """Return the read by key for questions of one type, because a global id of another type names no object."""

    def read(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, QuestionRow]:
        rows = questions_by_key(session, actor, keys)
        return {key: row for key, row in rows.items() if row.type is question_type}

    return read


def questions_by_quiz(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, list[QuestionRow]]:
    """Return the questions of each quiz, in order. The caller checks that the viewer is course staff."""
    return group_rows(fetch_rows(session, _BY_QUIZ, {"keys": keys}), to_question_row, by=1)


def to_question_row(row: Any) -> QuestionRow:
    return QuestionRow._make((*row[:3], *from_columns(ContentColumns._make(row[3:]))))
