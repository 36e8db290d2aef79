"""Courses of every status, with lectures that are open, closed and gone."""

from datetime import datetime

from lms_graphql.catalog.models import Category, CourseStatus, Lecture, LectureType
from tests.given import GivenCourse
from tests.oracle.world import ADMIN, EVERYONE, LONG_AGO, Texts, World


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


def plant_category(world: World, label: str, parent: Category | None) -> Category:
    texts = Texts(label, name="Category.name", slug="Category.slug", description="Category.description")
    row = world.given.category(parent=parent, **texts.columns)
    world.plant("Category", label, row, texts, seen=EVERYONE, empty="" if parent else "parent")
    return row


BEGUN = {"published-closed", "archived-closed"}
"""Lectures in which somebody has done something who sees them."""
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
    staff = circles["seen"] & {"admin", teacher}
    enrolled = frozenset({"enrolled", "cancelled"}) if label in {"published", "archived"} else frozenset()
    its_own = {"seen": circles["seen"], "staff": staff, "enrolled": enrolled}
    world.plant("Course", label, course.row, texts, **its_own, empty=empty)
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
    # the last one of a course has no quiz: a problem, which is about a lecture
    kind = LectureType.QUIZ if label.endswith("last") else LectureType.VIDEO
    state = {"lecture_type": kind, "is_preview": label.endswith("preview"), "deleted_at": deleted(label)}
    place = len(course.lectures)
    row: Lecture = world.given.lecture(course.sections[-1], order_index=place, **state, **texts.columns)
    course.lectures.append(row)
    world.lectures[label] = row
    learned = frozenset({"enrolled"} if label in BEGUN else ())
    circles = {"seen": seen, "access": access, "locked_out": seen - access, "learned": learned}
    world.plant("Lecture", label, row, texts, **circles, empty=empty)


def deleted(label: str) -> datetime | None:
    return LONG_AGO if "-gone" in label else None
