"""Questions about lectures. By id and in a lecture's list it is asked who may read them."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session, aliased

from lms_graphql.catalog.models import Course, Lecture
from lms_graphql.core import clock
from lms_graphql.core.actor import AccessLevel, Actor
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.list_queries import ListQuery
from lms_graphql.core.pagination import SortKey, SortOrder
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows
from lms_graphql.discussion.models import QAAnswer, QAQuestion
from lms_graphql.discussion.policies import questions_visible_to


class QAOrder(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"
    MOST_VOTED = "most_voted"


@with_global_id("QAQuestion")
class QuestionRow(NamedTuple):
    key: int
    lecture_key: int
    author_key: int
    title: str
    content: str
    position_seconds: int | None
    is_featured: bool
    accepted_answer_key: int | None
    vote_count: int
    created_at: datetime
    updated_at: datetime
    is_answered: bool


def is_answered() -> ColumnElement[bool]:
    """On a question: an instructor answered, or an answer was accepted. A reply to an answer is none."""
    answer = aliased(QAAnswer)
    by_instructor = exists().where(
        answer.question_id == QAQuestion.id, answer.parent_id.is_(None), answer.is_instructor_answer
    )
    return or_(QAQuestion.accepted_answer_id.is_not(None), by_instructor.correlate(QAQuestion))


QUESTIONS = (
    select(
        QAQuestion.id,
        QAQuestion.lecture_id,
        QAQuestion.user_id,
        QAQuestion.title,
        QAQuestion.content,
        QAQuestion.timestamp,
        QAQuestion.is_featured,
        QAQuestion.accepted_answer_id,
        QAQuestion.vote_count,
        QAQuestion.created_at,
        QAQuestion.updated_at,
        is_answered().label("is_answered"),
    )
    .join(Lecture, Lecture.id == QAQuestion.lecture_id)
    .join(Course, Course.id == Lecture.course_id)
)


@cache
def _by_id(scope: AccessLevel) -> RowSelect:
    return QUESTIONS.where(QAQuestion.id.in_(KEYS), questions_visible_to(scope))


def questions_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, QuestionRow]:
    rows = fetch_rows(session, _by_id(actor.access_level), {**actor.bind_params, "keys": keys, "now": clock.now()})
    return {row[0]: QuestionRow._make(row) for row in rows}


@cache
def questions_of_lecture(scope: AccessLevel, order_by: QAOrder, answered: bool | None) -> ListQuery:
    """`answered`: only those that are, or are not; None asks for all."""
    rows = QUESTIONS.where(questions_visible_to(scope))
    if answered is not None:
        rows = rows.where(is_answered() if answered else ~is_answered())
    return ListQuery(rows, _make, _order("lecture.qaQuestions", order_by), parent=QAQuestion.lecture_id)


@cache
def open_questions_of_instructor() -> ListQuery:
    """
    Those that wait for an answer in the courses of an instructor, whose list it is; the oldest first. Nobody waits
    below a lecture that was removed.
    """
    rows = QUESTIONS.where(Lecture.deleted_at.is_(None), ~is_answered())
    return ListQuery(rows, _make, _order("teaching.openQuestions", QAOrder.OLDEST), parent=Course.instructor_id)


def _order(listed: str, order_by: QAOrder) -> SortOrder:
    created = SortKey(QAQuestion.created_at, lambda row: row.created_at, datetime)
    votes = SortKey(QAQuestion.vote_count, lambda row: row.vote_count, int)
    key = SortKey(QAQuestion.id, lambda row: row.key, int)
    first = votes if order_by is QAOrder.MOST_VOTED else created
    return SortOrder(f"{listed}:{order_by.value}", (first, key), descending=order_by is not QAOrder.OLDEST)


def _make(row: Any) -> QuestionRow:
    return QuestionRow._make(row)
