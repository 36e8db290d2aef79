"""Notes: only ever the viewer's own."""

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
def _by_id() -> RowSelect:
    return NOTES.where(Note.id.in_(KEYS), notes_visible())


@cache
def _of_lectures() -> RowSelect:
    about_no_place = case((Note.timestamp.is_(None), 1), else_=0)
    in_order = (Note.lecture_id, about_no_place, Note.timestamp, Note.created_at, Note.id)
    return NOTES.where(Note.lecture_id.in_(KEYS), notes_visible()).order_by(*in_order)


def notes_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, NoteRow]:
    return {row[0]: NoteRow._make(row) for row in fetch_rows(session, _by_id(), {**actor.bind_params, "keys": keys})}


def notes_by_lecture(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, list[NoteRow]]:
    """By their place in the lecture; what is about none comes last."""
    return group_rows(fetch_rows(session, _of_lectures(), {**actor.bind_params, "keys": keys}), NoteRow._make, by=1)
