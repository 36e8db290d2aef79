"""Lectures are arranged and taken out. They are written one floor above: one may carry a quiz."""

import strawberry

from lms_graphql.accounts.types import has_permission
from lms_graphql.catalog.reads.curriculum import lectures_by_key, sections_by_key
from lms_graphql.catalog.services import lectures
from lms_graphql.catalog.types.payloads import LecturePayload, SectionPayload
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.mutations import DeletePayload, mutation, payload


@input_type()
class LectureIdInput:
    """A lecture."""

    lecture_id: strawberry.ID = field("Which one.")


@input_type()
class MoveLectureInput:
    """A new place for a lecture."""

    lecture_id: strawberry.ID = field("Which one.")
    section_id: strawberry.ID = field("Where to: its own section, or another of the same course.")
    position: int = field("From 0 within that section; beyond the end is the end.")


@input_type()
class ReorderLecturesInput:
    """A section's lectures in a new order."""

    section_id: strawberry.ID = field("Whose lectures.")
    expected_version: int | None = field(
        "The course's `version` when its order was looked at; where it has grown since, nothing is changed.",
        default=None,
    )
    lecture_ids: list[strawberry.ID] = field("All of the section's lectures, in their new order.")


@strawberry.type
class LectureMutations:
    @mutation(has_permission("course:edit-own"))
    async def delete_lecture(self, info: Info, input: LectureIdInput) -> DeletePayload | None:
        """
        Take a lecture out, for the course's instructor. Notes, questions and progress stay with those they belong to;
        its quiz stays with the course.
        """
        deleted = await info.context.write(lectures.delete_lecture, input.lecture_id)
        return DeletePayload(deleted_id=strawberry.ID(deleted))

    @mutation(has_permission("course:edit-own"))
    async def move_lecture(self, info: Info, input: MoveLectureInput) -> LecturePayload | None:
        """Put a lecture elsewhere in its section, or into another of the course, for the course's instructor."""
        context = info.context
        key = await context.write(lectures.move_lecture, input.lecture_id, input.section_id, input.position)
        return await payload(context, LecturePayload, lecture=(lectures_by_key, key))

    @mutation(has_permission("course:edit-own"))
    async def reorder_lectures(self, info: Info, input: ReorderLecturesInput) -> SectionPayload | None:
        """Bring all lectures of a section into a new order, for the course's instructor."""
        context, order = info.context, (input.lecture_ids, input.expected_version)
        key = await context.write(lectures.reorder_lectures, input.section_id, *order)
        return await payload(context, SectionPayload, section=(sections_by_key, key))
