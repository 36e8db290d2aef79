"""GraphQL mutations of notes."""

import strawberry

from lms_graphql.accounts.types import has_permission
from lms_graphql.discussion.reads.notes import notes_by_key
from lms_graphql.discussion.services import notes
from lms_graphql.discussion.types import NotePayload
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.idempotency import IDEMPOTENCY_KEY, created_payload, once
from lms_graphql.graph.schema.mutations import DeletePayload, mutation, payload, provided_fields

POSITION = "Position in the lecture, in seconds (0 or more); null for none."
CONTENT = "Text: Markdown, at most 10,000 characters, stored exactly as written."


@input_type()
class CreateNoteInput:
    """A note to create."""

    lecture_id: strawberry.ID = field("Id of the lecture.")
    content: str = field(CONTENT)
    position_seconds: int | None = field(POSITION, default=None)
    idempotency_key: str | None = field(IDEMPOTENCY_KEY, default=None)


@input_type()
class UpdateNoteInput:
    """Fields of a note to change. An omitted field keeps its value."""

    note_id: strawberry.ID = field("Id of the note.")
    content: strawberry.Maybe[str | None] = field(CONTENT, default=None)
    position_seconds: strawberry.Maybe[int | None] = field(POSITION, default=None)


@input_type()
class NoteIdInput:
    """The note to delete."""

    note_id: strawberry.ID = field("Id of the note.")


@strawberry.type
class NoteMutations:
    @mutation(has_permission("note:write"))
    async def create_note(self, info: Info, input: CreateNoteInput) -> NotePayload | None:
        """Create a private note in a lecture. Only course staff and users with access to the course can do this.

        Returns NOT_ENROLLED without access, FEATURE_DISABLED if the course does not allow notes, and LIMIT_REACHED if
        the viewer has 200 notes in the lecture.
        """
        context = info.context
        create = once(info, input, notes.create_note)
        key = await context.write(create, input.lecture_id, input.content, input.position_seconds)
        return await created_payload(context, input, NotePayload, note=(notes_by_key, key))

    @mutation(has_permission("note:write"))
    async def update_note(self, info: Info, input: UpdateNoteInput) -> NotePayload | None:
        """Change one of the viewer's own notes. Only its author can do this.

        Returns NOT_FOUND for the notes of others, and NOT_ENROLLED without access to the course.
        """
        context = info.context
        key = await context.write(notes.update_note, input.note_id, provided_fields(input))
        return await payload(context, NotePayload, note=(notes_by_key, key))

    @mutation(has_permission("note:write"))
    async def delete_note(self, info: Info, input: NoteIdInput) -> DeletePayload | None:
        """
        Delete one of the viewer's own notes. Only its author can do this, even after access to the course has ended.

        Returns NOT_FOUND for the notes of others.
        """
        course = await info.context.write(notes.delete_note, input.note_id)
        return DeletePayload(deleted_id=input.note_id, course_key=course)
