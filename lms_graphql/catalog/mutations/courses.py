"""Courses, written by their instructors."""

from decimal import Decimal

import strawberry

from lms_graphql.accounts.types import has_permission
from lms_graphql.catalog.models import DifficultyLevel
from lms_graphql.catalog.reads.courses import courses_by_key
from lms_graphql.catalog.services import courses, publication
from lms_graphql.catalog.types.payloads import CoursePayload
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.mutations import DeletePayload, mutation, payload, provided_fields

TITLE = "At most 200 characters."
DESCRIPTION = "Markdown, at most 10,000 characters; a draft may do without, as an empty text."
SHORT_DESCRIPTION = "A sentence or two, at most 500 characters."
CATEGORY = "The shelf it stands on."
PRICE = (
    "0 for a free course; no more decimals than the currency has, and at most 99,999,999,999 of its smallest unit."
)
LANGUAGE = "BCP 47 tag of the language it is taught in."


@input_type()
class CreateCourseInput:
    """A new course."""

    title: str = field(TITLE)
    description: str = field(DESCRIPTION)
    short_description: str | None = field(SHORT_DESCRIPTION, default=None)
    category_id: strawberry.ID | None = field(CATEGORY, default=None)
    price: Decimal | None = field(PRICE, default=Decimal(0))
    currency: str | None = field("ISO 4217 code, for good; the platform's own where left out.", default=None)
    difficulty: DifficultyLevel | None = field("Whom it is written for.", default=DifficultyLevel.BEGINNER)
    language: str | None = field(LANGUAGE, default="en")
    thumbnail_url: str | None = field("Where its picture is.", default=None)
    preview_video_url: str | None = field("Where its trailer is.", default=None)
    allow_qa: bool | None = field("Whether learners may ask questions.", default=True)
    allow_notes: bool | None = field("Whether learners may take notes.", default=True)


@input_type()
class CourseIdInput:
    """A course."""

    course_id: strawberry.ID = field("Which one.")


@input_type()
class UpdateCourseInput(CourseIdInput):
    """What is to be different. An update that changes nothing makes no new version."""

    expected_version: int | None = field(
        "The `version` that was read; STALE_VERSION where it is another.", default=None
    )
    title: strawberry.Maybe[str | None] = field(TITLE, default=None)
    description: strawberry.Maybe[str | None] = field(DESCRIPTION, default=None)
    short_description: strawberry.Maybe[str | None] = field(SHORT_DESCRIPTION, default=None)
    category_id: strawberry.Maybe[strawberry.ID | None] = field(CATEGORY, default=None)
    price: strawberry.Maybe[Decimal | None] = field(PRICE, default=None)
    difficulty: strawberry.Maybe[DifficultyLevel | None] = field("Whom it is written for.", default=None)
    language: strawberry.Maybe[str | None] = field(LANGUAGE, default=None)
    thumbnail_url: strawberry.Maybe[str | None] = field("Where its picture is.", default=None)
    preview_video_url: strawberry.Maybe[str | None] = field("Where its trailer is.", default=None)
    allow_qa: strawberry.Maybe[bool | None] = field("Whether learners may ask questions.", default=None)
    allow_notes: strawberry.Maybe[bool | None] = field("Whether learners may take notes.", default=None)
    is_featured: strawberry.Maybe[bool | None] = field("Super admins only.", default=None)


@strawberry.type
class CourseMutations:
    @mutation(has_permission("course:create"))
    async def create_course(self, info: Info, input: CreateCourseInput) -> CoursePayload | None:
        """Begin a course, as its instructor. It is a draft."""
        context = info.context
        said = {name: value for name, value in vars(input).items() if value is not None}
        key = await context.write(courses.create_course, context.settings.currency, said)
        return await payload(context, CoursePayload, course=(courses_by_key, key))

    @mutation(has_permission("course:edit-own"))
    async def update_course(self, info: Info, input: UpdateCourseInput) -> CoursePayload | None:
        """Change what is said of a course. Its slug follows the title until it is published for the first time."""
        context = info.context
        key = await context.write(
            courses.update_course, input.course_id, input.expected_version, provided_fields(input)
        )
        return await payload(context, CoursePayload, course=(courses_by_key, key))

    @mutation(has_permission("course:edit-own"))
    async def publish_course(self, info: Info, input: CourseIdInput) -> CoursePayload | None:
        """Open a draft or an archived course to everyone. NOT_READY once for each of its `publishProblems`."""
        key = await info.context.write(publication.publish_course, input.course_id)
        return await payload(info.context, CoursePayload, course=(courses_by_key, key))

    @mutation(has_permission("course:edit-own"))
    async def unpublish_course(self, info: Info, input: CourseIdInput) -> CoursePayload | None:
        """Make a published course a draft again, as long as nobody has enrolled or is about to pay."""
        key = await info.context.write(publication.unpublish_course, input.course_id)
        return await payload(info.context, CoursePayload, course=(courses_by_key, key))

    @mutation(has_permission("course:edit-own"))
    async def archive_course(self, info: Info, input: CourseIdInput) -> CoursePayload | None:
        """Put a published course away. Those who are enrolled keep it."""
        key = await info.context.write(publication.archive_course, input.course_id)
        return await payload(info.context, CoursePayload, course=(courses_by_key, key))

    @mutation(has_permission("course:edit-own"))
    async def delete_course(self, info: Info, input: CourseIdInput) -> DeletePayload | None:
        """Remove a draft with everything in it, for good, as long as nobody has enrolled or paid."""
        deleted = await info.context.write(courses.delete_course, input.course_id)
        return DeletePayload(deleted_id=strawberry.ID(deleted))
