"""Reads of the viewer's own notes. There are no others."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Course, Lecture
from lms_graphql.catalog.policies import courses_visible_to
from lms_graphql.core.actor import AccessLevel, Actor
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.list_queries import ListQuery
from lms_graphql.core.pagination import SortKey, SortOrder
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows, group_rows
from lms_graphql.discussion.models import Note
from lms_graphql.discussion.policies import notes_visible


@with_global_id("Note")
class NoteRow(NamedTuple):
    key: int
    lecture_key: int
    course_key: int
    content: str
    position_seconds: int | None
    created_at: datetime
    updated_at: datetime


NOTES = (
    select(
        Note.id,
        Note.lecture_id,
        Lecture.course_id,
        Note.content,
        Note.timestamp,
        Note.created_at,
        Note.updated_at,
    )
    .select_from(Note)
    .join(Lecture, Lecture.id == Note.lecture_id)
)
NEWEST_FIRST = SortOrder(
    "user.notes:newest",
    (
        SortKey(Note.created_at, lambda row: row.created_at, datetime),
        SortKey(Note.id, lambda row: row.key, int),
    ),
    descending=True,
)


@cache
def _in_visible_courses(access_level: AccessLevel) -> RowSelect:
    """Return the viewer's notes in courses that they still see, because each note shows its course."""
    notes = NOTES.join(Course, Course.id == Lecture.course_id)
    return notes.where(notes_visible(), courses_visible_to(access_level))


@cache
def _by_key(access_level: AccessLevel) -> RowSelect:
    return _in_visible_courses(access_level).where(Note.id.in_(KEYS))


@cache
def _by_lecture() -> RowSelect:
    has_no_position = case((Note.timestamp.is_(None), 1), else_=0)
    sort_columns = (Note.lecture_id, has_no_position, Note.timestamp, Note.created_at, Note.id)
    return NOTES.where(Note.lecture_id.in_(KEYS), notes_visible()).order_by(*sort_columns)


def notes_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, NoteRow]:
    rows = fetch_rows(session, _by_key(actor.access_level), {**actor.bind_params, "keys": keys})
    return {row[0]: NoteRow._make(row) for row in rows}


def notes_by_lecture(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, list[NoteRow]]:
    """Return the viewer's notes in each lecture by their position in it. Notes without a position come last."""
    return group_rows(fetch_rows(session, _by_lecture(), {**actor.bind_params, "keys": keys}), NoteRow._make, by=1)


@lru_cache(maxsize=256)
def notes_of_user(access_level: AccessLevel, course_key: int | None) -> ListQuery:
    """Return the query for the viewer's notes in all courses or in one, newest first."""
    notes = _in_visible_courses(access_level)
    if course_key is not None:
        notes = notes.where(Lecture.course_id == course_key)
    return ListQuery(notes, _to_row, NEWEST_FIRST, parent=Note.user_id)


def _to_row(row: Any) -> NoteRow:
    return NoteRow._make(row)
