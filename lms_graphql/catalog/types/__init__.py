"""The catalog in the schema. Rows of `reads` serve as these objects: a field is an attribute or a resolver."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from lms_graphql.accounts.reads.users import users_by_key
from lms_graphql.accounts.types import User
from lms_graphql.catalog.models import CourseStatus, DifficultyLevel, LectureType
from lms_graphql.catalog.policies import is_course_staff, is_public_preview, may_edit_course
from lms_graphql.catalog.reads import categories, courses, curriculum, lecture_content
from lms_graphql.catalog.reads.courses import CourseOrder
from lms_graphql.catalog.reads.lecture_content import LockReason
from lms_graphql.core import money
from lms_graphql.core.actor import Actor
from lms_graphql.core.pagination import PageArguments
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.connections import After, Before, Connection, First, Last
from lms_graphql.graph.schema.fields import expose_enum, field, object_type
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
expose_enum(LectureType, "What a lecture is made of.")
expose_enum(LockReason, "Why a lecture's content is closed to the viewer.")
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
class Category(Node):
    """A shelf of the catalog. Categories form a tree of at most five levels."""

    slug: str = field("Its part of an address, unique among categories.")
    name: str = field("What it is called.")
    description: str | None = field("What belongs here.")
    parent_key: strawberry.Private[int | None]

    @strawberry.field
    def parent(self, info: Info) -> "Category | None":
        """The category above; null for a root."""
        if self.parent_key is None:
            return None
        return info.context.load(categories.categories_by_key, self.parent_key)

    @strawberry.field
    def children(self, info: Info) -> list["Category"]:
        """The categories right below, in name order."""
        return info.context.load_list(categories.children_by_category, self.key)

    @strawberry.field
    def ancestors(self, info: Info) -> list["Category"]:
        """From the root down to this category's parent."""
        return info.context.load_list(categories.ancestors_by_category, self.key)

    @strawberry.field
    def courses(
        self,
        info: Info,
        order_by: OrderBy = CourseOrder.NEWEST,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection["Course"]:
        """Published courses in this category or any below it."""
        asked = PageArguments(first, after, last, before)
        return info.context.page(courses.courses_of_category(order_by or CourseOrder.NEWEST), asked, self.key)

    @strawberry.field
    def course_count(self, info: Info) -> int:
        """Published courses in this category or any below it."""
        return info.context.count(courses.courses_of_category(CourseOrder.NEWEST), self.key)


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
    def sections(self, info: Info) -> list["Section"]:
        """Its sections, in their order; at most 100."""
        return info.context.load_list(curriculum.sections_by_course, self.key)

    @strawberry.field
    def section_count(self, info: Info) -> int:
        """How many sections it has."""
        return info.context.load(curriculum.section_counts_by_course, self.key, 0)

    @strawberry.field
    def viewer_can_edit(self, info: Info) -> bool:
        """Whether the viewer may change it: its instructor, as long as they are one, or a super admin."""
        return may_edit_course(info.context.actor, self)


@object_type
class Section(Node):
    """A part of a course: lectures in their order."""

    title: str = field("What it is called.")
    description: str | None = field("What it is about.")
    position: int = field("0, 1, 2 … within the course.")
    lecture_count: int = field("How many lectures it has.")
    duration_seconds: int = field("How long its lectures take.")
    course_key: strawberry.Private[int]

    @strawberry.field
    def course(self, info: Info) -> Course:
        """The course it is a part of."""
        return info.context.load(courses.courses_by_key, self.course_key)

    @strawberry.field
    def lectures(self, info: Info) -> list["Lecture"]:
        """Its lectures, in their order; at most 200."""
        return info.context.load_list(curriculum.lectures_by_section, self.key)


@object_type
class LectureContent:
    """What a lecture teaches. Which of these are there follows from its type."""

    video_url: str | None = field("Where the video is.")
    body: str | None = field("Markdown.")
    resource_url: str | None = field("Where the file or page is.")


@object_type
class LectureLock:
    """Why a lecture is closed to the viewer, and what would open it."""

    reason: LockReason = field("Why, for programs.")
    message: str = field("Why, for people.")


@object_type
class Lecture(Node):
    """One thing to watch, read or do."""

    title: str = field("What it is called.")
    description: str | None = field("What it is about.")
    type: LectureType = field("What it is made of.")
    position: int = field("0, 1, 2 … within the section.")
    duration_seconds: int = field("How long it takes.")
    is_preview: bool = field("Whether anyone may open it.")
    is_downloadable: bool = field("Whether it may be kept.")
    section_key: strawberry.Private[int]
    course_key: strawberry.Private[int]

    @strawberry.field
    def section(self, info: Info) -> Section:
        """The section it is in."""
        return info.context.load(curriculum.sections_by_key, self.section_key)

    @strawberry.field
    def course(self, info: Info) -> Course:
        """The course it belongs to."""
        return info.context.load(courses.courses_by_key, self.course_key)

    @strawberry.field
    def content(self, info: Info) -> LectureContent | None:
        """Null, without an error, where the viewer has no access; `lock` then says why."""
        if not info.context.actor.is_signed_in and not is_public_preview(self):
            return None
        return info.context.load(lecture_content.contents_by_lecture, self.key)

    @strawberry.field
    def lock(self, info: Info) -> LectureLock | None:
        """Null where the viewer has access."""
        if info.context.actor.is_signed_in:
            return info.context.load(lecture_content.locks_by_lecture, self.key)
        return None if is_public_preview(self) else as_graphql(lecture_content.SIGN_IN)

    @strawberry.field
    async def next(self, info: Info) -> "Lecture | None":
        """The lecture after it in the course, in the next section where it is the last of its own."""
        near = await info.context.load_async(curriculum.neighbours_by_lecture, (self.course_key, self.key))
        return await info.context.load_async(curriculum.lectures_by_key, near.next) if near and near.next else None

    @strawberry.field
    async def previous(self, info: Info) -> "Lecture | None":
        """The lecture before it in the course, in the section before where it is the first of its own."""
        near = await info.context.load_async(curriculum.neighbours_by_lecture, (self.course_key, self.key))
        return (
            await info.context.load_async(curriculum.lectures_by_key, near.previous)
            if near and near.previous
            else None
        )


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


def as_graphql(row: Any) -> Any:
    """A row at hand, served as the object of its type."""
    return row
