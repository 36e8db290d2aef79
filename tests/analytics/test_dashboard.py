"""`User.teaching`, the instructor's dashboard: visibility and values."""

import itertools
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from lms_graphql.analytics.services import refresh
from lms_graphql.catalog.models import Course, CourseStatus, Enrollment, EnrollmentStatus
from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from tests.factories import Factories, global_id
from tests.live_service import Client, Service
from tests.row_writer import START

pytestmark = pytest.mark.usefixtures("no_maintenance")

MY_DASHBOARD = "{ me { teaching { id courseCount learnerCount enrollmentCount completionCount } } }"
DASHBOARD = "query T($id: ID!) { node(id: $id) { ... on User { username teaching { id courseCount } } } }"


def my_dashboard(client: Client, actor: Actor) -> Any:
    return client.execute(MY_DASHBOARD, as_=actor)["me"]["teaching"]


def test_dashboard_is_visible_to_its_instructor_and_super_admins(
    client: Client, service: Service, make: Factories
) -> None:
    instructor, other_instructor = (make.user(Role.INSTRUCTOR) for _ in range(2))
    make.enrollment(enrolled := make.user(), make.course(instructor=instructor))
    id = global_id("User", instructor)
    for is_stored in (False, True):
        for actor in (ANONYMOUS, make.actor(enrolled), make.actor(other_instructor)):
            body = client.graphql(DASHBOARD, as_=actor, id=id)
            assert body["data"]["node"] == {"username": instructor.username, "teaching": None}
            assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]
        for actor in (make.actor(instructor), make.actor(make.user(Role.SUPER_ADMIN))):
            dashboard = client.execute(DASHBOARD, as_=actor, id=id)["node"]["teaching"]
            assert dashboard == {"id": global_id("InstructorDashboard", instructor), "courseCount": 1}
            node = client.execute("query N($id: ID!) { node(id: $id) { id } }", as_=actor, id=dashboard["id"])["node"]
            assert node is None
        if not is_stored:
            refresh.refresh_analytics(service.database)


def test_dashboard_is_null_for_learners(client: Client, make: Factories) -> None:
    learner = make.user()
    assert my_dashboard(client, make.actor(learner)) is None
    admin = make.actor(make.user(Role.SUPER_ADMIN))
    assert client.execute(DASHBOARD, as_=admin, id=global_id("User", learner))["node"]["teaching"] is None


def test_dashboard_is_zero_without_courses(client: Client, service: Service, make: Factories) -> None:
    for role in (Role.INSTRUCTOR, Role.SUPER_ADMIN):
        for _ in range(2):
            dashboard = my_dashboard(client, make.actor(make.user(role)))
            assert [number for name, number in dashboard.items() if name != "id"] == [0, 0, 0, 0]
            refresh.refresh_analytics(service.database)


@pytest.mark.parametrize("seed", [1, 2])
def test_dashboard_counts_match_enrollments_before_and_after_refreshes(
    client: Client, service: Service, make: Factories, seed: int
) -> None:
    rng, now = random.Random(seed), datetime.now(UTC)
    instructor, other_instructor = (make.user(Role.INSTRUCTOR) for _ in range(2))
    learners = [make.user() for _ in range(8)]
    courses = [make.course(instructor=instructor, status=rng.choice(list(CourseStatus))) for _ in range(4)]
    make.enrollment(learners[0], make.course(instructor=other_instructor))
    enrollments: list[Enrollment] = []
    pairs = [pair for pair in itertools.product(learners, courses) if rng.random() < 0.5]
    for half in (pairs[::2], pairs[1::2]):
        for learner, course in half:
            status = rng.choice(list(EnrollmentStatus))
            expires = rng.choice([None, now - timedelta(days=1), now + timedelta(days=1)])
            completed = START if status is EnrollmentStatus.COMPLETED else None
            values = {"access_expires_at": expires, "completed_at": completed}
            enrollments.append(make.enrollment(learner, course, status, **values))
            increment_enrollment_count(service, course.row)
        access_statuses = {EnrollmentStatus.ACTIVE, EnrollmentStatus.COMPLETED}
        with_access = [
            enrollment
            for enrollment in enrollments
            if enrollment.status in access_statuses
            and (enrollment.access_expires_at is None or enrollment.access_expires_at > now)
        ]
        expected = {
            "id": global_id("InstructorDashboard", instructor),
            "courseCount": 4,
            "learnerCount": len({enrollment.user_id for enrollment in with_access}),
            "enrollmentCount": len(enrollments),
            "completionCount": sum(enrollment.completed_at is not None for enrollment in enrollments),
        }
        if half is pairs[::2]:
            assert my_dashboard(client, make.actor(instructor)) == expected  # nothing is stored yet
        refresh.refresh_analytics(service.database)
        assert my_dashboard(client, make.actor(instructor)) == expected


def increment_enrollment_count(service: Service, course: Course) -> None:
    """Do what enrolling does in the same transaction."""
    with service.engine.begin() as connection:
        connection.execute(
            text("UPDATE courses SET enrollment_count = enrollment_count + 1 WHERE id = :id"), {"id": course.id}
        )
