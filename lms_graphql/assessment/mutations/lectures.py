"""GraphQL mutations that create and update lectures, with their quizzes."""

from functools import partial

import strawberry

from lms_graphql.accounts.types import has_permission
from lms_graphql.assessment.services import lectures
from lms_graphql.catalog.models import LectureType, Section
from lms_graphql.catalog.mutations.lectures import EXPECTED_VERSION
from lms_graphql.catalog.reads.curriculum import lectures_by_key
from lms_graphql.catalog.services.course_locks import peek_course_key
from lms_graphql.catalog.services.lectures import FIELD_RULES
from lms_graphql.catalog.types.payloads import LecturePayload
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.idempotency import IDEMPOTENCY_KEY, created_payload, once
from lms_graphql.graph.schema.mutations import mutation, payload, provided_fields

TITLE = "Title, one line of at most 200 characters."
DESCRIPTION = "Description, at most 10,000 characters."
DURATION = "Duration in seconds (0–360,000)."
IS_PREVIEW = "Whether everyone may read the content while the course is published."
IS_DOWNLOADABLE = "Whether the content may be downloaded."
VIDEO_URL = "URL of the video. Only for lectures of type VIDEO."
BODY = "Text of the lecture: Markdown, at most 50,000 characters. Not for lectures of type QUIZ."
RESOURCE_URL = "URL of the file or web page. Not for lectures of type QUIZ."


@input_type()
class CreateLectureInput:
    """
    A lecture to create. The content that its type requires is checked when the course is published, or at once if
    it is published already.
    """

    section_id: strawberry.ID = field("Id of the section.")
    title: str = field(TITLE)
    type: LectureType = field("Type of the lecture. It never changes.")
    description: str | None = field(DESCRIPTION, default=None)
    position: int | None = field("Position in the section, from 0; at the end if omitted.", default=None)
    duration_seconds: int | None = field(DURATION, default=0)
    is_preview: bool | None = field(IS_PREVIEW, default=False)
    is_downloadable: bool | None = field(IS_DOWNLOADABLE, default=False)
    video_url: str | None = field(VIDEO_URL, default=None)
    body: str | None = field(BODY, default=None)
    resource_url: str | None = field(RESOURCE_URL, default=None)
    quiz_id: strawberry.ID | None = field("Id of a quiz of the course, for a QUIZ lecture.", default=None)
    idempotency_key: str | None = field(IDEMPOTENCY_KEY, default=None)


@input_type()
class UpdateLectureInput:
    """
    Fields of a lecture to change. An omitted field keeps its value; null clears it, if the field can be empty. The
    type cannot be changed.
    """

    lecture_id: strawberry.ID = field("Id of the lecture.")
    expected_version: int | None = field(EXPECTED_VERSION, default=None)
    title: strawberry.Maybe[str | None] = field(TITLE, default=None)
    description: strawberry.Maybe[str | None] = field(DESCRIPTION, default=None)
    duration_seconds: strawberry.Maybe[int | None] = field(DURATION, default=None)
    is_preview: strawberry.Maybe[bool | None] = field(IS_PREVIEW, default=None)
    is_downloadable: strawberry.Maybe[bool | None] = field(IS_DOWNLOADABLE, default=None)
    video_url: strawberry.Maybe[str | None] = field(VIDEO_URL, default=None)
    body: strawberry.Maybe[str | None] = field(BODY, default=None)
    resource_url: strawberry.Maybe[str | None] = field(RESOURCE_URL, default=None)
    quiz_id: strawberry.Maybe[strawberry.ID | None] = field(
        "Id of a quiz of the course, for a QUIZ lecture. Null detaches the lecture's quiz.", default=None
    )


@strawberry.type
class LectureContentMutations:
    @mutation(has_permission("course:edit-own"))
    async def create_lecture(self, info: Info, input: CreateLectureInput) -> LecturePayload | None:
        """Add a lecture to a section. Only the course's instructor and super admins can do this.

        Returns LIMIT_REACHED if the section has 200 lectures or the course has 1,000. Content of another type is
        INVALID. In a published course a lecture without the content of its type is NOT_READY.
        """
        context = info.context
        fields = {name: getattr(input, name) for name in FIELD_RULES}
        # For a new lecture null means the same as an omitted field.
        fields |= {"duration_seconds": input.duration_seconds or 0}
        fields |= {name: bool(fields[name]) for name in ("is_preview", "is_downloadable")}
        position, quiz_id = input.position, input.quiz_id
        look_up = partial(peek_course_key, table=Section, id=input.section_id)
        create = once(info, input, lectures.create_lecture, look_up=look_up)
        key = await context.write(create, input.section_id, input.type, fields, position, quiz_id)
        return await created_payload(context, input, LecturePayload, lecture=(lectures_by_key, key))

    @mutation(has_permission("course:edit-own"))
    async def update_lecture(self, info: Info, input: UpdateLectureInput) -> LecturePayload | None:
        """Change a lecture. Only the course's instructor and super admins can do this.

        Returns STALE_VERSION if `expectedVersion` is outdated. Content of another type is INVALID. In a published
        course it is NOT_READY if the lecture would lack the content of its type.
        """
        context, changes = info.context, provided_fields(input)
        key = await context.write(lectures.update_lecture, input.lecture_id, input.expected_version, changes)
        return await payload(context, LecturePayload, lecture=(lectures_by_key, key))
