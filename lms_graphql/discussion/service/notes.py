"""Notes: private, taken by those who learn, and kept for as long as they want them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from lms_graphql.core import ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import ErrorCode, Refusal, not_found
from lms_graphql.core.forms import Form
from lms_graphql.core.statements import changed, insert_unless_there
from lms_graphql.discussion.models import Note, Notebook
from lms_graphql.discussion.reads.places import find_lecture, find_note
from lms_graphql.discussion.service.rules import position
from lms_graphql.learning.service.entering import demand_access

MOST_NOTES = 200
"""Of a person in a lecture."""


def create_note(session: Session, actor: Actor, lecture_id: str, content: str, position_seconds: int | None) -> int:
    """
    Its key. Room for it is taken before anything is read: of those who come for the last of it at once one finds it,
    and whoever is refused for another reason gives it back.
    """
    key = ids.key_of("Lecture", lecture_id)
    has_room = _take_room(session, actor, key)
    lecture = find_lecture(session, actor, key)
    if lecture is None:
        raise not_found("lecture_id")
    form = Form()
    said = {
        "content": form.text("content", content, required=True),
        "timestamp": position(form, position_seconds),
    }
    form.done()
    demand_access(lecture.takes_part, "lecture_id")
    if not lecture.allow_notes:
        raise Refusal(ErrorCode.FEATURE_DISABLED, "Notes are switched off in this course.", ("lecture_id",))
    if not has_room:
        _open_notebook(session, actor, lecture.key)
        if not _take_room(session, actor, lecture.key):
            message = f"You have {MOST_NOTES} notes in this lecture already. Delete one first."
            raise Refusal(ErrorCode.LIMIT_REACHED, message, ("lecture_id",))
    return _added(session, user_id=actor.id, lecture_id=lecture.key, **said)


def update_note(session: Session, actor: Actor, note_id: str, changes: Mapping[str, Any]) -> int:
    """`changes`: what is not in it stays as it is. Its key."""
    note = find_note(session, actor, ids.key_of("Note", note_id))
    if note is None:
        raise not_found("note_id")
    form = Form()
    values: dict[str, Any] = {}
    if "content" in changes:
        values["content"] = form.text("content", changes["content"], required=True)
    if "position_seconds" in changes:
        values["timestamp"] = position(form, changes["position_seconds"])
    form.done()
    demand_access(note.takes_part, "note_id")
    if values and not changed(session, update(Note).where(Note.id == note.key).values(values)):
        raise not_found("note_id")
    return note.key


def delete_note(session: Session, actor: Actor, note_id: str) -> str:
    """Also without access, and where notes are switched off by now. The id that is no more."""
    own = (Note.id == ids.key_of("Note", note_id), Note.user_id == actor.id)
    lecture = session.scalar(select(Note.lecture_id).where(*own).with_for_update())
    if lecture is None:
        raise not_found("note_id")
    changed(session, delete(Note).where(*own))
    one_less = update(Notebook).where(Notebook.user_id == actor.id, Notebook.lecture_id == lecture)
    changed(session, one_less.where(Notebook.note_count > 0).values(note_count=Notebook.note_count - 1))
    return note_id


def forget_notes(session: Session, user_key: int) -> None:
    """All that somebody has taken, with the account that is emptied."""
    changed(session, delete(Notebook).where(Notebook.user_id == user_key))
    changed(session, delete(Note).where(Note.user_id == user_key))


def _take_room(session: Session, actor: Actor, lecture_key: int | None) -> bool:
    own = (Notebook.user_id == actor.id, Notebook.lecture_id == lecture_key, Notebook.note_count < MOST_NOTES)
    return changed(session, update(Notebook).where(*own).values(note_count=Notebook.note_count + 1)) == 1


def _open_notebook(session: Session, actor: Actor, lecture_key: int) -> None:
    """Unless it is open: with the number of notes that are there, which came otherwise than by `create_note`."""
    there = select(func.count()).where(Note.user_id == actor.id, Note.lecture_id == lecture_key)
    opened = {"user_id": actor.id, "lecture_id": lecture_key, "note_count": session.scalar(there)}
    session.execute(insert_unless_there(Notebook), opened)


def _added(session: Session, **values: Any) -> int:
    note = Note(**values)
    session.add(note)
    session.flush()
    return note.id
