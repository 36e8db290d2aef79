"""The catalog in the schema. Rows of `reads` serve as these objects: a field is an attribute or a resolver."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from lms_graphql.accounts.reads.users import users_by_id
from lms_graphql.accounts.types import User
from lms_graphql.catalog.models import CourseStatus, DifficultyLevel, LectureType
from lms_graphql.catalog.policies import may_edit, may_write, opens_for_anyone
from lms_graphql.catalog.reads import categories, contents, courses, curriculum
from lms_graphql.catalog.reads.contents import LockReason
from lms_graphql.catalog.reads.courses import CourseOrder
from lms_graphql.core import money
from lms_graphql.core.actor import Actor
from lms_graphql.core.paging import Slice
from lms_graphql.graph.connections import After, Before, Connection, First, Last
from lms_graphql.graph.context import Info
from lms_graphql.graph.describing import described, expose, object_type
from lms_graphql.graph.edges import edge
from lms_graphql.graph.money import Money
from lms_graphql.graph.node import Node
from lms_graphql.graph.permissions import Door

expose(
    CourseStatus,
    "Where a course stands between being written and being put away.",
    DRAFT="Being written; there for its staff alone.",
    PUBLISHED="Open to everyone.",
    ARCHIVED="Put away; there for staff and for those who are enrolled.",
)
expose(DifficultyLevel, "Whom a course is written for.")
expose(LectureType, "What a lecture is made of.")
expose(LockReason, "Why a lecture's content is closed to the viewer.")
expose(
    CourseOrder,
    "How courses are sorted. RELEVANCE goes with `search` alone. Price orders go by currency, then price.",
)


OrderBy = Annotated[CourseOrder | None, strawberry.argument(description="How they are sorted.")]
OfStatus = Annotated[CourseStatus | None, strawberry.argument(description="Only those of this status.")]


class IsCourseStaff(Door):
    """On a course: its instructor, or a super admin."""

    def admits(self, actor: Actor, source: Any) -> bool:
        return may_edit(actor, source)


@object_type
class Category(Node):
    """A shelf of the catalog. Categories form a tree of at most five levels."""

    slug: str = described("Its part of an address, unique among categories.")
    name: str = described("What it is called.")
    description: str | None = described("What belongs here.")
    parent_key: strawberry.Private[int | None]

    @strawberry.field
    def parent(self, info: Info) -> "Category | None":
        """The category above; null for a root."""
        if self.parent_key is None:
            return None
        return info.context.one(categories.categories_by_id, self.parent_key)

    @strawberry.field
    def children(self, info: Info) -> list["Category"]:
        """The categories right below, in name order."""
        return info.context.many(categories.children_by_category, self.key)

    @strawberry.field
    def ancestors(self, info: Info) -> list["Category"]:
        """From the root down to this category's parent."""
        return info.context.many(categories.ancestors_by_category, self.key)

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
        asked = Slice(first, after, last, before)
        return info.context.page(courses.courses_of_category(order_by or CourseOrder.NEWEST), asked, self.key)

    @strawberry.field
    def course_count(self, info: Info) -> int:
        """Published courses in this category or any below it."""
        return info.context.count(courses.courses_of_category(CourseOrder.NEWEST), self.key)


@object_type
class Course(Node):
    """Something to learn: sections of lectures, written by an instructor."""

    slug: str = described("Its part of an address; stays when the title changes after publication.")
    title: str = described("What it is called.")
    short_description: str | None = described("What it is about, in a sentence or two.")
    description: str = described("What it is about, in Markdown.")
    language: str = described("BCP 47 tag of the language it is taught in, e.g. en.")
    difficulty: DifficultyLevel = described("Whom it is written for.")
    status: CourseStatus = described("Where it stands between being written and being put away.")
    is_free: bool = described("Whether it costs nothing.")
    is_featured: bool = described("Whether the platform recommends it.")
    allow_qa: bool = described("Whether learners may ask questions.")
    allow_notes: bool = described("Whether learners may take notes.")
    thumbnail_url: str | None = described("Where its picture is.")
    preview_video_url: str | None = described("Where its trailer is.")
    lecture_count: int = described("How many lectures it has.")
    duration_seconds: int = described("How long all its lectures take.")
    enrollment_count: int = described("How many people have ever enrolled.")
    published_at: datetime | None = described("When it was first published.")
    created_at: datetime = described("When it was begun.")
    updated_at: datetime = described("When it was last changed.")
    version: int = described(
        "Grows with every change to the course, its sections or its lectures; pass it back as `expectedVersion`."
    )
    price_units: strawberry.Private[int]
    currency: strawberry.Private[str]
    instructor_key: strawberry.Private[int]
    category_key: strawberry.Private[int | None]

    @strawberry.field
    def price(self) -> Money:
        """What it costs now."""
        return shown(money.Money(self.price_units, self.currency))

    @strawberry.field
    def instructor(self, info: Info) -> User:
        """Who teaches it."""
        return info.context.one(users_by_id, self.instructor_key)

    @strawberry.field
    def category(self, info: Info) -> Category | None:
        """The shelf it stands on."""
        if self.category_key is None:
            return None
        return info.context.one(categories.categories_by_id, self.category_key)

    @strawberry.field
    def sections(self, info: Info) -> list["Section"]:
        """Its sections, in their order; at most 100."""
        return info.context.many(curriculum.sections_by_course, self.key)

    @strawberry.field
    def section_count(self, info: Info) -> int:
        """How many sections it has."""
        return info.context.one(curriculum.section_counts_by_course, self.key, 0)

    @strawberry.field
    def viewer_can_edit(self, info: Info) -> bool:
        """Whether the viewer may change it: its instructor, as long as they are one, or a super admin."""
        return may_write(info.context.actor, self)


@object_type
class Section(Node):
    """A part of a course: lectures in their order."""

    title: str = described("What it is called.")
    description: str | None = described("What it is about.")
    position: int = described("0, 1, 2 … within the course.")
    lecture_count: int = described("How many lectures it has.")
    duration_seconds: int = described("How long its lectures take.")
    course_key: strawberry.Private[int]

    @strawberry.field
    def course(self, info: Info) -> Course:
        """The course it is a part of."""
        return info.context.one(courses.courses_by_id, self.course_key)

    @strawberry.field
    def lectures(self, info: Info) -> list["Lecture"]:
        """Its lectures, in their order; at most 200."""
        return info.context.many(curriculum.lectures_by_section, self.key)


@object_type
class LectureContent:
    """What a lecture teaches. Which of these are there follows from its type."""

    video_url: str | None = described("Where the video is.")
    body: str | None = described("Markdown.")
    resource_url: str | None = described("Where the file or page is.")


@object_type
class LectureLock:
    """Why a lecture is closed to the viewer, and what would open it."""

    reason: LockReason = described("Why, for programs.")
    message: str = described("Why, for people.")


@object_type
class Lecture(Node):
    """One thing to watch, read or do."""

    title: str = described("What it is called.")
    description: str | None = described("What it is about.")
    type: LectureType = described("What it is made of.")
    position: int = described("0, 1, 2 … within the section.")
    duration_seconds: int = described("How long it takes.")
    is_preview: bool = described("Whether anyone may open it.")
    is_downloadable: bool = described("Whether it may be kept.")
    section_key: strawberry.Private[int]
    course_key: strawberry.Private[int]

    @strawberry.field
    def section(self, info: Info) -> Section:
        """The section it is in."""
        return info.context.one(curriculum.sections_by_id, self.section_key)

    @strawberry.field
    def course(self, info: Info) -> Course:
        """The course it belongs to."""
        return info.context.one(courses.courses_by_id, self.course_key)

    @strawberry.field
    def content(self, info: Info) -> LectureContent | None:
        """Null, without an error, where the viewer has no access; `lock` then says why."""
        if not info.context.actor.is_signed_in and not opens_for_anyone(self):
            return None
        return info.context.one(contents.contents_by_lecture, self.key)

    @strawberry.field
    def lock(self, info: Info) -> LectureLock | None:
        """Null where the viewer has access."""
        if info.context.actor.is_signed_in:
            return info.context.one(contents.locks_by_lecture, self.key)
        return None if opens_for_anyone(self) else shown(contents.SIGN_IN)

    @strawberry.field
    async def next(self, info: Info) -> "Lecture | None":
        """The lecture after it in the course, in the next section where it is the last of its own."""
        near = await info.context.fetch(curriculum.neighbours_by_lecture, (self.course_key, self.key))
        return await info.context.fetch(curriculum.lectures_by_id, near.next) if near and near.next else None

    @strawberry.field
    async def previous(self, info: Info) -> "Lecture | None":
        """The lecture before it in the course, in the section before where it is the first of its own."""
        near = await info.context.fetch(curriculum.neighbours_by_lecture, (self.course_key, self.key))
        return await info.context.fetch(curriculum.lectures_by_id, near.previous) if near and near.previous else None


@edge(User, name="courses")
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
    listing = courses.courses_of_instructor(info.context.actor.scope, status)
    return info.context.page(listing, Slice(first, after, last, before), user.key)


def shown(row: Any) -> Any:
    """A row at hand, served as the object of its type."""
    return row
