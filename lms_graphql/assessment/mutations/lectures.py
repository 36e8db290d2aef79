"""Lectures are written: with the quiz that one of the type QUIZ carries."""

import strawberry

from lms_graphql.accounts.types import has_permission
from lms_graphql.assessment.services import lectures
from lms_graphql.catalog.models import LectureType
from lms_graphql.catalog.reads.curriculum import lectures_by_key
from lms_graphql.catalog.services.lectures import FIELDS
from lms_graphql.catalog.types.payloads import LecturePayload
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.mutations import mutation, payload, provided_fields


@input_type()
class CreateLectureInput:
    """A lecture to come. What its type needs may follow: it is asked for when the course is published."""

    section_id: strawberry.ID = field("The section it is for.")
    title: str = field("What it is called, at most 200 characters.")
    type: LectureType = field("What it is made of, for good.")
    description: str | None = field("What it is about, at most 10,000 characters.", default=None)
    position: int | None = field("From 0 within the section; at the end, where left out.", default=None)
    duration_seconds: int | None = field("How long it takes, 0 to 360,000.", default=0)
    is_preview: bool | None = field("Whether anyone may open it.", default=False)
    is_downloadable: bool | None = field("Whether it may be kept.", default=False)
    video_url: str | None = field("Where the video is.", default=None)
    body: str | None = field("Markdown, at most 50,000 characters.", default=None)
    resource_url: str | None = field("Where the file or page is.", default=None)
    quiz_id: strawberry.ID | None = field(
        "A quiz of the course that no lecture carries, for the type QUIZ.", default=None
    )


@input_type()
class UpdateLectureInput:
    """A field left out stays as it is; null empties it, where it can be empty. The type stays."""

    lecture_id: strawberry.ID = field("Which one.")
    title: strawberry.Maybe[str | None] = field("What it is called, at most 200 characters.", default=None)
    description: strawberry.Maybe[str | None] = field("What it is about, at most 10,000 characters.", default=None)
    duration_seconds: strawberry.Maybe[int | None] = field("How long it takes, 0 to 360,000.", default=None)
    is_preview: strawberry.Maybe[bool | None] = field("Whether anyone may open it.", default=None)
    is_downloadable: strawberry.Maybe[bool | None] = field("Whether it may be kept.", default=None)
    video_url: strawberry.Maybe[str | None] = field("Where the video is.", default=None)
    body: strawberry.Maybe[str | None] = field("Markdown, at most 50,000 characters.", default=None)
    resource_url: strawberry.Maybe[str | None] = field("Where the file or page is.", default=None)
    quiz_id: strawberry.Maybe[strawberry.ID | None] = field(
        "A quiz of the course that no other lecture carries, for the type QUIZ; null takes it off.", default=None
    )


@strawberry.type
class LectureEditMutations:
    @mutation(has_permission("course:edit-own"))
    async def create_lecture(self, info: Info, input: CreateLectureInput) -> LecturePayload | None:
        """Add a lecture to a section, for the course's instructor. At most 200 a section and 1,000 a course."""
        context = info.context
        said = {name: getattr(input, name) for name in FIELDS}
        # For a lecture to come null says no more than leaving it out.
        said |= {"duration_seconds": input.duration_seconds or 0}
        said |= {name: bool(said[name]) for name in ("is_preview", "is_downloadable")}
        where = (input.position, input.quiz_id)
        key = await context.write(lectures.create_lecture, input.section_id, input.type, said, *where)
        return await payload(context, LecturePayload, lecture=(lectures_by_key, key))

    @mutation(has_permission("course:edit-own"))
    async def update_lecture(self, info: Info, input: UpdateLectureInput) -> LecturePayload | None:
        """Change a lecture, for the course's instructor."""
        context = info.context
        key = await context.write(lectures.update_lecture, input.lecture_id, provided_fields(input))
        return await payload(context, LecturePayload, lecture=(lectures_by_key, key))
