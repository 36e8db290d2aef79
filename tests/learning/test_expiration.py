"""Expiration of access: reads report it at once, and maintenance stores it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update

from lms_graphql.accounts.models import User
from lms_graphql.analytics.services import refresh
from lms_graphql.catalog.models import Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.core.actor import Role
from lms_graphql.core.database import Database
from lms_graphql.learning.services import expiration
from lms_graphql.operations import maintenance
from tests.factories import CourseTree, Factories, global_id
from tests.learning.enrollment_client import HOUR, EnrollmentClient, from_now, grant_input, iso, rows
from tests.live_service import Client, Service
from tests.row_writer import START

pytestmark = pytest.mark.usefixtures("no_maintenance")

ACTIVE, COMPLETED, EXPIRED = EnrollmentStatus.ACTIVE, EnrollmentStatus.COMPLETED, EnrollmentStatus.EXPIRED
TEN_YEARS = timedelta(days=3650)
STATUS_QUERY = """query S($id: ID!, $course: ID!) {
  node(id: $id) { ... on Enrollment { status accessExpiresAt } }
  me { expired: enrollments(status: EXPIRED) { totalCount } active: enrollments(status: ACTIVE) { totalCount } }
  course: node(id: $course) { ... on Course { viewerEnrollment { status } sections { lectures {
    isPreview content { videoUrl body resourceUrl } lock { reason }
  } } } }
}"""


def viewer_statuses(client: Client, make: Factories, user: User, course: CourseTree, row: Enrollment) -> Any:
    ids = {"id": global_id("Enrollment", row), "course": course.global_id}
    response = client.execute(STATUS_QUERY, as_=make.actor(user), **ids)
    (_, lecture) = response["course"]["sections"][0]["lectures"]
    return {
        "status": response["node"]["status"],
        "viewer_status": response["course"]["viewerEnrollment"]["status"],
        "expired": response["me"]["expired"]["totalCount"],
        "active": response["me"]["active"]["totalCount"],
        "is_open": lecture["content"] is not None,
        "lock": lecture["lock"] and lecture["lock"]["reason"],
    }


def test_expired_status_does_not_depend_on_maintenance(client: Client, make: Factories, service: Service) -> None:
    course, learner = make.course(), make.user()
    row = make.enrollment(learner, course, access_expires_at=from_now(HOUR))
    active = {"status": "ACTIVE", "viewer_status": "ACTIVE", "expired": 0, "active": 1, "is_open": True, "lock": None}
    assert viewer_statuses(client, make, learner, course, row) == active
    assert expiration.expire_access(service.database) == 0
    expired = {"status": "EXPIRED", "viewer_status": "EXPIRED", "expired": 1, "active": 0, "is_open": False}
    with time_machine.travel(datetime.now(UTC) + HOUR):
        for number in (1, 0):
            statuses = viewer_statuses(client, make, learner, course, row)
            assert statuses == {**expired, "lock": "ENROLLMENT_INACTIVE"}
            assert expiration.expire_access(service.database) == number
        (stored,) = rows(service.database, select(Enrollment))
        assert (stored.status, stored.access_expires_at) == (EXPIRED, row.access_expires_at)
        assert stored.updated_at > row.updated_at


def test_maintenance_expires_only_ended_access(
    client: Client, make: Factories, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiration, "BATCH_SIZE", 2)
    course, expected = make.course(), {}
    for status in EnrollmentStatus:
        for expires in (None, -HOUR, HOUR):
            row = make.enrollment(make.user(), course, status, access_expires_at=from_now(expires))
            has_ended = status in (ACTIVE, COMPLETED) and expires == -HOUR
            expected[row.id] = EXPIRED if has_ended else status
    results = maintenance.run_maintenance(service.database, service.resources.settings)
    assert "enrollments: 2 expired" in [result.text for result in results]
    assert {row.id: row.status for row in rows(service.database, select(Enrollment))} == expected
    results = maintenance.run_maintenance(service.database, service.resources.settings)
    assert not any("enrollments" in result.text for result in results)


def test_grant_after_expiration_restores_completed_status(client: Client, make: Factories, service: Service) -> None:
    course, learner = make.course(price=1), make.user()
    make.enrollment(learner, course, COMPLETED, completed_at=START, access_expires_at=from_now(-HOUR))
    assert expiration.expire_access(service.database) == 1
    api = EnrollmentClient(client, make.actor(course.instructor))
    enrollment = api.ok("grantEnrollment", **grant_input(course, learner))
    assert (enrollment["status"], enrollment["source"]) == ("COMPLETED", "GRANT")
    assert enrollment["completedAt"] == iso(START)


def test_analytics_reflect_expired_access(client: Client, make: Factories, service: Service) -> None:
    course, analytics = make.course(), "query A($id: ID!) { node(id: $id) { ... on Course { analytics { %s } } } }"
    document = analytics % "enrollmentCount activeCount completionCount"
    for status, expires in ((ACTIVE, None), (ACTIVE, HOUR), (COMPLETED, HOUR)):
        values = {"completed_at": START if status is COMPLETED else None, "access_expires_at": from_now(expires)}
        make.enrollment(make.user(), course, status, **values)
    refresh.refresh_analytics(service.database)
    admin = make.actor(make.user(Role.SUPER_ADMIN))

    def counts() -> list[int]:
        return list(client.execute(document, as_=admin, id=course.global_id)["node"]["analytics"].values())

    assert counts() == [3, 2, 1]
    with time_machine.travel(datetime.now(UTC) + 2 * HOUR):
        maintenance.run_maintenance(service.database, service.resources.settings)
        assert counts() == [3, 1, 1]
        assert service.database.read_sync(refresh.find_analytics_drift) == []


@pytest.mark.slow
def test_concurrent_maintenance_respects_extended_access(
    make: Factories, service: Service, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    """Each run has a connection of its own, like another process."""
    monkeypatch.setattr(expiration, "BATCH_SIZE", 3)
    course, learners = make.course(price=1), [make.user() for _ in range(10)]
    for learner in learners:
        make.enrollment(learner, course, source=EnrollmentSource.GRANT)
    databases = [
        Database(service.database.url, pool_size=1, share_writer_lock_with=service.database) for _ in range(2)
    ]
    staff, expires_at = EnrollmentClient(client, make.actor(course.instructor)), from_now(TEN_YEARS)
    with ThreadPoolExecutor(3) as threads:
        for round_number in range(10):
            expired = update(Enrollment).values(status=ACTIVE, access_expires_at=from_now(-HOUR))
            with service.engine.begin() as connection:
                connection.execute(expired)
            barrier = threading.Barrier(3)

            def expire(database: Database, barrier: threading.Barrier = barrier) -> int:
                barrier.wait(60)
                return expiration.expire_access(database)

            def extend(barrier: threading.Barrier = barrier, round_number: int = round_number) -> Any:
                input = grant_input(course, learners[round_number])
                barrier.wait(60)
                return staff.ok("grantEnrollment", **input, accessExpiresAt=iso(expires_at))

            runs = [threads.submit(expire, database) for database in databases]
            assert threads.submit(extend).result(60)["status"] == "ACTIVE"
            assert sum(run.result(60) for run in runs) in (9, 10)
            stored = {row.user_id: row for row in rows(service.database, select(Enrollment))}
            extended = stored.pop(learners[round_number].id)
            assert (extended.status, extended.access_expires_at) == (ACTIVE, expires_at)
            assert {row.status for row in stored.values()} == {EXPIRED}
    for database in databases:
        database.dispose()


def test_interrupted_maintenance_is_continued_by_next_run(
    make: Factories, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiration, "BATCH_SIZE", 2)
    course = make.course()
    for _ in range(5):
        make.enrollment(make.user(), course, access_expires_at=from_now(-HOUR))
    write_sync, is_running = service.database.write_sync, iter((True, False))

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        if not next(is_running):
            raise KeyboardInterrupt
        return write_sync(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(service.database, "write_sync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            expiration.expire_access(service.database)
    statuses = [row.status for row in rows(service.database, select(Enrollment).order_by(Enrollment.id))]
    assert sorted(statuses) == [ACTIVE] * 3 + [EXPIRED] * 2
    assert expiration.expire_access(service.database) == 3


def test_expired_enrollment_cannot_be_cancelled(client: Client, make: Factories, service: Service) -> None:
    course, learner = make.course(), make.user()
    row = make.enrollment(learner, course, access_expires_at=from_now(-HOUR))
    api = EnrollmentClient(client, make.actor(learner))
    for _ in range(2):
        errors = api.user_errors("cancelEnrollment", enrollmentId=global_id("Enrollment", row))
        assert errors == [("INVALID_TRANSITION", "enrollmentId")]
        expiration.expire_access(service.database)
