"""Reads of the viewer's own notes. There are no others."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from lms_graphql.core.actor import Actor
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows, group_rows
from lms_graphql.discussion.models import Note
from lms_graphql.discussion.policies import notes_visible


@with_global_id("Note")
class NoteRow(NamedTuple):
    key: int
    lecture_key: int
    content: str
    position_seconds: int | None
    created_at: datetime
    updated_at: datetime


NOTES = select(Note.id, Note.lecture_id, Note.content, Note.timestamp, Note.created_at, Note.updated_at)


@cache
def _by_key() -> RowSelect:
    return NOTES.where(Note.id.in_(KEYS), notes_visible())


@cache
def _by_lecture() -> RowSelect:
    has_no_position = case((Note.timestamp.is_(None), 1), else_=0)
    sort_columns = (Note.lecture_id, has_no_position, Note.timestamp, Note.created_at, Note.id)
    return NOTES.where(Note.lecture_id.in_(KEYS), notes_visible()).order_by(*sort_columns)


def notes_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, NoteRow]:
    rows = fetch_rows(session, _by_key(), {**actor.bind_params, "keys": keys})
    return {row[0]: NoteRow._make(row) for row in rows}


def notes_by_lecture(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, list[NoteRow]]:
    """Return the viewer's notes in each lecture by their position in it. Notes without a position come last."""
    return group_rows(fetch_rows(session, _by_lecture(), {**actor.bind_params, "keys": keys}), NoteRow._make, by=1)
