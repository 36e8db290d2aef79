"""The instructor's dashboard: whom it is for, what it counts, and what it costs where much is taught."""

import itertools
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from lms_graphql.analytics.services import refresh
from lms_graphql.catalog.models import Course, CourseStatus, Enrollment, EnrollmentStatus
from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from tests.factories import START, Factories, global_id
from tests.live_service import Client, Service

pytestmark = pytest.mark.usefixtures("unswept")

ME = "{ me { teaching { id courseCount learnerCount enrollmentCount completionCount } } }"
OF = "query T($id: ID!) { node(id: $id) { ... on User { username teaching { id courseCount } } } }"


def me(client: Client, actor: Actor) -> Any:
    return client.execute(ME, as_=actor)["me"]["teaching"]


def test_it_is_for_the_instructor_and_super_admins(client: Client, service: Service, make: Factories) -> None:
    teacher, rival = (make.user(Role.INSTRUCTOR) for _ in range(2))
    make.enrollment(enrolled := make.user(), make.course(instructor=teacher))
    id = global_id("User", teacher)
    for swept in (False, True):
        for actor in (ANONYMOUS, make.actor(enrolled), make.actor(rival)):
            answer = client.graphql(OF, as_=actor, id=id)
            assert answer["data"]["node"] == {"username": teacher.username, "teaching": None}
            assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
        for actor in (make.actor(teacher), make.actor(make.user(Role.SUPER_ADMIN))):
            found = client.execute(OF, as_=actor, id=id)["node"]["teaching"]
            assert found == {"id": global_id("InstructorDashboard", teacher), "courseCount": 1}
            assert (
                client.execute("query N($id: ID!) { node(id: $id) { id } }", as_=actor, id=found["id"])["node"]
                is None
            )
        if not swept:
            refresh.refresh_analytics(service.database)


def test_it_is_null_for_a_learner_without_an_error(client: Client, make: Factories) -> None:
    learner = make.user()
    assert me(client, make.actor(learner)) is None
    admin = make.actor(make.user(Role.SUPER_ADMIN))
    assert client.execute(OF, as_=admin, id=global_id("User", learner))["node"]["teaching"] is None


def test_who_teaches_nothing_yet_has_noughts(client: Client, service: Service, make: Factories) -> None:
    for role in (Role.INSTRUCTOR, Role.SUPER_ADMIN):
        for _ in range(2):
            found = me(client, make.actor(make.user(role)))
            assert [number for name, number in found.items() if name != "id"] == [0, 0, 0, 0]
            refresh.refresh_analytics(service.database)


@pytest.mark.parametrize("seed", [1, 2])
def test_it_counts_courses_enrollments_completions_and_distinct_people_with_access(
    client: Client, service: Service, make: Factories, seed: int
) -> None:
    rng, now = random.Random(seed), datetime.now(UTC)
    teacher, rival = (make.user(Role.INSTRUCTOR) for _ in range(2))
    people = [make.user() for _ in range(8)]
    courses = [make.course(instructor=teacher, status=rng.choice(list(CourseStatus))) for _ in range(4)]
    make.enrollment(people[0], make.course(instructor=rival))
    made: list[Enrollment] = []
    pairs = [pair for pair in itertools.product(people, courses) if rng.random() < 0.5]
    for portion in (pairs[::2], pairs[1::2]):
        for person, course in portion:
            status = rng.choice(list(EnrollmentStatus))
            expires = rng.choice([None, now - timedelta(days=1), now + timedelta(days=1)])
            completed = START if status is EnrollmentStatus.COMPLETED else None
            values = {"access_expires_at": expires, "completed_at": completed}
            made.append(make.enrollment(person, course, status, **values))
            count_enrollment(service, course.row)
        open_ = {EnrollmentStatus.ACTIVE, EnrollmentStatus.COMPLETED}
        with_access = [
            one
            for one in made
            if one.status in open_ and (one.access_expires_at is None or one.access_expires_at > now)
        ]
        expected = {
            "id": global_id("InstructorDashboard", teacher),
            "courseCount": 4,
            "learnerCount": len({one.user_id for one in with_access}),
            "enrollmentCount": len(made),
            "completionCount": sum(one.completed_at is not None for one in made),
        }
        if portion is pairs[::2]:
            assert me(client, make.actor(teacher)) == expected  # nothing is kept yet
        refresh.refresh_analytics(service.database)
        assert me(client, make.actor(teacher)) == expected


def count_enrollment(service: Service, course: Course) -> None:
    """As whoever enrolls does in the same transaction."""
    with service.engine.begin() as connection:
        connection.execute(
            text("UPDATE courses SET enrollment_count = enrollment_count + 1 WHERE id = :id"), {"id": course.id}
        )
