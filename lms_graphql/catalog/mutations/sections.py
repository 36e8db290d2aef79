"""Sections are written, arranged and taken out."""

import strawberry

from lms_graphql.accounts.types import has_permission
from lms_graphql.catalog.reads.courses import courses_by_key
from lms_graphql.catalog.reads.curriculum import sections_by_key
from lms_graphql.catalog.services import sections
from lms_graphql.catalog.types.payloads import CoursePayload, SectionPayload
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.mutations import DeletePayload, mutation, payload, provided_fields


@input_type()
class CreateSectionInput:
    """A section to come."""

    course_id: strawberry.ID = field("The course it is for.")
    title: str = field("What it is called, at most 200 characters.")
    description: str | None = field("What it is about, at most 10,000 characters.", default=None)
    position: int | None = field("From 0 within the course; at the end, where left out.", default=None)


@input_type()
class UpdateSectionInput:
    """A field left out stays as it is; null empties it, where it can be empty."""

    section_id: strawberry.ID = field("Which one.")
    title: strawberry.Maybe[str | None] = field("What it is called, at most 200 characters.", default=None)
    description: strawberry.Maybe[str | None] = field("What it is about, at most 10,000 characters.", default=None)


@input_type()
class SectionIdInput:
    """A section."""

    section_id: strawberry.ID = field("Which one.")


@input_type()
class ReorderSectionsInput:
    """A course's sections in a new order."""

    course_id: strawberry.ID = field("Whose sections.")
    expected_version: int | None = field(
        "The course's `version` when its order was looked at; where it has grown since, nothing is changed.",
        default=None,
    )
    section_ids: list[strawberry.ID] = field("All of the course's sections, in their new order.")


@strawberry.type
class SectionMutations:
    @mutation(has_permission("course:edit-own"))
    async def create_section(self, info: Info, input: CreateSectionInput) -> SectionPayload | None:
        """Add a section to a course, for its instructor. At most 100 a course."""
        context, said = info.context, {"title": input.title, "description": input.description}
        key = await context.write(sections.create_section, input.course_id, said, input.position)
        return await payload(context, SectionPayload, section=(sections_by_key, key))

    @mutation(has_permission("course:edit-own"))
    async def update_section(self, info: Info, input: UpdateSectionInput) -> SectionPayload | None:
        """Change what a section says of itself, for the course's instructor."""
        context = info.context
        key = await context.write(sections.update_section, input.section_id, provided_fields(input))
        return await payload(context, SectionPayload, section=(sections_by_key, key))

    @mutation(has_permission("course:edit-own"))
    async def delete_section(self, info: Info, input: SectionIdInput) -> DeletePayload | None:
        """
        Take a section out with all its lectures, for the course's instructor. Notes, questions and progress stay with
        those they belong to.
        """
        deleted = await info.context.write(sections.delete_section, input.section_id)
        return DeletePayload(deleted_id=strawberry.ID(deleted))

    @mutation(has_permission("course:edit-own"))
    async def reorder_sections(self, info: Info, input: ReorderSectionsInput) -> CoursePayload | None:
        """Bring all sections of a course into a new order, for its instructor."""
        context, order = info.context, (input.section_ids, input.expected_version)
        key = await context.write(sections.reorder_sections, input.course_id, *order)
        return CoursePayload(course=await context.load_async(courses_by_key, key))
