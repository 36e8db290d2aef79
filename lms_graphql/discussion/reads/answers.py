"""
Reads of answers and replies. Only the read by key checks visibility, because the other reads start from a question
or answer that the viewer has read.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Boolean, case, select, type_coerce
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Course, Lecture
from lms_graphql.core import clock
from lms_graphql.core.actor import AccessLevel, Actor
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.list_queries import ListQuery
from lms_graphql.core.pagination import SortKey, SortOrder
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows, group_rows
from lms_graphql.discussion.models import QAAnswer, QAQuestion
from lms_graphql.discussion.policies import questions_visible_to


@with_global_id("QAAnswer")
class AnswerRow(NamedTuple):
    key: int
    question_key: int
    parent_key: int | None
    author_key: int
    content: str
    is_instructor_answer: bool
    vote_count: int
    created_at: datetime
    updated_at: datetime
    is_accepted: bool


_ACCEPTED = QAQuestion.accepted_answer_id == QAAnswer.id
ANSWERS = select(
    QAAnswer.id,
    QAAnswer.question_id,
    QAAnswer.parent_id,
    QAAnswer.user_id,
    QAAnswer.content,
    QAAnswer.is_instructor_answer,
    QAAnswer.vote_count,
    QAAnswer.created_at,
    QAAnswer.updated_at,
    type_coerce(case((_ACCEPTED, 1), else_=0), Boolean()).label("is_accepted"),
).join(QAQuestion, QAQuestion.id == QAAnswer.question_id)
REPLIES = ANSWERS.where(QAAnswer.parent_id.in_(KEYS)).order_by(QAAnswer.parent_id, QAAnswer.created_at, QAAnswer.id)
BEST_FIRST = SortOrder(
    "question.answers",
    (
        SortKey(case((_ACCEPTED, 0), else_=1), lambda row: 0 if row.is_accepted else 1, int),
        SortKey(-QAAnswer.vote_count, lambda row: -row.vote_count, int),
        SortKey(QAAnswer.created_at, lambda row: row.created_at, datetime),
        SortKey(QAAnswer.id, lambda row: row.key, int),
    ),
)


@cache
def _by_key(access_level: AccessLevel) -> RowSelect:
    answers = ANSWERS.join(Lecture, Lecture.id == QAQuestion.lecture_id).join(Course, Course.id == Lecture.course_id)
    return answers.where(QAAnswer.id.in_(KEYS), questions_visible_to(access_level))


def answers_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, AnswerRow]:
    rows = fetch_rows(session, _by_key(actor.access_level), {**actor.bind_params, "keys": keys, "now": clock.now()})
    return {row[0]: AnswerRow._make(row) for row in rows}


@cache
def answers_of_question() -> ListQuery:
    """Return the query for the answers of a question: accepted answer first, then by votes, then oldest first."""
    statement = ANSWERS.where(QAAnswer.parent_id.is_(None))
    return ListQuery(statement, _to_row, BEST_FIRST, parent=QAAnswer.question_id)


def replies_by_answer(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, list[AnswerRow]]:
    return group_rows(fetch_rows(session, REPLIES, {"keys": keys}), AnswerRow._make, by=2)


def _to_row(row: Any) -> AnswerRow:
    return AnswerRow._make(row)
