"""Figures for those who teach: of an instructor, of a course and of its lectures."""

from datetime import datetime

import strawberry

from lms_graphql.accounts.types import IsSelf, User
from lms_graphql.analytics.reads import analytics
from lms_graphql.analytics.reads.revenue import stored_revenue_by_course
from lms_graphql.billing.reads.revenue import Revenue, live_revenue_by_course
from lms_graphql.catalog.reads.curriculum import lectures_by_key
from lms_graphql.catalog.types.course import Course, IsCourseStaff
from lms_graphql.catalog.types.lecture import Lecture
from lms_graphql.core import money
from lms_graphql.core.actor import Role
from lms_graphql.core.pagination import PageArguments
from lms_graphql.discussion.reads import questions
from lms_graphql.discussion.types import QAQuestion
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.connections import After, Before, Connection, First, Last
from lms_graphql.graph.schema.fields import field, object_type, resolver_field
from lms_graphql.graph.schema.permissions import require
from lms_graphql.graph.schema.scalars import Money
from lms_graphql.graph.schema.type_extensions import extend_type


@object_type
class LectureAnalytics:
    """How a lecture is taken."""

    started_count: int = field("People who have opened it.")
    completed_count: int = field("People who have done it.")
    average_watch_seconds: float = field("Distinct seconds watched by those who have opened it, on average.")
    lecture_key: strawberry.Private[int]

    @resolver_field()
    def lecture(self, info: Info) -> Lecture:
        """The lecture."""
        return info.context.load(lectures_by_key, self.lecture_key)


@object_type
class CourseAnalytics:
    """How a course goes. Counted from time to time, when something has changed."""

    id: strawberry.ID = field("Opaque, and unique across all types; `node` does not know it.")
    as_of: datetime = field("Figures are at most five minutes older than this says.")
    enrollment_count: int = field("People who have ever enrolled.")
    active_count: int = field("Those of them who may learn and have not finished yet.")
    completion_count: int = field("Those of them who have finished, whatever became of their access.")
    average_progress_percent: float = field("Of all who have ever enrolled, with two decimals; 0 of nobody.")
    key: strawberry.Private[int]
    is_stored: strawberry.Private[bool]

    @resolver_field()
    async def gross_revenue(self, info: Info) -> list[Money]:
        """Payments received, including those refunded later: one amount per currency, ordered by currency."""
        return _amounts({revenue.currency: revenue.gross for revenue in await _revenue(self, info)})

    @resolver_field()
    async def refunded_revenue(self, info: Info) -> list[Money]:
        """Payments refunded: one amount per currency, ordered by currency."""
        return _amounts({revenue.currency: revenue.refunded for revenue in await _revenue(self, info)})

    @resolver_field()
    def lectures(self, info: Info) -> list[LectureAnalytics]:
        """Each lecture of the course, in their order."""
        read = analytics.stored_lectures_by_course if self.is_stored else analytics.live_lectures_by_course
        return info.context.load_list(read, self.key)


@object_type
class InstructorDashboard:
    """What an instructor teaches, and to how many."""

    id: strawberry.ID = field("Opaque, and unique across all types; `node` does not know it.")
    course_count: int = field("Courses, whatever their status.")
    learner_count: int = field("Distinct people with access to any of the instructor's courses.")
    enrollment_count: int = field("Enrollments in them ever, whatever their status.")
    completion_count: int = field("Enrollments that were completed.")
    key: strawberry.Private[int]

    @resolver_field()
    def open_questions(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[QAQuestion]:
        """Q&A questions without an instructor's or accepted answer, oldest first."""
        listing = questions.open_questions_of_instructor()
        return info.context.page(listing, PageArguments(first, after, last, before), self.key)


@extend_type(Course, name="analytics", extensions=[require(IsCourseStaff)])
def analytics_of_course(course: strawberry.Parent[Course], info: Info) -> CourseAnalytics | None:
    """Course staff only: how the course goes."""
    return info.context.load(analytics.analytics_by_course, course.key)


@extend_type(User, extensions=[require(IsSelf)])
def teaching(user: strawberry.Parent[User], info: Info) -> InstructorDashboard | None:
    """(self) Figures for the instructor's dashboard; null for a learner."""
    return None if user.role is Role.LEARNER else info.context.load(analytics.dashboards_by_user, user.key)


async def _revenue(analytics: CourseAnalytics, info: Info) -> list[Revenue]:
    read = stored_revenue_by_course if analytics.is_stored else live_revenue_by_course
    return await info.context.load_async(read, analytics.key) or []


def _amounts(units: dict[str, int]) -> list[Money]:
    amounts: list[object] = [money.Money(number, currency) for currency, number in units.items() if number]
    return amounts  # type: ignore[return-value]
