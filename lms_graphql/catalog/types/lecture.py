"""GraphQL types of lectures, their content and their locks, and the list of lectures on sections."""

from datetime import datetime

import strawberry

from lms_graphql.catalog.models import LectureType
from lms_graphql.catalog.policies import is_public_preview
from lms_graphql.catalog.reads import courses, curriculum, lecture_content
from lms_graphql.catalog.reads.lecture_content import LockReason
from lms_graphql.catalog.types.course import Course
from lms_graphql.catalog.types.section import Section
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import as_graphql, expose_enum, field, object_type, url_field
from lms_graphql.graph.schema.node import Node
from lms_graphql.graph.schema.type_extensions import extend_type
from lms_graphql.graph.schema.versioned_trees import IN_TREE

expose_enum(
    LectureType,
    "Type of a lecture.",
    VIDEO="A video, at `content.videoUrl`.",
    TEXT="A text, in `content.body` or at `content.resourceUrl`.",
    QUIZ="A quiz, which `Lecture.quiz` returns.",
    ASSIGNMENT="A task for the learner, in `content.body` or at `content.resourceUrl`.",
    RESOURCE="A file or web page at `content.resourceUrl`, or a text in `content.body`.",
)
expose_enum(
    LockReason,
    "Reason why the viewer may not read a lecture's content.",
    SIGN_IN_REQUIRED="The viewer is not logged in.",
    ENROLLMENT_REQUIRED="The viewer has never enrolled in the course.",
    ENROLLMENT_INACTIVE="The viewer's enrollment grants no access: it is CANCELLED, EXPIRED, REFUNDED or SUSPENDED.",
)


@object_type
class LectureContent:
    """Content of a lecture. Each field can be null, whatever the lecture's type."""

    video_url = url_field("video_url", "URL of the video; null if not set.")
    body: str | None = field("Text in Markdown; null if not set.")
    resource_url = url_field("resource_url", "URL of a file or web page; null if not set.")


@object_type
class LectureLock:
    """Explanation of why the viewer may not read a lecture's content."""

    reason: LockReason = field("Reason, for programs.")
    message: str = field("Explanation to show to the viewer: what is wrong and what to do.")


@object_type
class Lecture(Node):
    """A lecture: a video, text, quiz, assignment or resource of a section."""

    title: str = field("Title.")
    description: str | None = field("Description; null if not set.")
    type: LectureType = field("Type of the lecture. It never changes.")
    position: int = field("Position within the section, from 0.")
    duration_seconds: int = field("Duration, in seconds.")
    is_preview: bool = field("Whether everyone may read the content while the course is published.")
    is_downloadable: bool = field("Whether learners may download the content.")
    updated_at: datetime = field("When the lecture was last changed or moved.")
    version: int = field(
        "Version of the lecture, which grows with every change of its fields, its content or its quiz, and if it is "
        "moved. Moves of other lectures leave it. Pass it as `expectedVersion` to detect changes by others."
    )
    section_key: strawberry.Private[int]
    course_key: strawberry.Private[int]

    @strawberry.field
    def section(self, info: Info) -> Section:
        """Section of the lecture."""
        return info.context.load(curriculum.sections_by_key, self.section_key)

    @strawberry.field
    def course(self, info: Info) -> Course:
        """Course of the lecture."""
        return info.context.load(courses.courses_by_key, self.course_key)

    @strawberry.field
    def content(self, info: Info) -> LectureContent | None:
        """Content; null without an error if the viewer has no access. Then `lock` gives the reason."""
        if not info.context.actor.is_signed_in and not is_public_preview(self):
            return None
        return info.context.load(lecture_content.contents_by_lecture, self.key)

    @strawberry.field
    def lock(self, info: Info) -> LectureLock | None:
        """Reason why the viewer may not read `content`; null if they may."""
        if info.context.actor.is_signed_in:
            return info.context.load(lecture_content.locks_by_lecture, self.key)
        return None if is_public_preview(self) else as_graphql(lecture_content.SIGN_IN_LOCK)

    @strawberry.field
    async def next(self, info: Info) -> "Lecture | None":
        """Next lecture of the course, which can be in a later section; null for the last one."""
        neighbours = await info.context.load_async(curriculum.neighbours_by_lecture, (self.course_key, self.key))
        if not neighbours or not neighbours.next:
            return None
        return await info.context.load_async(curriculum.lectures_by_key, neighbours.next)

    @strawberry.field
    async def previous(self, info: Info) -> "Lecture | None":
        """Previous lecture of the course, which can be in an earlier section; null for the first one."""
        neighbours = await info.context.load_async(curriculum.neighbours_by_lecture, (self.course_key, self.key))
        if not neighbours or not neighbours.previous:
            return None
        return await info.context.load_async(curriculum.lectures_by_key, neighbours.previous)


@extend_type(Section, metadata={IN_TREE: True})
def lectures(section: strawberry.Parent[Section], info: Info) -> list[Lecture]:
    """Lectures of the section, by position. A section has at most 200."""
    return info.context.load_list(curriculum.lectures_by_section, section.key)
