"""Notes: only ever the viewer's own."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from lms_graphql.core.actor import Actor
from lms_graphql.core.ids import identified
from lms_graphql.core.statements import KEYS, fetch, group
from lms_graphql.discussion.models import Note
from lms_graphql.discussion.policies import notes_visible


@identified("Note")
class NoteRow(NamedTuple):
    key: int
    lecture_key: int
    content: str
    position_seconds: int | None
    created_at: datetime
    updated_at: datetime


NOTES = select(Note.id, Note.lecture_id, Note.content, Note.timestamp, Note.created_at, Note.updated_at).where(
    notes_visible()
)
BY_ID = NOTES.where(Note.id.in_(KEYS))
OF_LECTURES = NOTES.where(Note.lecture_id.in_(KEYS)).order_by(
    Note.lecture_id,
    case((Note.timestamp.is_(None), 1), else_=0),  # what is about no place in the lecture comes after what is
    Note.timestamp,
    Note.created_at,
    Note.id,
)


def notes_by_id(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, NoteRow]:
    return {row[0]: NoteRow._make(row) for row in fetch(session, BY_ID, {**actor.binds, "keys": keys})}


def notes_by_lecture(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, list[NoteRow]]:
    return group(fetch(session, OF_LECTURES, {**actor.binds, "keys": keys}), NoteRow._make, by=1)
