"""Mutations of courses, for their instructors and super admins."""

from decimal import Decimal

import strawberry

from lms_graphql.accounts.types import has_permission
from lms_graphql.catalog.models import DifficultyLevel
from lms_graphql.catalog.reads.courses import courses_by_key
from lms_graphql.catalog.services import courses, instructors, publication
from lms_graphql.catalog.types.payloads import CoursePayload
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.idempotency import IDEMPOTENCY_KEY, created_payload, once
from lms_graphql.graph.schema.mutations import DeletePayload, mutation, payload, provided_fields

TITLE = "Title, at most 200 characters."
DESCRIPTION = "Description in Markdown, at most 10,000 characters. A course needs one to be published."
SHORT_DESCRIPTION = "Summary in a sentence or two, at most 500 characters."
CATEGORY = "Id of the category. A course needs one to be published."
PRICE = (
    "Price, 0 for a free course. It has at most as many decimals as the currency. "
    "The maximum is 99,999,999,999 of the smallest unit, e.g. 999999999.99 USD."
)
DIFFICULTY = "Previous knowledge that the course expects."
LANGUAGE = "Language of the course as a BCP 47 tag, e.g. en or pt-BR."
THUMBNAIL_URL = "URL of the course's picture, with http or https."
PREVIEW_VIDEO_URL = "URL of the course's trailer, with http or https."
ALLOW_QA = "Whether learners may ask and answer questions in the course."
ALLOW_NOTES = "Whether learners may take notes in the course."


@input_type()
class CreateCourseInput:
    """A course to create. Null has the same meaning as an omitted field."""

    title: str = field(TITLE)
    description: str = field(DESCRIPTION)
    short_description: str | None = field(SHORT_DESCRIPTION, default=None)
    category_id: strawberry.ID | None = field(CATEGORY, default=None)
    price: Decimal | None = field(PRICE, default=Decimal(0))
    currency: str | None = field(
        "ISO 4217 code of the price's currency (default: the platform's). It cannot be changed later.",
        default=None,
    )
    difficulty: DifficultyLevel | None = field(DIFFICULTY, default=DifficultyLevel.BEGINNER)
    language: str | None = field(LANGUAGE, default="en")
    thumbnail_url: str | None = field(THUMBNAIL_URL, default=None)
    preview_video_url: str | None = field(PREVIEW_VIDEO_URL, default=None)
    allow_qa: bool | None = field(ALLOW_QA, default=True)
    allow_notes: bool | None = field(ALLOW_NOTES, default=True)
    idempotency_key: str | None = field(IDEMPOTENCY_KEY, default=None)
    instructor_id: strawberry.ID | None = field(
        "Id of the user who teaches the course (default: the viewer). Only super admins may name another user, who "
        "must be active and an instructor or a super admin.",
        default=None,
    )


@input_type()
class CourseIdInput:
    """The course that the mutation is about."""

    course_id: strawberry.ID = field("Id of the course.")


@input_type()
class TransferCourseInput(CourseIdInput):
    """A course and its new instructor."""

    instructor_id: strawberry.ID = field(
        "Id of the user to whom the course is given. They must be active, and an instructor or a super admin."
    )


@input_type()
class UpdateCourseInput(CourseIdInput):
    """
    Fields to change. An omitted field keeps its value; null clears a field that can be empty. If no value differs,
    the course keeps its version.
    """

    expected_version: int | None = field(
        "The course's `version` that the change is based on. If it is outdated, the error is STALE_VERSION.",
        default=None,
    )
    title: strawberry.Maybe[str | None] = field(TITLE, default=None)
    description: strawberry.Maybe[str | None] = field(DESCRIPTION, default=None)
    short_description: strawberry.Maybe[str | None] = field(SHORT_DESCRIPTION, default=None)
    category_id: strawberry.Maybe[strawberry.ID | None] = field(CATEGORY, default=None)
    price: strawberry.Maybe[Decimal | None] = field(PRICE, default=None)
    difficulty: strawberry.Maybe[DifficultyLevel | None] = field(DIFFICULTY, default=None)
    language: strawberry.Maybe[str | None] = field(LANGUAGE, default=None)
    thumbnail_url: strawberry.Maybe[str | None] = field(THUMBNAIL_URL, default=None)
    preview_video_url: strawberry.Maybe[str | None] = field(PREVIEW_VIDEO_URL, default=None)
    allow_qa: strawberry.Maybe[bool | None] = field(ALLOW_QA, default=None)
    allow_notes: strawberry.Maybe[bool | None] = field(ALLOW_NOTES, default=None)
    is_featured: strawberry.Maybe[bool | None] = field(
        "Super admins only. Whether the platform recommends the course.", default=None
    )


@strawberry.type
class CourseMutations:
    @mutation(has_permission("course:create"))
    async def create_course(self, info: Info, input: CreateCourseInput) -> CoursePayload | None:
        """
        Create a course as a draft, with the viewer as its instructor. Only instructors and super admins can do this.
        Super admins can create it for another instructor.
        """
        context = info.context
        fields = {name: value for name, value in vars(input).items() if name != "idempotency_key"}
        values = {name: value for name, value in fields.items() if value is not None}
        create = once(info, input, courses.create_course)
        key = await context.write(create, context.settings.currency, values)
        return await created_payload(context, input, CoursePayload, course=(courses_by_key, key))

    @mutation(has_permission("course:edit-own"))
    async def update_course(self, info: Info, input: UpdateCourseInput) -> CoursePayload | None:
        """
        Update the fields of a course. Only the course's instructor and super admins can do this. Until the first
        publication, a new title also changes the slug.

        Returns STALE_VERSION if `expectedVersion` is outdated, and NOT_READY if the course is published and would get
        a problem that blocks its publication.
        """
        context = info.context
        key = await context.write(
            courses.update_course, input.course_id, input.expected_version, provided_fields(input)
        )
        return await payload(context, CoursePayload, course=(courses_by_key, key))

    @mutation(has_permission("course:edit-own"))
    async def publish_course(self, info: Info, input: CourseIdInput) -> CoursePayload | None:
        """Publish a draft or archived course. Only the course's instructor and super admins can do this.

        Returns one NOT_READY error for each problem in `publishProblems`.
        """
        key = await info.context.write(publication.publish_course, input.course_id)
        return await payload(info.context, CoursePayload, course=(courses_by_key, key))

    @mutation(has_permission("course:edit-own"))
    async def unpublish_course(self, info: Info, input: CourseIdInput) -> CoursePayload | None:
        """Make a published course a draft again. Only the course's instructor and super admins can do this.

        Returns IN_USE if the course has enrollments or pending payments, and INVALID_TRANSITION if it is archived.
        """
        key = await info.context.write(publication.unpublish_course, input.course_id)
        return await payload(info.context, CoursePayload, course=(courses_by_key, key))

    @mutation(has_permission("course:edit-own"))
    async def archive_course(self, info: Info, input: CourseIdInput) -> CoursePayload | None:
        """
        Archive a published course. Only the course's instructor and super admins can do this. Enrolled users keep
        their access.

        Returns INVALID_TRANSITION if the course is a draft.
        """
        key = await info.context.write(publication.archive_course, input.course_id)
        return await payload(info.context, CoursePayload, course=(courses_by_key, key))

    @mutation(has_permission("course:transfer"))
    async def transfer_course(self, info: Info, input: TransferCourseInput) -> CoursePayload | None:
        """
        Give a course to another instructor. Only super admins can do this. If it is theirs already, nothing changes.

        Enrollments, earnings and certificates so far stay as they are: refunds of earlier sales reduce the earnings
        of the former instructor. A purchase that is completed after the transfer earns for the new one. Returns
        INVALID if the user may not teach.
        """
        key = await info.context.write(instructors.transfer_course, input.course_id, input.instructor_id)
        return await payload(info.context, CoursePayload, course=(courses_by_key, key))

    @mutation(has_permission("course:edit-own"))
    async def delete_course(self, info: Info, input: CourseIdInput) -> DeletePayload | None:
        """
        Delete a draft permanently, with all its content. Only the course's instructor and super admins can do this.

        Returns INVALID_TRANSITION if the course is not a draft, and IN_USE for each of: enrollments, quiz attempts,
        payments.
        """
        deleted = await info.context.write(courses.delete_course, input.course_id)
        return DeletePayload(deleted_id=strawberry.ID(deleted))
