"""Mutations of progress in lectures."""

from typing import Any

import strawberry

from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.mutations import mutation
from lms_graphql.graph.schema.permissions import IsSignedIn
from lms_graphql.learning.services import lecture_progress
from lms_graphql.learning.types.enrollments import LectureProgressPayload


@input_type()
class WatchedRangeInput:
    """A part of a lecture that was played."""

    start_seconds: float = field("Start, in seconds from the start of the lecture, rounded down.")
    end_seconds: float = field(
        "End, in seconds from the start of the lecture, rounded down. The second that begins there is not included."
    )


@input_type()
class RecordLectureProgressInput:
    """A report of a player, sent every few seconds: the ranges that were played since its last report.

    Fractions of seconds are rounded down.
    """

    lecture_id: strawberry.ID = field("Id of the lecture.")
    position_seconds: float = field(
        "Current position of the player, in seconds, rounded down. A position outside the lecture becomes its start "
        "or end, unless the duration of a video is unknown."
    )
    watched: list[WatchedRangeInput] = field("Ranges in the order in which they were played (at most 100).")


@input_type()
class SetLectureCompletedInput:
    """A lecture to mark as completed or not completed."""

    lecture_id: strawberry.ID = field("Id of the lecture, which cannot be of type QUIZ.")
    is_completed: bool = field("Whether the lecture is completed.")


def progress_payload(result: lecture_progress.ProgressResult) -> LectureProgressPayload:
    """Return the payload with the rows as they were written. Rows serve as objects, so nothing is read again."""
    progress: Any = result.progress
    enrollment: Any = result.enrollment
    return LectureProgressPayload(progress=progress, enrollment=enrollment)


@strawberry.type
class ProgressMutations:
    @mutation(IsSignedIn)
    async def record_lecture_progress(
        self, info: Info, input: RecordLectureProgressInput
    ) -> LectureProgressPayload | None:
        """
        Record which ranges of a lecture were played. Only users with an enrollment that grants access can do this.
        Ranges are clipped to the lecture, unless the duration of a video is unknown (0). A report adds at most twice
        the time since the last report in the course, or since the enrollment, plus unused credit. At most 10 seconds
        of credit remain for the next report; as much is there at the start. Seconds beyond the credit are ignored. A
        video is completed once 90 % of it (default) were watched. Reports may arrive in any order: watched seconds
        never decrease.

        Seconds may have fractions. Both ends of a range are rounded down, so a second counts once its end was played.
        Consecutive ranges that begin where the last one ended lose nothing.

        Returns NOT_ENROLLED without access, LIMIT_REACHED for more than 100 ranges, INVALID for a range that ends
        before its start, and OUT_OF_RANGE for seconds beyond 2,147,483,647.
        """
        ranges = [(watched_range.start_seconds, watched_range.end_seconds) for watched_range in input.watched]
        values = (input.lecture_id, input.position_seconds, ranges, info.context.settings)
        return progress_payload(await info.context.write(lecture_progress.record_lecture_progress, *values))

    @mutation(IsSignedIn)
    async def set_lecture_completed(
        self, info: Info, input: SetLectureCompletedInput
    ) -> LectureProgressPayload | None:
        """
        Mark a lecture as completed or not completed. Only users with an enrollment that grants access can do this. A
        QUIZ lecture is completed only by passing its quiz. A completed course stays completed, with its certificate.

        Returns NOT_ENROLLED without access, and INVALID for a QUIZ lecture.
        """
        values = (input.lecture_id, input.is_completed, info.context.settings)
        return progress_payload(await info.context.write(lecture_progress.set_lecture_completed, *values))
