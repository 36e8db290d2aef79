"""Lectures in the schema, their content and locks, and the field that lists them."""

import strawberry

from lms_graphql.catalog.models import LectureType
from lms_graphql.catalog.policies import is_public_preview
from lms_graphql.catalog.reads import courses, curriculum, lecture_content
from lms_graphql.catalog.reads.lecture_content import LockReason
from lms_graphql.catalog.types.course import Course
from lms_graphql.catalog.types.section import Section
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import as_graphql, expose_enum, field, object_type
from lms_graphql.graph.schema.node import Node
from lms_graphql.graph.schema.type_extensions import extend_type

expose_enum(LectureType, "What a lecture is made of.")
expose_enum(LockReason, "Why a lecture's content is closed to the viewer.")


@object_type
class LectureContent:
    """What a lecture teaches. Which of these are there follows from its type."""

    video_url: str | None = field("Where the video is.")
    body: str | None = field("Markdown.")
    resource_url: str | None = field("Where the file or page is.")


@object_type
class LectureLock:
    """Why a lecture is closed to the viewer, and what would open it."""

    reason: LockReason = field("Why, for programs.")
    message: str = field("Why, for people.")


@object_type
class Lecture(Node):
    """One thing to watch, read or do."""

    title: str = field("What it is called.")
    description: str | None = field("What it is about.")
    type: LectureType = field("What it is made of.")
    position: int = field("0, 1, 2 … within the section.")
    duration_seconds: int = field("How long it takes.")
    is_preview: bool = field("Whether anyone may open it.")
    is_downloadable: bool = field("Whether it may be kept.")
    section_key: strawberry.Private[int]
    course_key: strawberry.Private[int]

    @strawberry.field
    def section(self, info: Info) -> Section:
        """The section it is in."""
        return info.context.load(curriculum.sections_by_key, self.section_key)

    @strawberry.field
    def course(self, info: Info) -> Course:
        """The course it belongs to."""
        return info.context.load(courses.courses_by_key, self.course_key)

    @strawberry.field
    def content(self, info: Info) -> LectureContent | None:
        """Null, without an error, where the viewer has no access; `lock` then says why."""
        if not info.context.actor.is_signed_in and not is_public_preview(self):
            return None
        return info.context.load(lecture_content.contents_by_lecture, self.key)

    @strawberry.field
    def lock(self, info: Info) -> LectureLock | None:
        """Null where the viewer has access."""
        if info.context.actor.is_signed_in:
            return info.context.load(lecture_content.locks_by_lecture, self.key)
        return None if is_public_preview(self) else as_graphql(lecture_content.SIGN_IN)

    @strawberry.field
    async def next(self, info: Info) -> "Lecture | None":
        """The lecture after it in the course, in the next section where it is the last of its own."""
        near = await info.context.load_async(curriculum.neighbours_by_lecture, (self.course_key, self.key))
        return await info.context.load_async(curriculum.lectures_by_key, near.next) if near and near.next else None

    @strawberry.field
    async def previous(self, info: Info) -> "Lecture | None":
        """The lecture before it in the course, in the section before where it is the first of its own."""
        near = await info.context.load_async(curriculum.neighbours_by_lecture, (self.course_key, self.key))
        return (
            await info.context.load_async(curriculum.lectures_by_key, near.previous)
            if near and near.previous
            else None
        )


@extend_type(Section)
def lectures(section: strawberry.Parent[Section], info: Info) -> list[Lecture]:
    """Its lectures, in their order; at most 200."""
    return info.context.load_list(curriculum.lectures_by_section, section.key)
