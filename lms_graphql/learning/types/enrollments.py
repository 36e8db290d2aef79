"""GraphQL types of enrollments and progress, and the fields that they add to users, courses and lectures."""

from datetime import datetime
from typing import Annotated

import strawberry

from lms_graphql.accounts.reads.users import users_by_key
from lms_graphql.accounts.types import IsSelfOrSuperAdmin, User
from lms_graphql.catalog.models import EnrollmentSource, EnrollmentStatus
from lms_graphql.catalog.reads.courses import courses_by_key
from lms_graphql.catalog.reads.curriculum import lectures_by_key
from lms_graphql.catalog.types.course import Course, IsCourseStaff
from lms_graphql.catalog.types.lecture import Lecture
from lms_graphql.certificates.reads import certificates_by_enrollment
from lms_graphql.certificates.types import Certificate
from lms_graphql.core.pagination import PageArguments
from lms_graphql.core.search_terms import parse_search
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.connections import After, Before, Connection, First, Last
from lms_graphql.graph.schema.fields import expose_enum, field, object_type, resolver_field
from lms_graphql.graph.schema.mutations import UserError, errors_field
from lms_graphql.graph.schema.node import Node
from lms_graphql.graph.schema.permissions import require
from lms_graphql.graph.schema.type_extensions import extend_type
from lms_graphql.learning.reads import enrollments, progress
from lms_graphql.learning.reads.enrollments import EnrollmentOrder

expose_enum(
    EnrollmentStatus,
    "Status of an enrollment.",
    ACTIVE="Grants access.",
    COMPLETED="Grants access; everything required is done.",
    EXPIRED="Access has ended.",
    CANCELLED="Cancelled by the learner or course staff; progress remains.",
    REFUNDED="The purchase was refunded; progress remains.",
    SUSPENDED="Access is suspended.",
)
expose_enum(
    EnrollmentSource,
    "How a learner came to be enrolled.",
    FREE="The course was free.",
    PURCHASE="The learner bought the course.",
    GRANT="Course staff granted access.",
)

expose_enum(
    EnrollmentOrder,
    "Sort order of enrollments.",
    NEWEST="By `enrolledAt`, newest first.",
    OLDEST="By `enrolledAt`, oldest first.",
    LAST_ACCESSED="By `lastAccessedAt`, latest first; null comes last.",
    MOST_PROGRESS="Highest `progress.percent` first.",
    LEAST_PROGRESS="Lowest `progress.percent` first.",
)

StatusFilter = Annotated[
    EnrollmentStatus | None, strawberry.argument(description="Only enrollments with this status.")
]
OrderBy = Annotated[EnrollmentOrder | None, strawberry.argument(description="Sort order (default NEWEST).")]
NameSearch = Annotated[
    str | None,
    strawberry.argument(
        description="Words of the learner's first and last name, at most 200 characters. All must match, the last as "
        "a prefix. Deleted users are not found."
    ),
]


@object_type
class LectureProgress(Node):
    """A user's progress in a lecture that they have opened."""

    is_completed: bool = field("Whether the lecture is completed.")
    watch_seconds: int = field("Seconds of the lecture that were watched, each counted once. Never decreases.")
    position_seconds: int = field("Last position of the player, in seconds.")
    started_at: datetime = field("When the user first opened the lecture.")
    completed_at: datetime | None = field("When the lecture was completed; null if it is not.")
    last_accessed_at: datetime = field("When the user last reported or changed progress in the lecture.")
    lecture_key: strawberry.Private[int]

    @resolver_field()
    def lecture(self, info: Info) -> Lecture:
        """The lecture."""
        return info.context.load(lectures_by_key, self.lecture_key)


@object_type
class CourseProgress:
    """A user's progress in a course."""

    id: strawberry.ID = field("Opaque id, unique across all types. `node` returns null for it.")
    percent: float = field("Completion from 0 to 100, with two decimals. 100 only if everything required is done.")
    completed_lectures: int = field("Number of completed lectures.")
    total_lectures: int = field("Number of required lectures.")
    passed_quizzes: int = field("Number of passed course-level quizzes (quizzes that belong to no lecture).")
    total_quizzes: int = field("Number of published course-level quizzes (quizzes that belong to no lecture).")
    watch_seconds: int = field("Seconds of lectures that were watched, each counted once. Includes deleted lectures.")
    updated_at: datetime = field("When this progress last changed.")
    key: strawberry.Private[int]

    @resolver_field()
    async def current_lecture(self, info: Info) -> Lecture | None:
        """
        Lecture to continue with: the one opened last. If it was removed, or completed before everything required was
        done, the first incomplete lecture of the course; null if there is none.
        """
        lecture = await info.context.load_async(progress.current_lectures_by_enrollment, self.key)
        return None if lecture is None else await info.context.load_async(lectures_by_key, lecture)

    @resolver_field()
    def lectures(self, info: Info) -> list[LectureProgress]:
        """Progress in each lecture that was opened, in the order of the course."""
        return info.context.load_list(progress.lectures_by_enrollment, self.key)


@object_type
class Enrollment(Node):
    """The enrollment of a user in a course. It is never deleted. Visible to the user and to course staff."""

    status: EnrollmentStatus = field("Status.")
    source: EnrollmentSource = field("How the user came to be enrolled.")
    enrolled_at: datetime = field("When the user first enrolled.")
    completed_at: datetime | None = field("When the course was completed; null if it never was.")
    access_expires_at: datetime | None = field("When access ends; null if it never ends.")
    last_accessed_at: datetime | None = field("When the user was last active in the course; null if never.")
    user_key: strawberry.Private[int]
    course_key: strawberry.Private[int]

    @resolver_field()
    def user(self, info: Info) -> User:
        """The enrolled user."""
        return info.context.load(users_by_key, self.user_key)

    @resolver_field()
    def course(self, info: Info) -> Course:
        """The course."""
        return info.context.load(courses_by_key, self.course_key)

    @resolver_field(name="progress")
    def course_progress(self, info: Info) -> CourseProgress:
        """Progress in the course."""
        return info.context.load(progress.progress_by_enrollment, self.key)

    @resolver_field(name="certificate")
    def course_certificate(self, info: Info) -> Certificate | None:
        """Certificate of completion; null if none was issued."""
        return info.context.load(certificates_by_enrollment, self.key)


@object_type
class EnrollmentPayload:
    """Result of enrolling or cancelling: the enrollment, or errors."""

    enrollment: Enrollment | None = field("The enrollment after the change; null if there are errors.", default=None)
    errors: list[UserError] = errors_field()


@extend_type(Lecture)
def viewer_progress(lecture: strawberry.Parent[Lecture], info: Info) -> LectureProgress | None:
    """The viewer's progress in the lecture; null without an enrollment, or if the viewer never opened it."""
    if not info.context.actor.is_signed_in:
        return None
    return info.context.load(progress.viewer_progress_by_lecture, lecture.key)


@extend_type(Course)
def viewer_enrollment(course: strawberry.Parent[Course], info: Info) -> Enrollment | None:
    """The viewer's enrollment, whatever its status; null if there is no enrollment."""
    if not info.context.actor.is_signed_in:
        return None
    return info.context.load(enrollments.viewer_enrollments_by_course, course.key)


@extend_type(Course, name="enrollments", extensions=[require(IsCourseStaff)])
def enrollments_of_course(
    course: strawberry.Parent[Course],
    info: Info,
    status: StatusFilter = None,
    search: NameSearch = None,
    order_by: OrderBy = EnrollmentOrder.NEWEST,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[Enrollment] | None:
    """Course staff only. Enrollments in the course."""
    query = enrollments.enrollments_of_course(status, parse_search(search), order_by or EnrollmentOrder.NEWEST)
    return info.context.page(query, PageArguments(first, after, last, before), course.key)


@extend_type(User, name="enrollments", extensions=[require(IsSelfOrSuperAdmin)])
def enrollments_of_user(
    user: strawberry.Parent[User],
    info: Info,
    status: StatusFilter = None,
    order_by: OrderBy = EnrollmentOrder.NEWEST,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[Enrollment] | None:
    """The user and super admins only. Enrollments of the user."""
    access_level = info.context.actor.access_level
    query = enrollments.enrollments_of_user(access_level, status, order_by or EnrollmentOrder.NEWEST)
    return info.context.page(query, PageArguments(first, after, last, before), user.key)


@object_type
class LectureProgressPayload:
    """Result of changing progress in a lecture: the progress and the enrollment, or errors."""

    progress: LectureProgress | None = field("Progress in the lecture; null if there are errors.", default=None)
    enrollment: Enrollment | None = field("The enrollment after the change; null if there are errors.", default=None)
    errors: list[UserError] = errors_field()
