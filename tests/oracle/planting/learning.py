"""Enrollments with what was learned, and the figures of courses and instructors."""

from datetime import UTC, datetime

from lms_graphql.billing.models import TransactionStatus
from lms_graphql.catalog.models import EnrollmentStatus
from lms_graphql.core.actor import Role
from tests.oracle.world import ADMIN, LONG_AGO, SIGNED_IN, World

FAR_AHEAD = datetime(2096, 1, 1, tzinfo=UTC)


def plant_learning(world: World) -> None:
    for label in (
        "published",
        "archived",
        "draft",
    ):  # a draft should have none: they do not see it
        plant_enrollment(world, label, "enrolled", EnrollmentStatus.COMPLETED)
        plant_enrollment(world, label, "cancelled", EnrollmentStatus.CANCELLED)
    for label in world.courses:
        plant_analytics(world, label)
    for label, person in world.people.items():
        if person.role is not Role.LEARNER:
            seen = ADMIN | ({label} & SIGNED_IN)
            world.plant("InstructorDashboard", f"{label}-teaching", person, {}, seen=seen)


def plant_enrollment(world: World, label: str, learner: str, status: EnrollmentStatus) -> None:
    course, person, name = world.courses[label], world.people[learner], f"{label}-{learner}"
    is_complete = status is EnrollmentStatus.COMPLETED
    times = {"completed_at": LONG_AGO, "last_accessed": LONG_AGO, "access_expires_at": FAR_AHEAD}
    row = world.given.enrollment(person, course, status, **(times if is_complete else {}))
    staff = world.by_label[label].circles["staff"]
    seen = staff if label == "draft" else staff | {learner}
    empty = "" if is_complete else "completedAt lastAccessedAt accessExpiresAt"
    empty += " certificate" if label == "draft" else ""
    world.plant("Enrollment", name, row, {}, seen=seen, empty=empty)
    world.plant("CourseProgress", f"{name}-progress", row, {}, seen=seen)
    if is_complete:
        opened = course.lectures[1]
        world.given.progress(row, total_lectures=3, completed_lectures=3, current_lecture_id=opened.id)
        done = world.given.lecture_progress(person, opened, is_completed=True, completed_at=LONG_AGO)
        world.plant("LectureProgress", f"{name}-lecture", done, {}, seen=seen)


def plant_analytics(world: World, label: str) -> None:
    course, empty = world.courses[label], "grossRevenue refundedRevenue"
    if label == "published":
        status, empty = TransactionStatus.PARTIALLY_REFUNDED, ""
        world.given.transaction(world.people["enrolled"], course, status, refunded_amount=500)
    staff = world.by_label[label].circles["staff"]
    world.plant("CourseAnalytics", f"{label}-analytics", course.row, {}, seen=staff, empty=empty)
