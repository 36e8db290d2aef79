"""Races of enrollments on two processes of the service.

These races can be lost, as was tried with a SELECT in place of the lock on the course, within the first rounds:

- Of ten enrollments of one user, six fail on the unique key.
- Of ten users who enroll at the same time, some wait until one transaction is given up.
- A grant and an enrollment at the same time fail three times of four.
- A course is deleted while a learner enrolls.

Only unpublishing cannot be lost, because counting enrollments writes the same row.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from lms_graphql.catalog import counters
from lms_graphql.catalog.models import Course, CourseStatus, Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.core.actor import Role
from lms_graphql.core.statements import execute_dml
from lms_graphql.learning.models import CourseProgress
from tests.concurrency import RaceClients, RaceRequest, code_counts, race_clients, race_rounds
from tests.factories import CourseTree, Factories, global_id
from tests.learning.enrollment_client import HOUR, count, enrollment_request, from_now, grant_input, iso, rows
from tests.processes import Cluster
from tests.row_writer import START

pytestmark = pytest.mark.slow

CLIENTS = 10
ROUNDS = race_rounds(30)
"""Run 300 rounds after a change of how enrollments are created. The longest test then takes a minute."""


@pytest.fixture
def make(two_processes: Cluster) -> Factories:
    return Factories(two_processes.database)


@pytest.fixture
def clients(two_processes: Cluster) -> Iterator[RaceClients]:
    with race_clients(two_processes.urls, CLIENTS) as clients:
        yield clients


def write(cluster: Cluster, *statements: Any) -> None:
    with cluster.database.engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)


def reset(cluster: Cluster, **course: Any) -> None:
    """Delete all enrollments, and publish all courses again."""
    values = {"status": CourseStatus.PUBLISHED, "enrollment_count": 0, **course}
    write(cluster, delete(CourseProgress), delete(Enrollment), update(Course).values(values))


def check_consistency(cluster: Cluster) -> None:
    assert cluster.database.read_sync(counters.find_counter_drift) == []
    assert count(cluster.database, Enrollment) == count(cluster.database, CourseProgress)


def course_request(mutation: str, bearer: str, course: CourseTree) -> RaceRequest:
    document = f"mutation C($input: CourseIdInput!) {{ {mutation}(input: $input) {{ errors {{ code path }} }} }}"
    return RaceRequest(document, {"input": {"courseId": course.global_id}}, bearer)


def enroll_request(bearer: str, course: CourseTree) -> RaceRequest:
    return enrollment_request("enroll", bearer, courseId=course.global_id)


def test_concurrent_enrollments_of_one_user_are_one(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    course, learner = make.course(), make.user()
    request = enroll_request(two_processes.access_token(learner), course)
    for _ in range(ROUNDS):
        responses = clients.race(*[request] * CLIENTS)
        assert code_counts(responses) == {None: CLIENTS}
        (enrollment,) = rows(two_processes.database, select(Enrollment))
        ids = {response.payload["enrollment"]["id"] for response in responses}
        assert ids == {global_id("Enrollment", enrollment)}
        assert rows(two_processes.database, select(Course.enrollment_count)) == [1]
        check_consistency(two_processes)
        reset(two_processes)


def test_concurrent_enrollments_of_ten_users_succeed(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    course = make.course()
    requests = [enroll_request(two_processes.access_token(make.user()), course) for _ in range(CLIENTS)]
    for _ in range(ROUNDS // 2):
        assert code_counts(clients.race(*requests)) == {None: CLIENTS}
        assert rows(two_processes.database, select(Course.enrollment_count)) == [CLIENTS]
        check_consistency(two_processes)
        reset(two_processes)


def test_concurrent_enrollments_in_different_courses_succeed(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    """Their rows are neighbours in the indexes."""
    tokens = [two_processes.access_token(make.user()) for _ in range(CLIENTS)]
    courses = [make.course(lectures=0) for _ in range(CLIENTS)]
    for _ in range(ROUNDS // 2):
        requests = [enroll_request(bearer, course) for bearer, course in zip(tokens, courses, strict=True)]
        assert code_counts(clients.race(*requests)) == {None: CLIENTS}
        check_consistency(two_processes)
        reset(two_processes)


def test_course_is_unpublished_or_has_enrollments(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    course = make.course()
    staff = two_processes.access_token(course.instructor)
    learners = [two_processes.access_token(make.user()) for _ in range(4)]
    for _ in range(ROUNDS):
        requests = [enroll_request(bearer, course) for bearer in learners]
        *enroll_responses, unpublish_response = clients.race(
            *requests, course_request("unpublishCourse", staff, course)
        )
        assert set(code_counts(enroll_responses)) <= {None, "NOT_FOUND"}
        is_draft = unpublish_response.code is None
        assert unpublish_response.code in (None, "IN_USE")
        assert (count(two_processes.database, Enrollment) == 0) is is_draft
        assert code_counts(enroll_responses) == ({"NOT_FOUND": 4} if is_draft else {None: 4})
        check_consistency(two_processes)
        reset(two_processes)


def test_enrollment_during_archiving_succeeds_or_is_rejected(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    course = make.course()
    staff, learner = two_processes.access_token(course.instructor), two_processes.access_token(make.user())
    for _ in range(ROUNDS):
        enroll_response, archive_response = clients.race(
            enroll_request(learner, course), course_request("archiveCourse", staff, course)
        )
        assert archive_response.code is None
        assert enroll_response.code in (None, "NOT_FOUND")
        assert count(two_processes.database, Enrollment) == int(enroll_response.code is None)
        reset(two_processes)


def test_deleted_course_leaves_no_enrollment(two_processes: Cluster, make: Factories, clients: RaceClients) -> None:
    instructor, admin = make.user(Role.INSTRUCTOR), make.user(Role.SUPER_ADMIN)
    staff, learner, other = (two_processes.access_token(user) for user in (instructor, make.user(), admin))
    for _ in range(ROUNDS // 2):
        course = make.course(instructor=instructor, lectures=0)
        unpublish_response, delete_response, *enroll_responses = clients.race(
            course_request("unpublishCourse", staff, course),
            course_request("deleteCourse", staff, course),
            enroll_request(learner, course),
            enroll_request(other, course),
            enrollment_request("grantEnrollment", other, **grant_input(course, admin)),
        )
        assert unpublish_response.code in (None, "IN_USE", "NOT_FOUND")
        assert delete_response.code in (None, "INVALID_TRANSITION", "IN_USE")
        assert set(code_counts(enroll_responses)) <= {None, "NOT_FOUND", "NOT_PUBLISHED"}
        if delete_response.code is None or unpublish_response.code is None:
            assert count(two_processes.database, Enrollment) == 0
        check_consistency(two_processes)
        reset(two_processes)


def test_concurrent_enroll_and_cancel_leave_valid_enrollment(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    course, learner = make.course(price=1), make.user()
    bearer = two_processes.access_token(learner)
    row = make.enrollment(learner, course, source=EnrollmentSource.PURCHASE)
    make.progress(row, total_lectures=2, completed_lectures=1)
    make.lecture_progress(learner, course.lectures[0], is_completed=True)
    enroll = enroll_request(bearer, course)
    cancel = enrollment_request("cancelEnrollment", bearer, enrollmentId=global_id("Enrollment", row))
    for _ in range(ROUNDS):
        assert code_counts(clients.race(*[enroll, cancel] * 4)) == {None: 8}
        (enrollment,) = rows(two_processes.database, select(Enrollment))
        assert (enrollment.id, enrollment.source) == (row.id, EnrollmentSource.PURCHASE)
        assert enrollment.access_expires_at is None
        assert enrollment.status in (EnrollmentStatus.ACTIVE, EnrollmentStatus.CANCELLED)
    assert rows(two_processes.database, select(CourseProgress.completed_lectures)) == [1]


def test_concurrent_grant_and_enrollment_are_one(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    course, learner = make.course(), make.user()
    staff, bearer = two_processes.access_token(course.instructor), two_processes.access_token(learner)
    expires_at = from_now(HOUR)
    enroll = enroll_request(bearer, course)
    grant = enrollment_request(
        "grantEnrollment", staff, **grant_input(course, learner), accessExpiresAt=iso(expires_at)
    )
    for _ in range(ROUNDS):
        assert code_counts(clients.race(*[enroll, grant] * 2)) == {None: 4}
        (enrollment,) = rows(two_processes.database, select(Enrollment))
        expected = {(EnrollmentSource.FREE, None), (EnrollmentSource.GRANT, expires_at)}
        assert (enrollment.source, enrollment.access_expires_at) in expected
        assert rows(two_processes.database, select(Course.enrollment_count)) == [1]
        check_consistency(two_processes)
        reset(two_processes)


def test_grant_cancelled_by_staff_is_never_restored(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    course, learner = make.course(price=1), make.user()
    staff, bearer = two_processes.access_token(course.instructor), two_processes.access_token(learner)
    row = make.enrollment(learner, course, source=EnrollmentSource.GRANT)
    active = update(Enrollment).values(status=EnrollmentStatus.ACTIVE, access_expires_at=None)
    enroll = enroll_request(bearer, course)
    cancel = enrollment_request("cancelEnrollment", staff, enrollmentId=global_id("Enrollment", row))
    for _ in range(ROUNDS):
        cancel_response, *enroll_responses = clients.race(cancel, enroll, enroll)
        assert cancel_response.code is None
        assert set(code_counts(enroll_responses)) <= {None, "PAYMENT_REQUIRED"}
        assert rows(two_processes.database, select(Enrollment.status)) == [EnrollmentStatus.CANCELLED]
        write(two_processes, active)


def test_completed_enrollment_is_not_cancelled(two_processes: Cluster, make: Factories, clients: RaceClients) -> None:
    """A course is completed by a conditional UPDATE of the ACTIVE enrollment, at the same time."""
    course, learner = make.course(), make.user()
    row = make.enrollment(learner, course)
    bearer = two_processes.access_token(learner)
    cancel = enrollment_request("cancelEnrollment", bearer, enrollmentId=global_id("Enrollment", row))
    is_active = (Enrollment.id == row.id, Enrollment.status == EnrollmentStatus.ACTIVE)
    completion = update(Enrollment).where(*is_active)
    completion = completion.values(status=EnrollmentStatus.COMPLETED, completed_at=START)

    def complete() -> bool:
        return two_processes.database.write_sync(lambda session: execute_dml(session, completion)) == 1

    with ThreadPoolExecutor(1) as thread:
        for _ in range(ROUNDS):
            completing = thread.submit(complete)
            responses = clients.race(*[cancel] * 2)
            is_completed = completing.result(30)
            assert code_counts(responses) == ({"INVALID_TRANSITION": 2} if is_completed else {None: 2})
            status = EnrollmentStatus.COMPLETED if is_completed else EnrollmentStatus.CANCELLED
            assert rows(two_processes.database, select(Enrollment.status)) == [status]
            write(two_processes, update(Enrollment).values(status=EnrollmentStatus.ACTIVE, completed_at=None))
