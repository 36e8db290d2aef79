"""Notes."""

import strawberry

from lms_graphql.accounts.types import has_permission
from lms_graphql.discussion.reads.notes import notes_by_key
from lms_graphql.discussion.services import notes
from lms_graphql.discussion.types import NotePayload
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.mutations import DeletePayload, mutation, payload, provided_fields

PLACE = "The second of the lecture that it is about, 0 or later."
WORDS = "Markdown, at most 10,000 characters; kept as it is written."


@input_type()
class CreateNoteInput:
    """Something to write down."""

    lecture_id: strawberry.ID = field("In which lecture.")
    content: str = field(WORDS)
    position_seconds: int | None = field(PLACE, default=None)


@input_type()
class UpdateNoteInput:
    """What is to be different about a note."""

    note_id: strawberry.ID = field("Which one.")
    content: strawberry.Maybe[str | None] = field(WORDS, default=None)
    position_seconds: strawberry.Maybe[int | None] = field(PLACE, default=None)


@input_type()
class NoteIdInput:
    """A note."""

    note_id: strawberry.ID = field("Which one.")


@strawberry.type
class NoteMutations:
    @mutation(has_permission("note:write"))
    async def create_note(self, info: Info, input: CreateNoteInput) -> NotePayload | None:
        """
        Write something down for oneself, with access to the course or as its staff; at most 200 notes in a lecture.
        """
        context = info.context
        key = await context.write(notes.create_note, input.lecture_id, input.content, input.position_seconds)
        return await payload(context, NotePayload, note=(notes_by_key, key))

    @mutation(has_permission("note:write"))
    async def update_note(self, info: Info, input: UpdateNoteInput) -> NotePayload | None:
        """Change a note of one's own, with access to the course or as its staff."""
        context = info.context
        key = await context.write(notes.update_note, input.note_id, provided_fields(input))
        return await payload(context, NotePayload, note=(notes_by_key, key))

    @mutation(has_permission("note:write"))
    async def delete_note(self, info: Info, input: NoteIdInput) -> DeletePayload | None:
        """Throw a note of one's own away, also after access has ended."""
        deleted = await info.context.write(notes.delete_note, input.note_id)
        return DeletePayload(deleted_id=strawberry.ID(deleted))
