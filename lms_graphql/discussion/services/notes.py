"""Notes: private, taken by those who learn, and kept for as long as they want them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from lms_graphql.core import global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode, not_found
from lms_graphql.core.statements import execute_dml, insert_ignore
from lms_graphql.core.validation import Validator
from lms_graphql.discussion.models import Note, NoteCounter
from lms_graphql.discussion.reads.write_targets import find_lecture, find_note
from lms_graphql.discussion.services.checks import validate_position
from lms_graphql.learning.services.progress_locks import require_access

MAX_NOTES_PER_LECTURE = 200
"""Of a person in a lecture."""


def create_note(session: Session, actor: Actor, lecture_id: str, content: str, position_seconds: int | None) -> int:
    """
    Its key. Room for it is taken before anything is read: of those who come for the last of it at once one finds it,
    and whoever is refused for another reason gives it back.
    """
    key = global_ids.decode_key("Lecture", lecture_id)
    has_room = _take_room(session, actor, key)
    lecture = find_lecture(session, actor, key)
    if lecture is None:
        raise not_found("lecture_id")
    form = Validator()
    said = {
        "content": form.multi_line("content", content, required=True),
        "timestamp": validate_position(form, position_seconds),
    }
    form.raise_errors()
    require_access(lecture.takes_part, "lecture_id")
    if not lecture.allow_notes:
        raise DomainError(ErrorCode.FEATURE_DISABLED, "Notes are switched off in this course.", ("lecture_id",))
    if not has_room:
        _open_notebook(session, actor, lecture.key)
        if not _take_room(session, actor, lecture.key):
            message = f"You have {MAX_NOTES_PER_LECTURE} notes in this lecture already. Delete one first."
            raise DomainError(ErrorCode.LIMIT_REACHED, message, ("lecture_id",))
    return _added(session, user_id=actor.key, lecture_id=lecture.key, **said)


def update_note(session: Session, actor: Actor, note_id: str, changes: Mapping[str, Any]) -> int:
    """`changes`: what is not in it stays as it is. Its key."""
    note = find_note(session, actor, global_ids.decode_key("Note", note_id))
    if note is None:
        raise not_found("note_id")
    form = Validator()
    values: dict[str, Any] = {}
    if "content" in changes:
        values["content"] = form.multi_line("content", changes["content"], required=True)
    if "position_seconds" in changes:
        values["timestamp"] = validate_position(form, changes["position_seconds"])
    form.raise_errors()
    require_access(note.takes_part, "note_id")
    if values and not execute_dml(session, update(Note).where(Note.id == note.key).values(values)):
        raise not_found("note_id")
    return note.key


def delete_note(session: Session, actor: Actor, note_id: str) -> str:
    """Also without access, and where notes are switched off by now. The id that is no more."""
    own = (Note.id == global_ids.decode_key("Note", note_id), Note.user_id == actor.key)
    lecture = session.scalar(select(Note.lecture_id).where(*own).with_for_update())
    if lecture is None:
        raise not_found("note_id")
    execute_dml(session, delete(Note).where(*own))
    one_less = update(NoteCounter).where(NoteCounter.user_id == actor.key, NoteCounter.lecture_id == lecture)
    execute_dml(session, one_less.where(NoteCounter.note_count > 0).values(note_count=NoteCounter.note_count - 1))
    return note_id


def delete_notes_of_user(session: Session, user_key: int) -> None:
    """All that somebody has taken, with the account that is emptied."""
    execute_dml(session, delete(NoteCounter).where(NoteCounter.user_id == user_key))
    execute_dml(session, delete(Note).where(Note.user_id == user_key))


def _take_room(session: Session, actor: Actor, lecture_key: int | None) -> bool:
    own = (
        NoteCounter.user_id == actor.key,
        NoteCounter.lecture_id == lecture_key,
        NoteCounter.note_count < MAX_NOTES_PER_LECTURE,
    )
    return execute_dml(session, update(NoteCounter).where(*own).values(note_count=NoteCounter.note_count + 1)) == 1


def _open_notebook(session: Session, actor: Actor, lecture_key: int) -> None:
    """Unless it is open: with the number of notes that are there, which came otherwise than by `create_note`."""
    there = select(func.count()).where(Note.user_id == actor.key, Note.lecture_id == lecture_key)
    opened = {"user_id": actor.key, "lecture_id": lecture_key, "note_count": session.scalar(there)}
    session.execute(insert_ignore(NoteCounter), opened)


def _added(session: Session, **values: Any) -> int:
    note = Note(**values)
    session.add(note)
    session.flush()
    return note.id
