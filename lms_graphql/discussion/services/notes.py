"""Private notes in lectures: create, update, delete. They remain when access ends or the lecture is removed."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Lecture
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
"""Notes of one user in one lecture."""


def create_note(session: Session, actor: Actor, lecture_id: str, content: str, position_seconds: int | None) -> int:
    """
    Create a note and return its key.

    The note is counted before anything is read. Therefore exactly one of several concurrent requests gets the last
    note below the limit. Any error rolls the counter back.

    Raise NOT_FOUND, errors of the input, NOT_ENROLLED, FEATURE_DISABLED or LIMIT_REACHED.
    """
    key = global_ids.decode_key("Lecture", lecture_id)
    was_incremented = _count_note(session, actor, key)
    lecture = find_lecture(session, actor, key)
    if lecture is None:
        raise not_found("lecture_id")
    validator = Validator()
    values = {
        "content": validator.multi_line("content", content, required=True),
        "timestamp": validate_position(validator, position_seconds),
    }
    validator.raise_errors()
    require_access(lecture.is_participant, "lecture_id")
    if not lecture.allow_notes:
        raise DomainError(ErrorCode.FEATURE_DISABLED, "Notes are disabled in this course.", ("lecture_id",))
    if not was_incremented:
        _create_counter(session, actor, lecture.key)
        if not _count_note(session, actor, lecture.key):
            message = f"You already have {MAX_NOTES_PER_LECTURE} notes in this lecture. Delete one first."
            raise DomainError(ErrorCode.LIMIT_REACHED, message, ("lecture_id",), limit=MAX_NOTES_PER_LECTURE)
    return _insert_note(session, user_id=actor.key, lecture_id=lecture.key, **values)


def update_note(session: Session, actor: Actor, note_id: str, changes: Mapping[str, Any]) -> int:
    """
    Change the fields that are in `changes` and return the note's key.

    Raise NOT_FOUND, errors of the input, or NOT_ENROLLED. Notes can be changed even if the course disables new ones.
    """
    note = find_note(session, actor, global_ids.decode_key("Note", note_id))
    if note is None:
        raise not_found("note_id")
    validator = Validator()
    values: dict[str, Any] = {}
    if "content" in changes:
        values["content"] = validator.multi_line("content", changes["content"], required=True)
    if "position_seconds" in changes:
        values["timestamp"] = validate_position(validator, changes["position_seconds"])
    validator.raise_errors()
    require_access(note.is_participant, "note_id")
    if values and not execute_dml(session, update(Note).where(Note.id == note.key).values(values)):
        raise not_found("note_id")
    return note.key


def delete_note(session: Session, actor: Actor, note_id: str) -> int:
    """
    Delete a note and return the course's key. Raise NOT_FOUND if the actor has no such note.

    This needs neither access to the course nor that the course allows notes.
    """
    own_note = (Note.id == global_ids.decode_key("Note", note_id), Note.user_id == actor.key)
    lecture_key = session.scalar(select(Note.lecture_id).where(*own_note).with_for_update())
    if lecture_key is None:
        raise not_found("note_id")
    execute_dml(session, delete(Note).where(*own_note))
    counter = update(NoteCounter).where(NoteCounter.user_id == actor.key, NoteCounter.lecture_id == lecture_key)
    execute_dml(session, counter.where(NoteCounter.note_count > 0).values(note_count=NoteCounter.note_count - 1))
    return session.scalars(select(Lecture.course_id).where(Lecture.id == lecture_key)).one()


def delete_notes_of_user(session: Session, user_key: int) -> None:
    """Delete all notes of a user whose account is erased."""
    execute_dml(session, delete(NoteCounter).where(NoteCounter.user_id == user_key))
    execute_dml(session, delete(Note).where(Note.user_id == user_key))


def _count_note(session: Session, actor: Actor, lecture_key: int | None) -> bool:
    """Add 1 to the counter of the actor's notes. Return False if it is at its limit or does not exist yet."""
    counter = (
        NoteCounter.user_id == actor.key,
        NoteCounter.lecture_id == lecture_key,
        NoteCounter.note_count < MAX_NOTES_PER_LECTURE,
    )
    statement = update(NoteCounter).where(*counter).values(note_count=NoteCounter.note_count + 1)
    return execute_dml(session, statement) == 1


def _create_counter(session: Session, actor: Actor, lecture_key: int) -> None:
    """
    Create the counter unless it exists. It starts at the number of existing notes, because some may not have been
    created by `create_note`.
    """
    note_count = select(func.count()).where(Note.user_id == actor.key, Note.lecture_id == lecture_key)
    values = {"user_id": actor.key, "lecture_id": lecture_key, "note_count": session.scalar(note_count)}
    session.execute(insert_ignore(NoteCounter), values)


def _insert_note(session: Session, **values: Any) -> int:
    note = Note(**values)
    session.add(note)
    session.flush()
    return note.id
