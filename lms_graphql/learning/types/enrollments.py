"""Enrollments and progress, and where they hang on people and courses."""

from datetime import datetime
from typing import Annotated

import strawberry

from lms_graphql.accounts.reads.users import users_by_key
from lms_graphql.accounts.types import IsSelf, User
from lms_graphql.catalog.models import EnrollmentSource, EnrollmentStatus
from lms_graphql.catalog.reads.courses import courses_by_key
from lms_graphql.catalog.reads.curriculum import lectures_by_key
from lms_graphql.catalog.types.course import Course, IsCourseStaff
from lms_graphql.catalog.types.lecture import Lecture
from lms_graphql.certificates.reads import certificates_by_enrollment
from lms_graphql.certificates.types import Certificate
from lms_graphql.core.pagination import PageArguments
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.connections import After, Before, Connection, First, Last
from lms_graphql.graph.schema.fields import expose_enum, field, object_type, resolver_field
from lms_graphql.graph.schema.mutations import UserError, errors_field
from lms_graphql.graph.schema.node import Node
from lms_graphql.graph.schema.permissions import require
from lms_graphql.graph.schema.type_extensions import extend_type
from lms_graphql.learning.reads import enrollments, progress

expose_enum(
    EnrollmentStatus,
    "What an enrollment gives now.",
    ACTIVE="Access.",
    COMPLETED="Access; everything required is done.",
    EXPIRED="Access was for a time, which is over.",
    CANCELLED="Given up; what was done is kept.",
    REFUNDED="Paid back; what was done is kept.",
    SUSPENDED="Access is taken away for now.",
)
expose_enum(
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

    is_completed: bool = field("Whether it counts as done.")
    watch_seconds: int = field("Distinct seconds of the lecture that were watched; never falls.")
    position_seconds: int = field("Where they were when last seen.")
    started_at: datetime = field("When they first opened it.")
    completed_at: datetime | None = field("When it was done.")
    last_accessed_at: datetime = field("When they were last seen in it.")
    lecture_key: strawberry.Private[int]

    @resolver_field()
    def lecture(self, info: Info) -> Lecture:
        """The lecture."""
        return info.context.load(lectures_by_key, self.lecture_key)


@object_type
class CourseProgress:
    """What someone has done of a course."""

    id: strawberry.ID = field("Opaque, and unique across all types; `node` does not know it.")
    percent: float = field(
        "0 to 100 with two decimals, rounded half up, never 100 before everything required is done."
    )
    completed_lectures: int = field("Lectures that are done.")
    total_lectures: int = field("Lectures that there are to do.")
    passed_quizzes: int = field("Passed ones of the quizzes that no lecture carries.")
    total_quizzes: int = field("Published quizzes that no lecture carries.")
    watch_seconds: int = field("Distinct seconds of its lectures that were watched.")
    updated_at: datetime = field("When it last changed.")
    key: strawberry.Private[int]

    @resolver_field()
    async def current_lecture(self, info: Info) -> Lecture | None:
        """Where to go on: the last lecture opened, or the next one to do."""
        lecture = await info.context.load_async(progress.current_lectures_by_enrollment, self.key)
        return None if lecture is None else await info.context.load_async(lectures_by_key, lecture)

    @resolver_field()
    def lectures(self, info: Info) -> list[LectureProgress]:
        """Of each lecture that was opened, in the course's order."""
        return info.context.load_list(progress.lectures_by_enrollment, self.key)


@object_type
class Enrollment(Node):
    """Someone's place in a course, for ever. Seen by the person and by course staff."""

    status: EnrollmentStatus = field("What it gives now.")
    source: EnrollmentSource = field("How they came into the course.")
    enrolled_at: datetime = field("When they first enrolled.")
    completed_at: datetime | None = field("When they had done everything that the course required.")
    access_expires_at: datetime | None = field("When access ends; null: never.")
    last_accessed_at: datetime | None = field("When they were last seen in the course.")
    user_key: strawberry.Private[int]
    course_key: strawberry.Private[int]

    @resolver_field()
    def user(self, info: Info) -> User:
        """Who learns."""
        return info.context.load(users_by_key, self.user_key)

    @resolver_field()
    def course(self, info: Info) -> Course:
        """What they learn."""
        return info.context.load(courses_by_key, self.course_key)

    @resolver_field(name="progress")
    def course_progress(self, info: Info) -> CourseProgress:
        """How far they have come."""
        return info.context.load(progress.progress_by_enrollment, self.key)

    @resolver_field(name="certificate")
    def its_certificate(self, info: Info) -> Certificate | None:
        """What was issued for completing the course; null before that."""
        return info.context.load(certificates_by_enrollment, self.key)


@object_type
class EnrollmentPayload:
    """What came of it."""

    enrollment: Enrollment | None = field("The enrollment as it is now.", default=None)
    errors: list[UserError] = errors_field()


@extend_type(Lecture)
def viewer_progress(lecture: strawberry.Parent[Lecture], info: Info) -> LectureProgress | None:
    """The viewer's own. Null for a viewer without an enrollment, or before the first contact."""
    if not info.context.actor.is_signed_in:
        return None
    return info.context.load(progress.viewer_progress_by_lecture, lecture.key)


@extend_type(Course)
def viewer_enrollment(course: strawberry.Parent[Course], info: Info) -> Enrollment | None:
    """The viewer's enrollment, whatever its status."""
    if not info.context.actor.is_signed_in:
        return None
    return info.context.load(enrollments.viewer_enrollments_by_course, course.key)


@extend_type(Course, name="enrollments", extensions=[require(IsCourseStaff)])
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
    return info.context.page(listing, PageArguments(first, after, last, before), course.key)


@extend_type(User, name="enrollments", extensions=[require(IsSelf)])
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
    listing = enrollments.enrollments_of_user(info.context.actor.access_level, status)
    return info.context.page(listing, PageArguments(first, after, last, before), user.key)


@object_type
class LectureProgressPayload:
    """What came of it."""

    progress: LectureProgress | None = field("What is done of the lecture now.", default=None)
    enrollment: Enrollment | None = field("The enrollment as it is now.", default=None)
    errors: list[UserError] = errors_field()
