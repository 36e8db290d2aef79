"""Figures for those who teach: of an instructor, of a course and of its lectures."""

from datetime import datetime

import strawberry

from lms_graphql.accounts.types import IsSelf, User
from lms_graphql.analytics.reads import analytics
from lms_graphql.catalog.reads.curriculum import lectures_by_id
from lms_graphql.catalog.types import Course, IsCourseStaff, Lecture
from lms_graphql.core.actor import Role
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, object_type, resolver_field
from lms_graphql.graph.schema.permissions import require
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
        return info.context.load(lectures_by_id, self.lecture_key)


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
    is_kept: strawberry.Private[bool]

    @resolver_field()
    def lectures(self, info: Info) -> list[LectureAnalytics]:
        """Each lecture of the course, in their order."""
        read = analytics.kept_lectures_by_course if self.is_kept else analytics.counted_lectures_by_course
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


@extend_type(Course, name="analytics", extensions=[require(IsCourseStaff)])
def analytics_of_course(course: strawberry.Parent[Course], info: Info) -> CourseAnalytics | None:
    """Course staff only: how the course goes."""
    return info.context.load(analytics.analytics_by_course, course.key)


@extend_type(User, extensions=[require(IsSelf)])
def teaching(user: strawberry.Parent[User], info: Info) -> InstructorDashboard | None:
    """(self) Figures for the instructor's dashboard; null for a learner."""
    return None if user.role is Role.LEARNER else info.context.load(analytics.dashboards_by_user, user.key)
