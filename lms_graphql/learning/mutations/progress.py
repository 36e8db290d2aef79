"""What is done in lectures."""

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
    """A stretch that was played."""

    start_seconds: int = field("The second of the lecture at which it starts.")
    end_seconds: int = field("The second at which it ends, which is no part of it.")


@input_type()
class RecordLectureProgressInput:
    """What a player reports every few seconds: the stretches of a lecture that were played since the last report."""

    lecture_id: strawberry.ID = field("Which lecture.")
    position_seconds: int = field("Where the player is now; cut to the lecture.")
    watched: list[WatchedRangeInput] = field("At most 100, in the order in which they were played.")


@input_type()
class SetLectureCompletedInput:
    """A lecture to tick, or to take the tick from."""

    lecture_id: strawberry.ID = field("Which lecture: any but those of the type QUIZ.")
    is_completed: bool = field("Whether it is done.")


def progress_payload(recorded: lecture_progress.ProgressResult) -> LectureProgressPayload:
    """As they were written, without another look: rows serve as objects."""
    progress: Any = recorded.progress
    enrollment: Any = recorded.enrollment
    return LectureProgressPayload(progress=progress, enrollment=enrollment)


@strawberry.type
class ProgressMutations:
    @mutation(IsSignedIn)
    async def record_lecture_progress(
        self, info: Info, input: RecordLectureProgressInput
    ) -> LectureProgressPayload | None:
        """
        Tell what was played of a lecture, with access by an enrollment. Cut off is what lies outside of the lecture,
        and what is more than twice the time since the last report in the course, and ten seconds. A video is done
        once 90 % of it were watched (the default). No figure falls, in whatever order reports come.
        """
        stretches = [(stretch.start_seconds, stretch.end_seconds) for stretch in input.watched]
        context, where = info.context, (input.lecture_id, input.position_seconds)
        return progress_payload(
            await context.write(lecture_progress.record_lecture_progress, *where, stretches, context.settings)
        )

    @mutation(IsSignedIn)
    async def set_lecture_completed(
        self, info: Info, input: SetLectureCompletedInput
    ) -> LectureProgressPayload | None:
        """
        Say by hand that a lecture is done, or that it is not, with access by an enrollment. A QUIZ lecture is done
        when its quiz is passed. To take it back leaves a completed course completed, and its certificate.
        """
        context, said = info.context, (input.lecture_id, input.is_completed)
        return progress_payload(await context.write(lecture_progress.set_lecture_completed, *said, context.settings))
