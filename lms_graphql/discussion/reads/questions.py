"""Reads of questions about lectures: by key, and as lists of a lecture, a course, a user and an instructor."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session, aliased

from lms_graphql.catalog.models import Course, Lecture
from lms_graphql.catalog.policies import courses_visible_to
from lms_graphql.core import clock
from lms_graphql.core.actor import AccessLevel, Actor
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.list_queries import PARENTS, ListQuery
from lms_graphql.core.pagination import SortKey, SortOrder
from lms_graphql.core.search_terms import QueryTerms
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows
from lms_graphql.core.term_matches import has_all_terms
from lms_graphql.discussion.models import QAAnswer, QAQuestion, QAQuestionTerm
from lms_graphql.discussion.policies import discussion_visible_to, questions_visible_to


class QAOrder(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"
    MOST_VOTED = "most_voted"


@with_global_id("QAQuestion")
class QuestionRow(NamedTuple):
    key: int
    lecture_key: int
    course_key: int
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
    """
    Return the condition on a question that the instructor answered it or that an answer was accepted. Replies do not
    count.
    """
    answer = aliased(QAAnswer)
    has_instructor_answer = exists().where(
        answer.question_id == QAQuestion.id, answer.parent_id.is_(None), answer.is_instructor_answer
    )
    return or_(QAQuestion.accepted_answer_id.is_not(None), has_instructor_answer.correlate(QAQuestion))


QUESTIONS = (
    select(
        QAQuestion.id,
        QAQuestion.lecture_id,
        QAQuestion.course_id,
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
    .select_from(QAQuestion)
    .join(Lecture, Lecture.id == QAQuestion.lecture_id)
    .join(Course, Course.id == QAQuestion.course_id)
)


@cache
def _by_key(access_level: AccessLevel) -> RowSelect:
    return QUESTIONS.where(QAQuestion.id.in_(KEYS), questions_visible_to(access_level))


def questions_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, QuestionRow]:
    rows = fetch_rows(session, _by_key(actor.access_level), {**actor.bind_params, "keys": keys, "now": clock.now()})
    return {row[0]: QuestionRow._make(row) for row in rows}


@cache
def questions_of_lecture(access_level: AccessLevel, order_by: QAOrder, answered: bool | None) -> ListQuery:
    """Return the query for the questions of a lecture. `answered` filters by `is_answered`; None means all."""
    statement = _discussion(access_level, answered)
    return ListQuery(statement, _to_row, _sort_order("lecture.qaQuestions", order_by), parent=QAQuestion.lecture_id)


@lru_cache(maxsize=256)
def questions_of_course(
    access_level: AccessLevel, order_by: QAOrder, answered: bool | None, terms: QueryTerms | None
) -> ListQuery:
    """
    Return the query for the questions about all lectures of a course, with the access rule of each lecture. Those
    about removed lectures are included, for viewers with access to the course. If `terms` is not None, the questions
    also match the search.
    """
    statement = _discussion(access_level, answered)
    if terms is not None:
        is_in_course = QAQuestionTerm.course_id.in_(PARENTS)
        has_terms = has_all_terms(QAQuestion.id, QAQuestionTerm.term, QAQuestionTerm.question_id, terms, is_in_course)
        statement = statement.where(has_terms)
    return ListQuery(statement, _to_row, _sort_order("course.qaQuestions", order_by), parent=QAQuestion.course_id)


@cache
def questions_of_user(access_level: AccessLevel) -> ListQuery:
    """
    Return the query for the questions that a user asked, newest first. Only the user and super admins can read this
    list, so it does not require access to the lectures.
    """
    statement = QUESTIONS.where(courses_visible_to(access_level))
    return ListQuery(statement, _to_row, _sort_order("user.qaQuestions", QAOrder.NEWEST), parent=QAQuestion.user_id)


@cache
def open_questions_of_instructor() -> ListQuery:
    """
    Return the query for the unanswered questions in an instructor's courses, oldest first. Questions about removed
    lectures are left out. Visibility is not checked, because only the instructor and super admins can read this list.
    """
    statement = QUESTIONS.where(Lecture.deleted_at.is_(None), ~is_answered())
    sort_order = _sort_order("teaching.openQuestions", QAOrder.OLDEST)
    return ListQuery(statement, _to_row, sort_order, parent=Course.instructor_id)


def _discussion(access_level: AccessLevel, answered: bool | None) -> RowSelect:
    statement = QUESTIONS.where(discussion_visible_to(access_level))
    if answered is not None:
        statement = statement.where(is_answered() if answered else ~is_answered())
    return statement


def _sort_order(list_name: str, order_by: QAOrder) -> SortOrder:
    """Return the order of a list. `list_name` is part of its cursors."""
    created_at = SortKey(QAQuestion.created_at, lambda row: row.created_at, datetime)
    votes = SortKey(QAQuestion.vote_count, lambda row: row.vote_count, int)
    key = SortKey(QAQuestion.id, lambda row: row.key, int)
    sort_key = votes if order_by is QAOrder.MOST_VOTED else created_at
    return SortOrder(f"{list_name}:{order_by.value}", (sort_key, key), descending=order_by is not QAOrder.OLDEST)


def _to_row(row: Any) -> QuestionRow:
    return QuestionRow._make(row)
