"""Enrollments and progress, and where they hang on people and courses."""

from datetime import datetime
from typing import Annotated

import strawberry

from lms_graphql.accounts.reads.users import users_by_id
from lms_graphql.accounts.types import IsSelf, User
from lms_graphql.catalog.models import EnrollmentSource, EnrollmentStatus
from lms_graphql.catalog.reads.courses import courses_by_id
from lms_graphql.catalog.reads.curriculum import lectures_by_id
from lms_graphql.catalog.types import Course, IsCourseStaff, Lecture
from lms_graphql.core.paging import Slice
from lms_graphql.graph.connections import After, Before, Connection, First, Last
from lms_graphql.graph.context import Info
from lms_graphql.graph.describing import described, expose, object_type, resolver
from lms_graphql.graph.edges import edge
from lms_graphql.graph.mutations import UserError, no_errors
from lms_graphql.graph.node import Node
from lms_graphql.graph.permissions import door
from lms_graphql.learning.reads import enrollments, progress
from lms_graphql.learning.reads.certificates import certificates_by_enrollment
from lms_graphql.learning.types.certificates import Certificate

expose(
    EnrollmentStatus,
    "What an enrollment gives now.",
    ACTIVE="Access.",
    COMPLETED="Access; everything required is done.",
    EXPIRED="Access was for a time, which is over.",
    CANCELLED="Given up; what was done is kept.",
    REFUNDED="Paid back; what was done is kept.",
    SUSPENDED="Access is taken away for now.",
)
expose(
    EnrollmentSource,
    "How someone came into a course.",
    FREE="It costs nothing.",
    PURCHASE="It was paid for.",
    GRANT="Course staff let them in.",
)

OfStatus = Annotated[EnrollmentStatus | None, strawberry.argument(description="Only those that read so now.")]


@object_type
class LectureProgress(Node):
    """What someone has done of a lecture since they first opened it."""

    is_completed: bool = described("Whether it counts as done.")
    watch_seconds: int = described("Distinct seconds of the lecture that were watched; never falls.")
    position_seconds: int = described("Where they were when last seen.")
    started_at: datetime = described("When they first opened it.")
    completed_at: datetime | None = described("When it was done.")
    last_accessed_at: datetime = described("When they were last seen in it.")
    lecture_key: strawberry.Private[int]

    @resolver()
    def lecture(self, info: Info) -> Lecture:
        """The lecture."""
        return info.context.one(lectures_by_id, self.lecture_key)


@object_type
class CourseProgress:
    """What someone has done of a course."""

    id: strawberry.ID = described("Opaque, and unique across all types; `node` does not know it.")
    percent: float = described(
        "0 to 100 with two decimals, rounded half up, never 100 before everything required is done."
    )
    completed_lectures: int = described("Lectures that are done.")
    total_lectures: int = described("Lectures that there are to do.")
    passed_quizzes: int = described("Passed ones of the quizzes that no lecture carries.")
    total_quizzes: int = described("Published quizzes that no lecture carries.")
    watch_seconds: int = described("Distinct seconds of its lectures that were watched.")
    updated_at: datetime = described("When it last changed.")
    key: strawberry.Private[int]

    @resolver()
    async def current_lecture(self, info: Info) -> Lecture | None:
        """Where to go on: the last lecture opened, or the next one to do."""
        lecture = await info.context.fetch(progress.current_lectures_by_enrollment, self.key)
        return None if lecture is None else await info.context.fetch(lectures_by_id, lecture)

    @resolver()
    def lectures(self, info: Info) -> list[LectureProgress]:
        """Of each lecture that was opened, in the course's order."""
        return info.context.many(progress.lectures_by_enrollment, self.key)


@object_type
class Enrollment(Node):
    """Someone's place in a course, for ever. Seen by the person and by course staff."""

    status: EnrollmentStatus = described("What it gives now.")
    source: EnrollmentSource = described("How they came into the course.")
    enrolled_at: datetime = described("When they first enrolled.")
    completed_at: datetime | None = described("When they had done everything that the course required.")
    access_expires_at: datetime | None = described("When access ends; null: never.")
    last_accessed_at: datetime | None = described("When they were last seen in the course.")
    user_key: strawberry.Private[int]
    course_key: strawberry.Private[int]

    @resolver()
    def user(self, info: Info) -> User:
        """Who learns."""
        return info.context.one(users_by_id, self.user_key)

    @resolver()
    def course(self, info: Info) -> Course:
        """What they learn."""
        return info.context.one(courses_by_id, self.course_key)

    @resolver(name="progress")
    def course_progress(self, info: Info) -> CourseProgress:
        """How far they have come."""
        return info.context.one(progress.progress_by_enrollment, self.key)

    @resolver(name="certificate")
    def its_certificate(self, info: Info) -> Certificate | None:
        """What was issued for completing the course; null before that."""
        return info.context.one(certificates_by_enrollment, self.key)


@object_type
class EnrollmentPayload:
    """What came of it."""

    enrollment: Enrollment | None = described("The enrollment as it is now.", default=None)
    errors: list[UserError] = no_errors()


@edge(Lecture)
def viewer_progress(lecture: strawberry.Parent[Lecture], info: Info) -> LectureProgress | None:
    """The viewer's own. Null for a viewer without an enrollment, or before the first contact."""
    if not info.context.actor.is_signed_in:
        return None
    return info.context.one(progress.viewer_progress_by_lecture, lecture.key)


@edge(Course)
def viewer_enrollment(course: strawberry.Parent[Course], info: Info) -> Enrollment | None:
    """The viewer's enrollment, whatever its status."""
    if not info.context.actor.is_signed_in:
        return None
    return info.context.one(enrollments.viewer_enrollments_by_course, course.key)


@edge(Course, name="enrollments", extensions=[door(IsCourseStaff)])
def enrollments_of_course(
    course: strawberry.Parent[Course],
    info: Info,
    status: OfStatus = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[Enrollment] | None:
    """Course staff only: who has ever enrolled, the newest first."""
    listing = enrollments.enrollments_of_course(status)
    return info.context.page(listing, Slice(first, after, last, before), course.key)


@edge(User, name="enrollments", extensions=[door(IsSelf)])
def enrollments_of_user(
    user: strawberry.Parent[User],
    info: Info,
    status: OfStatus = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[Enrollment] | None:
    """(self) What they have ever enrolled in, the newest first."""
    listing = enrollments.enrollments_of_user(info.context.actor.scope, status)
    return info.context.page(listing, Slice(first, after, last, before), user.key)


@object_type
class LectureProgressPayload:
    """What came of it."""

    progress: LectureProgress | None = described("What is done of the lecture now.", default=None)
    enrollment: Enrollment | None = described("The enrollment as it is now.", default=None)
    errors: list[UserError] = no_errors()
