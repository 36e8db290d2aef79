"""Access that runs out: it reads so at once, and is kept so by the sweep."""

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
from tests.factories import START, CourseTree, Factories, global_id
from tests.learning.enrollment_client import HOUR, done, ids_of, refused, rows, said, when
from tests.live_service import Client, Service

pytestmark = pytest.mark.usefixtures("unswept")

ACTIVE, COMPLETED, EXPIRED = EnrollmentStatus.ACTIVE, EnrollmentStatus.COMPLETED, EnrollmentStatus.EXPIRED
LONG = timedelta(days=3650)
SEEN = """query S($id: ID!, $course: ID!) {
  node(id: $id) { ... on Enrollment { status accessExpiresAt } }
  me { expired: enrollments(status: EXPIRED) { totalCount } active: enrollments(status: ACTIVE) { totalCount } }
  course: node(id: $course) { ... on Course { viewerEnrollment { status } sections { lectures {
    isPreview content { videoUrl body resourceUrl } lock { reason }
  } } } }
}"""


def seen(client: Client, make: Factories, person: User, course: CourseTree, row: Enrollment) -> Any:
    answer = client.execute(SEEN, as_=make.actor(person), id=global_id("Enrollment", row), course=course.global_id)
    (_, closed) = answer["course"]["sections"][0]["lectures"]
    return {
        "status": answer["node"]["status"],
        "own": answer["course"]["viewerEnrollment"]["status"],
        "expired": answer["me"]["expired"]["totalCount"],
        "active": answer["me"]["active"]["totalCount"],
        "is_open": closed["content"] is not None,
        "lock": closed["lock"] and closed["lock"]["reason"],
    }


def test_a_place_reads_the_same_before_and_after_the_sweep(client: Client, make: Factories, service: Service) -> None:
    course, learner = make.course(), make.user()
    row = make.enrollment(learner, course, access_expires_at=when(HOUR))
    open_ = {"status": "ACTIVE", "own": "ACTIVE", "expired": 0, "active": 1, "is_open": True, "lock": None}
    assert seen(client, make, learner, course, row) == open_
    assert expiration.expire_access(service.database) == 0
    over = {"status": "EXPIRED", "own": "EXPIRED", "expired": 1, "active": 0, "is_open": False}
    with time_machine.travel(datetime.now(UTC) + HOUR):
        for expired in (1, 0):
            assert seen(client, make, learner, course, row) == {**over, "lock": "ENROLLMENT_INACTIVE"}
            assert expiration.expire_access(service.database) == expired
        (kept,) = rows(service.database, select(Enrollment))
        assert (kept.status, kept.access_expires_at) == (EXPIRED, row.access_expires_at)
        assert kept.updated_at > row.updated_at


def test_the_sweep_takes_what_has_run_out_and_nothing_else(
    client: Client, make: Factories, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiration, "BATCH_SIZE", 2)
    course, kept = make.course(), {}
    for status in EnrollmentStatus:
        for until in (None, -HOUR, HOUR):
            row = make.enrollment(make.user(), course, status, access_expires_at=when(until))
            runs_out = status in (ACTIVE, COMPLETED) and until == -HOUR
            kept[row.id] = EXPIRED if runs_out else status
    told = maintenance.run_maintenance(service.database, service.resources.settings)
    assert "enrollments: 2 expired" in [line.text for line in told]
    assert {row.id: row.status for row in rows(service.database, select(Enrollment))} == kept
    told = maintenance.run_maintenance(service.database, service.resources.settings)
    assert not any("enrollments" in line.text for line in told)


def test_who_had_completed_the_course_comes_back_as_that(client: Client, make: Factories, service: Service) -> None:
    course, learner = make.course(price=1), make.user()
    make.enrollment(learner, course, COMPLETED, completed_at=START, access_expires_at=when(-HOUR))
    assert expiration.expire_access(service.database) == 1
    found = done(client, make.actor(course.instructor), "grantEnrollment", **ids_of(course, learner))
    assert (found["status"], found["completedAt"], found["source"]) == ("COMPLETED", said(START), "GRANT")


def test_figures_for_instructors_see_what_the_sweep_has_done(
    client: Client, make: Factories, service: Service
) -> None:
    course, analytics = make.course(), "query A($id: ID!) { node(id: $id) { ... on Course { analytics { %s } } } }"
    document = analytics % "enrollmentCount activeCount completionCount"
    for status, until in ((ACTIVE, None), (ACTIVE, HOUR), (COMPLETED, HOUR)):
        values = {"completed_at": START if status is COMPLETED else None, "access_expires_at": when(until)}
        make.enrollment(make.user(), course, status, **values)
    refresh.refresh_analytics(service.database)
    admin = make.actor(make.user(Role.SUPER_ADMIN))

    def figures() -> list[int]:
        return list(client.execute(document, as_=admin, id=course.global_id)["node"]["analytics"].values())

    assert figures() == [3, 2, 1]
    with time_machine.travel(datetime.now(UTC) + 2 * HOUR):
        maintenance.run_maintenance(service.database, service.resources.settings)
        assert figures() == [3, 1, 1]
        assert service.database.read_sync(refresh.find_analytics_drift) == []


@pytest.mark.slow
def test_two_sweeps_and_who_gives_more_time_do_not_hinder_each_other(
    make: Factories, service: Service, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    """Sweeps on connections of their own, as two processes would."""
    monkeypatch.setattr(expiration, "BATCH_SIZE", 3)
    course, learners = make.course(price=1), [make.user() for _ in range(10)]
    for learner in learners:
        make.enrollment(learner, course, source=EnrollmentSource.GRANT)
    others = [Database(service.database.url, pool_size=1, in_line_with=service.database) for _ in range(2)]
    staff, until = make.actor(course.instructor), when(LONG)
    with ThreadPoolExecutor(3) as threads:
        for turn in range(10):
            run_out = update(Enrollment).values(status=ACTIVE, access_expires_at=when(-HOUR))
            with service.engine.begin() as connection:
                connection.execute(run_out)
            barrier = threading.Barrier(3)

            def sweep(database: Database, barrier: threading.Barrier = barrier) -> int:
                barrier.wait(10)
                return expiration.expire_access(database)

            def give(barrier: threading.Barrier = barrier, turn: int = turn) -> Any:
                asked = {**ids_of(course, learners[turn]), "accessExpiresAt": said(until)}
                barrier.wait(10)
                return done(client, staff, "grantEnrollment", **asked)

            both = [threads.submit(sweep, database) for database in others]
            assert threads.submit(give).result(30)["status"] == "ACTIVE"
            assert sum(one.result(30) for one in both) in (9, 10)
            found = {row.user_id: row for row in rows(service.database, select(Enrollment))}
            lucky = found.pop(learners[turn].id)
            assert (lucky.status, lucky.access_expires_at) == (ACTIVE, until)
            assert {row.status for row in found.values()} == {EXPIRED}
    for database in others:
        database.dispose()


def test_a_sweep_that_is_stopped_in_the_middle_is_taken_up_by_the_next(
    make: Factories, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiration, "BATCH_SIZE", 2)
    course = make.course()
    for _ in range(5):
        make.enrollment(make.user(), course, access_expires_at=when(-HOUR))
    write, portions = service.database.write_sync, iter((True, False))

    def stop(*make: Any, **more: Any) -> Any:
        if not next(portions):
            raise KeyboardInterrupt
        return write(*make, **more)

    with monkeypatch.context() as patch:
        patch.setattr(service.database, "write_sync", stop)
        with pytest.raises(KeyboardInterrupt):
            expiration.expire_access(service.database)
    statuses = [row.status for row in rows(service.database, select(Enrollment).order_by(Enrollment.id))]
    assert sorted(statuses) == [ACTIVE] * 3 + [EXPIRED] * 2
    assert expiration.expire_access(service.database) == 3


def test_access_that_has_run_out_is_not_given_up(client: Client, make: Factories, service: Service) -> None:
    course, learner = make.course(), make.user()
    row = make.enrollment(learner, course, access_expires_at=when(-HOUR))
    for _ in range(2):
        answer = refused(client, make.actor(learner), "cancelEnrollment", enrollmentId=global_id("Enrollment", row))
        assert answer == [("INVALID_TRANSITION", "enrollmentId")]
        expiration.expire_access(service.database)
