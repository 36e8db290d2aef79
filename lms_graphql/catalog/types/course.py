"""Courses in the schema, and the fields that list them."""

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
from lms_graphql.graph.schema.fields import as_graphql, expose_enum, field, object_type
from lms_graphql.graph.schema.node import Node
from lms_graphql.graph.schema.permissions import Permission
from lms_graphql.graph.schema.scalars import Money
from lms_graphql.graph.schema.type_extensions import extend_type

expose_enum(
    CourseStatus,
    "Where a course stands between being written and being put away.",
    DRAFT="Being written; there for its staff alone.",
    PUBLISHED="Open to everyone.",
    ARCHIVED="Put away; there for staff and for those who are enrolled.",
)
expose_enum(DifficultyLevel, "Whom a course is written for.")
expose_enum(
    CourseOrder,
    "How courses are sorted. RELEVANCE goes with `search` alone. Price orders go by currency, then price.",
)

OrderBy = Annotated[CourseOrder | None, strawberry.argument(description="How they are sorted.")]
OfStatus = Annotated[CourseStatus | None, strawberry.argument(description="Only those of this status.")]


class IsCourseStaff(Permission):
    """On a course: its instructor, or a super admin."""

    def allows(self, actor: Actor, source: Any) -> bool:
        return is_course_staff(actor, source)


@object_type
class Course(Node):
    """Something to learn: sections of lectures, written by an instructor."""

    slug: str = field("Its part of an address; stays when the title changes after publication.")
    title: str = field("What it is called.")
    short_description: str | None = field("What it is about, in a sentence or two.")
    description: str = field("What it is about, in Markdown.")
    language: str = field("BCP 47 tag of the language it is taught in, e.g. en.")
    difficulty: DifficultyLevel = field("Whom it is written for.")
    status: CourseStatus = field("Where it stands between being written and being put away.")
    is_free: bool = field("Whether it costs nothing.")
    is_featured: bool = field("Whether the platform recommends it.")
    allow_qa: bool = field("Whether learners may ask questions.")
    allow_notes: bool = field("Whether learners may take notes.")
    thumbnail_url: str | None = field("Where its picture is.")
    preview_video_url: str | None = field("Where its trailer is.")
    lecture_count: int = field("How many lectures it has.")
    duration_seconds: int = field("How long all its lectures take.")
    enrollment_count: int = field("How many people have ever enrolled.")
    published_at: datetime | None = field("When it was first published.")
    created_at: datetime = field("When it was begun.")
    updated_at: datetime = field("When it was last changed.")
    version: int = field(
        "Grows with every change to the course, its sections or its lectures; pass it back as `expectedVersion`."
    )
    price_units: strawberry.Private[int]
    currency: strawberry.Private[str]
    instructor_key: strawberry.Private[int]
    category_key: strawberry.Private[int | None]

    @strawberry.field
    def price(self) -> Money:
        """What it costs now."""
        return as_graphql(money.Money(self.price_units, self.currency))

    @strawberry.field
    def instructor(self, info: Info) -> User:
        """Who teaches it."""
        return info.context.load(users_by_key, self.instructor_key)

    @strawberry.field
    def category(self, info: Info) -> Category | None:
        """The shelf it stands on."""
        if self.category_key is None:
            return None
        return info.context.load(categories.categories_by_key, self.category_key)

    @strawberry.field
    def section_count(self, info: Info) -> int:
        """How many sections it has."""
        return info.context.load(curriculum.section_counts_by_course, self.key, 0)

    @strawberry.field
    def viewer_can_edit(self, info: Info) -> bool:
        """Whether the viewer may change it: its instructor, as long as they are one, or a super admin."""
        return may_edit_course(info.context.actor, self)


@extend_type(Category, name="courses")
def courses_in_category(
    category: strawberry.Parent[Category],
    info: Info,
    order_by: OrderBy = CourseOrder.NEWEST,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[Course]:
    """Published courses in this category or any below it."""
    arguments = PageArguments(first, after, last, before)
    return info.context.page(courses.courses_of_category(order_by or CourseOrder.NEWEST), arguments, category.key)


@extend_type(User, name="courses")
def courses_taught(
    user: strawberry.Parent[User],
    info: Info,
    status: OfStatus = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[Course]:
    """Courses taught, newest first. Others see the published ones only."""
    listing = courses.courses_of_instructor(info.context.actor.access_level, status)
    return info.context.page(listing, PageArguments(first, after, last, before), user.key)
