"""What is planted: an object of each kind in each state that changes who sees it, with a canary in every text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lms_graphql.accounts.models import ApplicationStatus, User
from lms_graphql.accounts.service import managing
from lms_graphql.catalog.models import Category, CourseStatus, EnrollmentStatus, Lecture
from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from lms_graphql.core.database import Database
from lms_graphql.core.ids import encode
from lms_graphql.core.orm import Table
from tests.given import Given, GivenCourse
from tests.oracle.table import Audience

CAST = {
    "admin": Role.SUPER_ADMIN,
    "teacher": Role.INSTRUCTOR,
    "rival": Role.INSTRUCTOR,
    "learner": Role.LEARNER,
    "enrolled": Role.LEARNER,
    "cancelled": Role.LEARNER,
    "applicant": Role.LEARNER,
}
"""
Who asks, beside anonymous viewers. The teacher writes the courses but two, the rival teaches nothing that anyone has
seen, the learner has nothing to do with anybody.
"""
SIGNED_IN = frozenset(CAST)
EVERYONE = SIGNED_IN | {"anonymous"}
VIEWERS = sorted(EVERYONE)
ADMIN = frozenset({"admin"})
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Planted:
    """
    An object: who belongs to which of its circles (`seen`: all who see it at all), its canaries by `Type.field`, and
    the fields that hold nothing in this one.
    """

    kind: str
    label: str
    circles: Mapping[str, frozenset[str]]
    canaries: Mapping[str, str] = field(default_factory=dict)
    empty: frozenset[str] = frozenset()
    gid: str = ""

    @property
    def seen(self) -> frozenset[str]:
        return self.circles["seen"]

    def readers(self, audience: Audience) -> frozenset[str]:
        assert audience.circle in self.circles, f"{self.label}: say who belongs to {audience.circle}"
        return self.circles[audience.circle]


class World:
    def __init__(self, given: Given, database: Database) -> None:
        self.given = given
        self.by_label: dict[str, Planted] = {}
        self.by_gid: dict[str, Planted] = {}
        self.people: dict[str, User] = {}
        self._owners: dict[str, tuple[Planted, str]] = {}
        self.courses: dict[str, GivenCourse] = {}
        self._put(Planted("Query", "the entrances", {"seen": EVERYONE, "signed_in": SIGNED_IN, "admins": ADMIN}))
        self._put(Planted("Session", "a session", {"seen": SIGNED_IN, "signed_in": SIGNED_IN}))
        plant_people(self)
        plant_catalog(self)
        plant_applications(self)
        plant_deleted(self, database)

    def plant(self, kind: str, label: str, row: Table, texts: Mapping[str, str], **said: Any) -> None:
        """`texts`: the canaries by `Type.field`. `said`: the circles, and what is `empty`."""
        empty = frozenset(said.pop("empty", "").split())
        self._put(Planted(kind, label, said, dict(texts), empty, encode(kind, row.id)))

    def _put(self, planted: Planted) -> None:
        assert planted.label not in self.by_label
        self.by_label[planted.label] = planted
        if planted.gid:
            self.by_gid[planted.gid] = planted
        for coordinate, canary in planted.canaries.items():
            self._owners[canary.split("@")[0]] = planted, coordinate

    def actor(self, viewer: str) -> Actor:
        return ANONYMOUS if viewer == "anonymous" else self.given.actor(self.people[viewer])

    def of_kind(self, kind: str) -> list[Planted]:
        return [planted for planted in self.by_label.values() if planted.kind == kind]

    def owner_of(self, canary: str) -> tuple[Planted | None, str]:
        """Whose it is, and of which `Type.field`. None where nobody has it any more."""
        return self._owners.get(canary, (None, ""))

    def gid(self, label: str) -> str:
        return self.by_label[label].gid


class Texts(dict[str, str]):
    """Canaries of one object by `Type.field`; `columns` puts them into the columns of its row."""

    def __init__(self, label: str, **fields: str) -> None:
        super().__init__({name: f"canary-{label}-{name.split('.')[1].lower()}" for name in fields.values()})
        self.columns: dict[str, Any] = {column: self[name] for column, name in fields.items()}


def plant_people(world: World) -> None:
    for label, role in {**CAST, "suspended": Role.LEARNER, "gone": Role.INSTRUCTOR}.items():
        texts = person_texts(label)
        texts["User.email"] = texts.columns["email"] = f"{texts['User.email']}@example.com"
        state = {"is_active": label != "suspended", "last_login": LONG_AGO}
        world.people[label] = person = world.given.person(role, **texts.columns, **state)
        if label != "gone":
            known = EVERYONE if label == "teacher" else SIGNED_IN
            world.plant("User", label, person, texts, seen=known, person=ADMIN | ({label} & SIGNED_IN))


def person_texts(label: str) -> Texts:
    return Texts(
        label,
        email="User.email",
        username="User.username",
        first_name="User.firstName",
        last_name="User.lastName",
        bio="User.bio",
        profile_image="User.profileImageUrl",
    )


def plant_catalog(world: World) -> None:
    shelves = [plant_category(world, "root", None)]
    shelves.append(plant_category(world, "shelf", shelves[0]))
    staff = frozenset({"teacher", "admin"})
    plant_course(world, "published", "teacher", shelves[1], seen=EVERYONE, access=staff | {"enrolled"})
    plant_course(world, "draft", "teacher", shelves[1], seen=staff, access=staff)
    plant_course(world, "theirs", "rival", shelves[1], seen=ADMIN | {"rival"}, access=ADMIN | {"rival"})
    old = staff | {"enrolled"}
    plant_course(world, "archived", "teacher", shelves[1], seen=old | {"cancelled"}, access=old)
    plant_course(world, "orphan", "gone", shelves[0], seen=EVERYONE, access=ADMIN)
    for label in (
        "published",
        "archived",
        "draft",
    ):  # a draft should have no learners; it is closed to any that it has
        world.given.enrollment(world.people["enrolled"], world.courses[label])
        world.given.enrollment(world.people["cancelled"], world.courses[label], EnrollmentStatus.CANCELLED)


def plant_category(world: World, label: str, parent: Category | None) -> Category:
    texts = Texts(label, name="Category.name", slug="Category.slug", description="Category.description")
    row = world.given.category(parent=parent, **texts.columns)
    world.plant("Category", label, row, texts, seen=EVERYONE, empty="" if parent else "parent")
    return row


STATES = {
    "draft": CourseStatus.DRAFT,
    "theirs": CourseStatus.DRAFT,
    "archived": CourseStatus.ARCHIVED,
}


def plant_course(world: World, label: str, teacher: str, shelf: Category, **circles: frozenset[str]) -> None:
    texts = Texts(
        label,
        title="Course.title",
        slug="Course.slug",
        description="Course.description",
        short_description="Course.shortDescription",
        thumbnail_url="Course.thumbnailUrl",
        preview_video_url="Course.previewVideoUrl",
    )
    status = STATES.get(label, CourseStatus.PUBLISHED)
    course = world.given.course(
        instructor=world.people[teacher], category=shelf, sections=0, status=status, **texts.columns
    )
    world.courses[label] = course
    empty = "publishedAt" if status is CourseStatus.DRAFT else ""
    world.plant("Course", label, course.row, texts, seen=circles["seen"], empty=empty)
    preview = EVERYONE if status is CourseStatus.PUBLISHED else circles["access"]
    plant_section(world, course, f"{label}-s1", seen=circles["seen"])
    plant_lecture(world, course, f"{label}-preview", seen=circles["seen"], access=preview, empty="previous")
    plant_lecture(world, course, f"{label}-closed", circles["seen"], circles["access"])
    plant_section(world, course, f"{label}-s2", seen=circles["seen"])
    plant_lecture(world, course, f"{label}-last", circles["seen"], circles["access"], empty="next")
    nobody: frozenset[str] = frozenset()
    plant_lecture(world, course, f"{label}-gonelecture", seen=nobody, access=nobody)
    plant_section(world, course, f"{label}-gonesection", seen=nobody)
    plant_lecture(world, course, f"{label}-inside", seen=nobody, access=nobody)


def plant_section(world: World, course: GivenCourse, label: str, seen: frozenset[str]) -> None:
    texts = Texts(label, title="Section.title", description="Section.description")
    section = world.given.section(
        course, order_index=len(course.sections), deleted_at=deleted(label), **texts.columns
    )
    world.plant("Section", label, section, texts, seen=seen)


def plant_lecture(
    world: World, course: GivenCourse, label: str, seen: frozenset[str], access: frozenset[str], empty: str = ""
) -> None:
    texts = Texts(
        label,
        title="Lecture.title",
        description="Lecture.description",
        video_url="LectureContent.videoUrl",
        body="LectureContent.body",
        content_url="LectureContent.resourceUrl",
    )
    state = {"is_preview": label.endswith("preview"), "deleted_at": deleted(label)}
    place = len(course.lectures)
    row: Lecture = world.given.lecture(course.sections[-1], order_index=place, **state, **texts.columns)
    course.lectures.append(row)
    world.plant("Lecture", label, row, texts, seen=seen, access=access, locked_out=seen - access, empty=empty)


def deleted(label: str) -> datetime | None:
    return LONG_AGO if "-gone" in label else None


def plant_applications(world: World) -> None:
    for label, applicant in (("waiting", "applicant"), ("refused", "enrolled")):
        texts = Texts(
            label,
            motivation="InstructorApplication.motivation",
            experience="InstructorApplication.experience",
            review_note="InstructorApplication.reviewNote",
        )
        answer = {
            "status": ApplicationStatus.REJECTED,
            "pending_of": None,
            "reviewed_by_id": world.people["admin"].id,
            "reviewed_at": LONG_AGO + timedelta(days=1),
        }
        empty = ""
        if label == "waiting":
            answer, empty = {}, "reviewNote reviewedAt reviewedBy"
            del texts["InstructorApplication.reviewNote"], texts.columns["review_note"]
        row = world.given.application(world.people[applicant], **answer, **texts.columns)
        world.plant("InstructorApplication", label, row, texts, seen=ADMIN | {applicant}, empty=empty)


def plant_deleted(world: World, database: Database) -> None:
    """Deleted by the service that does it, so that a canary of theirs that is met anywhere was left behind."""
    gone = world.people["gone"]
    gid = encode("User", gone.id)
    database.write_now(lambda session: managing.delete_user(session, world.actor("admin"), gid))
    empty = "email bio profileImageUrl lastLoginAt"
    world.plant("User", "gone", gone, {}, seen=EVERYONE, person=ADMIN, empty=empty)
