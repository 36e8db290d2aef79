"""Reads of accommodations: by key, and the list of a quiz."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.assessment.models import Quiz, QuizAccommodation
from lms_graphql.assessment.policies import accommodations_visible_to
from lms_graphql.catalog.models import Course
from lms_graphql.core import clock
from lms_graphql.core.actor import AccessLevel, Actor
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.list_queries import ListQuery
from lms_graphql.core.pagination import SortKey, SortOrder
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows


@with_global_id("QuizAccommodation")
class AccommodationRow(NamedTuple):
    key: int
    quiz_key: int
    user_key: int
    extra_time_percent: int
    extra_attempts: int
    note: str | None
    created_at: datetime
    updated_at: datetime


ACCOMMODATIONS = select(
    QuizAccommodation.id,
    QuizAccommodation.quiz_id,
    QuizAccommodation.user_id,
    QuizAccommodation.extra_time_percent,
    QuizAccommodation.extra_attempts,
    QuizAccommodation.note,
    QuizAccommodation.created_at,
    QuizAccommodation.updated_at,
)


@cache
def _by_key(access_level: AccessLevel) -> RowSelect:
    statement = ACCOMMODATIONS.join(Quiz, Quiz.id == QuizAccommodation.quiz_id).join(
        Course, Course.id == Quiz.course_id
    )
    return statement.where(QuizAccommodation.id.in_(KEYS), accommodations_visible_to(access_level))


def accommodations_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, AccommodationRow]:
    params = {**actor.bind_params, "keys": keys, "now": clock.now()}
    rows = fetch_rows(session, _by_key(actor.access_level), params)
    return {row[0]: AccommodationRow._make(row) for row in rows}


@cache
def accommodations_of_quiz() -> ListQuery:
    """Return the query for a quiz's accommodations, newest first. The caller checks that the viewer is staff."""
    created_at = SortKey(QuizAccommodation.created_at, lambda row: row.created_at, datetime)
    key = SortKey(QuizAccommodation.id, lambda row: row.key, int)
    order = SortOrder("quiz.accommodations:newest", (created_at, key), descending=True)
    return ListQuery(ACCOMMODATIONS, _to_row, order, parent=QuizAccommodation.quiz_id)


def _to_row(row: Any) -> AccommodationRow:
    return AccommodationRow._make(row)
