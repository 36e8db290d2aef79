"""Mutations of sections, for the course's instructor and super admins."""

import strawberry

from lms_graphql.accounts.types import has_permission
from lms_graphql.catalog.reads.courses import courses_by_key
from lms_graphql.catalog.reads.curriculum import sections_by_key
from lms_graphql.catalog.services import sections
from lms_graphql.catalog.types.payloads import CoursePayload, SectionPayload
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.idempotency import IDEMPOTENCY_KEY, created_payload, once
from lms_graphql.graph.schema.mutations import DeletePayload, mutation, payload, provided_fields

TITLE = "Title, at most 200 characters."
DESCRIPTION = "Description, at most 10,000 characters."
EXPECTED_VERSION = (
    "The section's `version` that the change is based on. If it is outdated, the error is STALE_VERSION."
)


@input_type()
class CreateSectionInput:
    """A section to create."""

    course_id: strawberry.ID = field("Id of the course.")
    title: str = field(TITLE)
    description: str | None = field(DESCRIPTION, default=None)
    position: int | None = field("Position within the course, from 0 (default: the end).", default=None)
    idempotency_key: str | None = field(IDEMPOTENCY_KEY, default=None)


@input_type()
class UpdateSectionInput:
    """Fields to change. An omitted field keeps its value; null clears the description."""

    section_id: strawberry.ID = field("Id of the section.")
    expected_version: int | None = field(EXPECTED_VERSION, default=None)
    title: strawberry.Maybe[str | None] = field(TITLE, default=None)
    description: strawberry.Maybe[str | None] = field(DESCRIPTION, default=None)


@input_type()
class SectionIdInput:
    """The section that the mutation is about."""

    section_id: strawberry.ID = field("Id of the section.")
    expected_version: int | None = field(EXPECTED_VERSION, default=None)


@input_type()
class ReorderSectionsInput:
    """The sections of a course in a new order."""

    course_id: strawberry.ID = field("Id of the course.")
    expected_version: int | None = field(
        "The course's `version` that the order is based on. If it is outdated, the error is STALE_VERSION.",
        default=None,
    )
    section_ids: list[strawberry.ID] = field("Ids of all sections of the course, each once, in the new order.")


@strawberry.type
class SectionMutations:
    @mutation(has_permission("course:edit-own"))
    async def create_section(self, info: Info, input: CreateSectionInput) -> SectionPayload | None:
        """Add a section to a course. Only the course's instructor and super admins can do this.

        Returns LIMIT_REACHED if the course has 100 sections.
        """
        context, values = info.context, {"title": input.title, "description": input.description}
        create = once(info, input, sections.create_section)
        key = await context.write(create, input.course_id, values, input.position)
        return await created_payload(context, input, SectionPayload, section=(sections_by_key, key))

    @mutation(has_permission("course:edit-own"))
    async def update_section(self, info: Info, input: UpdateSectionInput) -> SectionPayload | None:
        """Update the fields of a section. Only the course's instructor and super admins can do this.

        Returns STALE_VERSION if `expectedVersion` is outdated.
        """
        context, changes = info.context, provided_fields(input)
        key = await context.write(sections.update_section, input.section_id, input.expected_version, changes)
        return await payload(context, SectionPayload, section=(sections_by_key, key))

    @mutation(has_permission("course:edit-own"))
    async def delete_section(self, info: Info, input: SectionIdInput) -> DeletePayload | None:
        """
        Delete a section with all its lectures. Only the course's instructor and super admins can do this. Users keep
        their notes, questions and progress. Quizzes of the lectures become quizzes of the course.

        Returns STALE_VERSION if `expectedVersion` is outdated, and NOT_READY if the course is published and has no
        other lectures.
        """
        course = await info.context.write(sections.delete_section, input.section_id, input.expected_version)
        return DeletePayload(deleted_id=input.section_id, course_key=course)

    @mutation(has_permission("course:edit-own"))
    async def reorder_sections(self, info: Info, input: ReorderSectionsInput) -> CoursePayload | None:
        """Reorder all sections of a course. Only the course's instructor and super admins can do this.

        Returns INVALID if `sectionIds` is not exactly the course's sections, and STALE_VERSION if `expectedVersion`
        is outdated.
        """
        context = info.context
        key = await context.write(
            sections.reorder_sections, input.course_id, input.section_ids, input.expected_version
        )
        return await payload(context, CoursePayload, course=(courses_by_key, key))
