"""GraphQL types of the statistics of courses, lectures and instructors, and the fields that return them."""

from datetime import datetime
from typing import Annotated

import strawberry

from lms_graphql.accounts.types import IsSelfOrSuperAdmin, User
from lms_graphql.analytics.reads import analytics
from lms_graphql.analytics.reads.revenue import stored_revenue_by_course
from lms_graphql.assessment.reads import attempts
from lms_graphql.assessment.types.attempts import QuizAttempt
from lms_graphql.billing.earning_status import EarningStatus
from lms_graphql.billing.reads.balances import balances_by_instructor
from lms_graphql.billing.reads.earnings import earnings_of_instructor
from lms_graphql.billing.reads.payouts import payouts_of_instructor
from lms_graphql.billing.reads.revenue import Revenue, live_revenue_by_course
from lms_graphql.billing.types.earnings import Earning, EarningsBalance, InstructorPayout
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

EarningStatusArgument = Annotated[
    EarningStatus | None, strawberry.argument(description="Only earnings with this status.")
]


@object_type
class LectureAnalytics:
    """Statistics of a lecture."""

    started_count: int = field("Number of learners who have opened the lecture.")
    completed_count: int = field("Number of learners who have completed the lecture.")
    average_watch_seconds: float = field(
        "Average watch time of the learners who have opened the lecture, in seconds. Repeated viewing counts once."
    )
    lecture_key: strawberry.Private[int]

    @resolver_field()
    def lecture(self, info: Info) -> Lecture:
        """Lecture that the statistics are about."""
        return info.context.load(lectures_by_key, self.lecture_key)


@object_type
class CourseAnalytics:
    """Statistics of a course. They are refreshed in the background after changes."""

    id: strawberry.ID = field("Opaque id, unique across all types. `node` returns null for it.")
    as_of: datetime = field(
        "Instant of the statistics. Changes committed before this instant are counted, except a change whose commit "
        "came more than one minute after it."
    )
    enrollment_count: int = field("Number of learners who have ever enrolled.")
    active_count: int = field(
        "Number of learners with access who have not completed the course yet (enrollment status `ACTIVE`)."
    )
    completion_count: int = field(
        "Number of learners who have ever completed the course, whether they still have access or not."
    )
    average_progress_percent: float = field(
        "Average progress of all learners who have ever enrolled, in percent with two decimals; 0 if there are none."
    )
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
        """Statistics of each lecture of the course, in order."""
        read = analytics.stored_lectures_by_course if self.is_stored else analytics.live_lectures_by_course
        return info.context.load_list(read, self.key)


@object_type
class InstructorDashboard:
    """Statistics of an instructor over all their courses."""

    id: strawberry.ID = field("Opaque id, unique across all types. `node` returns null for it.")
    course_count: int = field("Number of courses, in any status.")
    learner_count: int = field("Number of distinct learners with access to any of the courses.")
    enrollment_count: int = field("Number of enrollments in the courses, in any status.")
    completion_count: int = field("Number of enrollments that were completed.")
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
        query = questions.open_questions_of_instructor()
        return info.context.page(query, PageArguments(first, after, last, before), self.key)

    @resolver_field()
    def attempts_to_grade(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[QuizAttempt]:
        """Submitted attempts that wait for a person's grade, oldest first."""
        page = PageArguments(first, after, last, before)
        return info.context.page(attempts.attempts_to_grade(), page, self.key)

    @resolver_field()
    def balances(self, info: Info) -> list[EarningsBalance]:
        """Balances of the earnings: one for each currency, ordered by currency."""
        return info.context.load_list(balances_by_instructor, self.key)

    @resolver_field()
    def earnings(
        self,
        info: Info,
        status: EarningStatusArgument = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Earning]:
        """Earnings from sales, newest first."""
        page = PageArguments(first, after, last, before)
        return info.context.page(earnings_of_instructor(status), page, self.key)

    @resolver_field()
    def payouts(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[InstructorPayout]:
        """Payouts, newest first."""
        return info.context.page(payouts_of_instructor(), PageArguments(first, after, last, before), self.key)


@extend_type(Course, name="analytics", extensions=[require(IsCourseStaff)])
def analytics_of_course(course: strawberry.Parent[Course], info: Info) -> CourseAnalytics | None:
    """Course staff only. Statistics of the course."""
    return info.context.load(analytics.analytics_by_course, course.key)


@extend_type(User, extensions=[require(IsSelfOrSuperAdmin)])
def teaching(user: strawberry.Parent[User], info: Info) -> InstructorDashboard | None:
    """The user and super admins only. Statistics for the instructor's dashboard; null for a learner."""
    return None if user.role is Role.LEARNER else info.context.load(analytics.dashboards_by_user, user.key)


async def _revenue(analytics: CourseAnalytics, info: Info) -> list[Revenue]:
    read = stored_revenue_by_course if analytics.is_stored else live_revenue_by_course
    return await info.context.load_async(read, analytics.key) or []


def _amounts(units: dict[str, int]) -> list[Money]:
    amounts: list[object] = [money.Money(number, currency) for currency, number in units.items() if number]
    return amounts  # type: ignore[return-value]
