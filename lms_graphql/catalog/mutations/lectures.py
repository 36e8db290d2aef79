"""Mutations that delete, move and reorder lectures.

Create and update are in `assessment.mutations.lectures`, because they can give the lecture a quiz.
"""

import strawberry

from lms_graphql.accounts.types import has_permission
from lms_graphql.catalog.reads.curriculum import lectures_by_key, sections_by_key
from lms_graphql.catalog.services import lectures
from lms_graphql.catalog.types.payloads import LecturePayload, SectionPayload
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.mutations import DeletePayload, mutation, payload

EXPECTED_VERSION = (
    "The lecture's `version` that the change is based on. If it is outdated, the error is STALE_VERSION."
)


@input_type()
class LectureIdInput:
    """The lecture that the mutation is about."""

    lecture_id: strawberry.ID = field("Id of the lecture.")
    expected_version: int | None = field(EXPECTED_VERSION, default=None)


@input_type()
class MoveLectureInput:
    """A lecture and the place to move it to."""

    lecture_id: strawberry.ID = field("Id of the lecture.")
    expected_version: int | None = field(EXPECTED_VERSION, default=None)
    section_id: strawberry.ID = field("Id of the target: the lecture's section or another section of its course.")
    position: int = field("Position within the target section, from 0. A position beyond the end means the end.")


@input_type()
class ReorderLecturesInput:
    """The lectures of a section in a new order."""

    section_id: strawberry.ID = field("Id of the section.")
    expected_version: int | None = field(
        "The section's `version` that the order is based on. If it is outdated, the error is STALE_VERSION.",
        default=None,
    )
    lecture_ids: list[strawberry.ID] = field("Ids of all lectures of the section, each once, in the new order.")


@strawberry.type
class LectureMutations:
    @mutation(has_permission("course:edit-own"))
    async def delete_lecture(self, info: Info, input: LectureIdInput) -> DeletePayload | None:
        """
        Delete a lecture. Only the course's instructor and super admins can do this. Users keep their notes, questions
        and progress. The lecture's quiz becomes a quiz of the course.

        Returns STALE_VERSION if `expectedVersion` is outdated, and NOT_READY if it is the last lecture of a section
        of a published course. Delete the section instead.
        """
        course = await info.context.write(lectures.delete_lecture, input.lecture_id, input.expected_version)
        return DeletePayload(deleted_id=input.lecture_id, course_key=course)

    @mutation(has_permission("course:edit-own"))
    async def move_lecture(self, info: Info, input: MoveLectureInput) -> LecturePayload | None:
        """
        Move a lecture within its section or to another section of its course. Only the course's instructor and super
        admins can do this.

        Returns STALE_VERSION if `expectedVersion` is outdated, LIMIT_REACHED if the target has 200 lectures, and
        INVALID if it belongs to another course. In a published course, taking the last lecture out of a section is
        NOT_READY.
        """
        context, target = info.context, (input.section_id, input.position)
        key = await context.write(lectures.move_lecture, input.lecture_id, input.expected_version, *target)
        return await payload(context, LecturePayload, lecture=(lectures_by_key, key))

    @mutation(has_permission("course:edit-own"))
    async def reorder_lectures(self, info: Info, input: ReorderLecturesInput) -> SectionPayload | None:
        """Reorder all lectures of a section. Only the course's instructor and super admins can do this.

        Returns INVALID if `lectureIds` is not exactly the section's lectures, and STALE_VERSION if `expectedVersion`
        is outdated.
        """
        context = info.context
        key = await context.write(
            lectures.reorder_lectures, input.section_id, input.lecture_ids, input.expected_version
        )
        return await payload(context, SectionPayload, section=(sections_by_key, key))
