"""GraphQL type of courses, and the lists of courses on categories and users."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from lms_graphql.accounts.reads.users import users_by_key
from lms_graphql.accounts.types import User
from lms_graphql.catalog.models import CourseStatus, DifficultyLevel
from lms_graphql.catalog.policies import is_course_staff, may_edit_course
from lms_graphql.catalog.reads import categories, courses, curriculum
from lms_graphql.catalog.reads.courses import CourseOrder
from lms_graphql.catalog.types.category import Category
from lms_graphql.core import money
from lms_graphql.core.actor import Actor
from lms_graphql.core.pagination import PageArguments
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.connections import After, Before, Connection, First, Last
from lms_graphql.graph.schema.fields import as_graphql, expose_enum, field, object_type, resolver_field, url_field
from lms_graphql.graph.schema.node import Node
from lms_graphql.graph.schema.permissions import Permission
from lms_graphql.graph.schema.scalars import Money
from lms_graphql.graph.schema.type_extensions import extend_type

expose_enum(
    CourseStatus,
    "Publication status of a course. It decides who sees the course.",
    DRAFT="Visible to course staff only: the course's instructor and super admins.",
    PUBLISHED="Visible to everyone and open for enrollment.",
    ARCHIVED="Closed for enrollment. Visible to course staff and to users who have enrolled.",
)
expose_enum(
    DifficultyLevel,
    "Previous knowledge that a course expects.",
    BEGINNER="For learners who are new to the subject.",
    INTERMEDIATE="For learners who know the basics.",
    ADVANCED="For learners with experience.",
)
expose_enum(
    CourseOrder,
    "Sort order of courses.",
    NEWEST="By creation, newest first.",
    OLDEST="By creation, oldest first.",
    TITLE="By title from A to Z. Case and accents are ignored.",
    PRICE_LOW_TO_HIGH="By currency code from A to Z, then by price, lowest first.",
    PRICE_HIGH_TO_LOW="By currency code from Z to A, then by price, highest first.",
    MOST_ENROLLED="By number of enrollments, highest first.",
    RECENTLY_UPDATED="By the last change of the course, its sections or its lectures, newest first.",
    RELEVANCE="By search relevance, best match first. Allowed only together with `search`.",
)

CourseOrderArgument = Annotated[CourseOrder | None, strawberry.argument(description="Sort order (default NEWEST).")]
CourseStatusArgument = Annotated[
    CourseStatus | None, strawberry.argument(description="Only courses with this status. All statuses if omitted.")
]


class IsCourseStaff(Permission):
    """Permission on a field of a course, for course staff: its instructor and super admins."""

    def allows(self, actor: Actor, source: Any) -> bool:
        return is_course_staff(actor, source)


@object_type
class Course(Node):
    """
    A course: sections of lectures, written by an instructor. Course staff are its instructor and super admins. A
    field for course staff only is null for other viewers, with a FORBIDDEN error.
    """

    slug: str = field(
        "Part of the course's URL, unique among courses. It follows the title until the first publication, "
        "then it never changes."
    )
    title: str = field("Title.")
    short_description: str | None = field("Summary in a sentence or two; null if not set.")
    description: str = field("Description in Markdown. It can be empty.")
    language: str = field("Language of the course as a BCP 47 tag, e.g. en or pt-BR.")
    difficulty: DifficultyLevel = field("Previous knowledge that the course expects.")
    status: CourseStatus = field("Publication status.")
    is_free: bool = field("Whether the course is free.")
    is_featured: bool = field("Whether the platform recommends the course. Set by super admins.")
    allow_qa: bool = field("Whether learners may ask and answer questions in the course.")
    allow_notes: bool = field("Whether learners may take notes in the course.")
    thumbnail_url = url_field("thumbnail_url", "URL of the course's picture; null if not set.")
    preview_video_url = url_field("preview_video_url", "URL of the course's trailer; null if not set.")
    lecture_count: int = field("Number of lectures.")
    duration_seconds: int = field("Duration of all lectures, in seconds.")
    enrollment_count: int = field("Number of enrollments of any status, ended ones included.")
    published_at: datetime | None = field("When the course was first published; null if it never was.")
    created_at: datetime = field("When the course was created.")
    updated_at: datetime = field("When the course, its sections or its lectures were last changed.")
    version: int = field(
        "Version of the course, which grows with every change of the course, its sections or its lectures. "
        "Pass it as `expectedVersion` to detect changes by others."
    )
    price_units: strawberry.Private[int]
    currency: strawberry.Private[str]
    instructor_key: strawberry.Private[int]
    category_key: strawberry.Private[int | None]

    @strawberry.field
    def price(self) -> Money:
        """Current price. The amount is 0 if the course is free."""
        return as_graphql(money.Money(self.price_units, self.currency))

    @strawberry.field
    def instructor(self, info: Info) -> User:
        """The user who teaches the course."""
        return info.context.load(users_by_key, self.instructor_key)

    @strawberry.field
    def category(self, info: Info) -> Category | None:
        """Category of the course; null if not set."""
        if self.category_key is None:
            return None
        return info.context.load(categories.categories_by_key, self.category_key)

    @strawberry.field
    def section_count(self, info: Info) -> int:
        """Number of sections. Empty ones are counted for course staff only."""
        return info.context.load(curriculum.section_counts_by_course, self.key, 0)

    @resolver_field(
        description="Whether the viewer may edit the course. True for super admins, and for the course's instructor "
        "while they have the role INSTRUCTOR."
    )
    def viewer_can_edit(self, info: Info) -> bool:
        return may_edit_course(info.context.actor, self)


@extend_type(Category, name="courses")
def courses_in_category(
    category: strawberry.Parent[Category],
    info: Info,
    order_by: CourseOrderArgument = CourseOrder.NEWEST,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[Course]:
    """Published courses in this category and its descendants."""
    arguments = PageArguments(first, after, last, before)
    return info.context.page(courses.courses_of_category(order_by or CourseOrder.NEWEST), arguments, category.key)


@extend_type(User, name="courses")
def courses_taught(
    user: strawberry.Parent[User],
    info: Info,
    status: CourseStatusArgument = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[Course]:
    """
    Courses that the user teaches, newest first. Drafts and archived courses are only for the user and super admins:
    enrolled learners do not get archived courses here.
    """
    query = courses.courses_of_instructor(info.context.actor.access_level, status)
    return info.context.page(query, PageArguments(first, after, last, before), user.key)
