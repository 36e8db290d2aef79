"""Lifecycle of enrollments as other packages use it: access after a purchase, and its end after a refund."""

from typing import Any

import pytest
from sqlalchemy import select, update

from lms_graphql import wiring
from lms_graphql.accounts.models import User
from lms_graphql.catalog import counters
from lms_graphql.catalog.models import Course, Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.certificates.models import Certificate, RevocationReason
from lms_graphql.learning.models import CourseProgress
from lms_graphql.learning.services.enrollment_lifecycle import end_enrollment, grant_access, lock_enrollment
from tests.catalog.curriculum_client import CurriculumClient
from tests.factories import CourseTree, Factories, global_id
from tests.learning.enrollment_client import HOUR, EnrollmentClient, audit_events, count, from_now, rows
from tests.live_service import Client, Service
from tests.row_writer import START

wiring.register_hooks()
PURCHASE = EnrollmentSource.PURCHASE


def buy(service: Service, user: User, course: CourseTree) -> int:
    return service.database.write_sync(lambda session: grant_access(session, user.id, course.row.id, PURCHASE))


def refund(service: Service, user: User, course: CourseTree) -> None:
    def end(session: Any) -> None:
        enrollment = lock_enrollment(session, user.id, course.row.id)
        assert enrollment is not None
        end_enrollment(session, enrollment, EnrollmentStatus.REFUNDED)

    service.database.write_sync(end)


def test_purchase_creates_enrollment_with_progress(make: Factories, service: Service) -> None:
    course, learner = make.course(price=1, lectures=3), make.user()
    keys = {buy(service, learner, course) for _ in range(2)}
    (enrollment,) = rows(service.database, select(Enrollment))
    assert keys == {enrollment.id}
    assert (enrollment.status, enrollment.source) == (EnrollmentStatus.ACTIVE, PURCHASE)
    (progress,) = rows(service.database, select(CourseProgress))
    assert (progress.user_id, progress.total_lectures) == (learner.id, 3)
    assert rows(service.database, select(Course.enrollment_count)) == [1]
    assert service.database.read_sync(counters.find_counter_drift) == []


@pytest.mark.parametrize("status", list(EnrollmentStatus))
def test_purchase_gives_unlimited_access_to_any_enrollment(make: Factories, service: Service, status: Any) -> None:
    course, learner = make.course(price=1, enrollment_count=1), make.user()
    expired_at = from_now(-HOUR)
    row = make.enrollment(learner, course, status, source=EnrollmentSource.GRANT, access_expires_at=expired_at)
    make.progress(row, total_lectures=2, completed_lectures=1)
    make.lecture_progress(learner, course.lectures[0], is_completed=True)
    assert buy(service, learner, course) == row.id
    (enrollment,) = rows(service.database, select(Enrollment))
    assert (enrollment.status, enrollment.source) == (EnrollmentStatus.ACTIVE, PURCHASE)
    assert (enrollment.access_expires_at, enrollment.enrolled_at) == (None, START)
    assert rows(service.database, select(CourseProgress.completed_lectures)) == [1]
    assert service.database.read_sync(counters.find_counter_drift) == []


def test_refund_revokes_certificate_until_purchased_again(make: Factories, service: Service) -> None:
    course, learner = make.course(price=1), make.user()
    row = make.enrollment(learner, course, EnrollmentStatus.COMPLETED, source=PURCHASE, completed_at=START)
    make.progress(row, total_lectures=2, completed_lectures=2)
    make.certificate(learner, course)
    refund(service, learner, course)
    (enrollment,) = rows(service.database, select(Enrollment))
    assert (enrollment.status, enrollment.completed_at) == (EnrollmentStatus.REFUNDED, START)
    assert rows(service.database, select(Certificate.revocation_reason)) == [RevocationReason.REFUND]
    assert count(service.database, CourseProgress, CourseProgress.completed_lectures == 2) == 1
    assert buy(service, learner, course) == row.id
    assert rows(service.database, select(Enrollment.status)) == [EnrollmentStatus.COMPLETED]
    assert rows(service.database, select(Certificate.revoked_at)) == [None]
    actions = ("certificate.revoked", "certificate.reinstated")
    assert [len(audit_events(service.database, action)) for action in actions] == [1, 1]


def test_reenrolling_completes_course_after_lecture_deletion(
    client: Client, make: Factories, service: Service
) -> None:
    """A lecture was deleted while the enrollment was cancelled."""
    course, learner = make.course(), make.user()
    row = make.enrollment(learner, course, EnrollmentStatus.CANCELLED)
    make.progress(row, total_lectures=2, completed_lectures=1)
    first, second = course.lectures
    make.lecture_progress(learner, first, is_completed=True)
    author = CurriculumClient(client, make.actor(course.instructor))
    author.ok("deleteLecture", lectureId=global_id("Lecture", second))
    assert rows(service.database, select(Enrollment.status)) == [EnrollmentStatus.CANCELLED]
    enrollment = EnrollmentClient(client, make.actor(learner)).ok("enroll", courseId=course.global_id)
    assert (enrollment["status"], enrollment["progress"]["percent"]) == ("COMPLETED", 100)
    assert enrollment["certificate"] == {"status": "VALID"}


def test_failed_transaction_leaves_no_enrollment(make: Factories, service: Service) -> None:
    course, learner = make.course(price=1), make.user()

    def fail(session: Any) -> None:
        grant_access(session, learner.id, course.row.id, PURCHASE)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        service.database.write_sync(fail)
    assert count(service.database, Enrollment) == count(service.database, CourseProgress) == 0
    assert rows(service.database, select(Course.enrollment_count)) == [0]


def test_suspended_enrollment_cannot_be_restored_or_cancelled(
    client: Client, make: Factories, service: Service
) -> None:
    course = make.course()
    api = EnrollmentClient(client, make.actor(make.user()))
    enrollment_id = api.ok("enroll", courseId=course.global_id)["id"]
    with service.engine.begin() as connection:
        connection.execute(update(Enrollment).values(status=EnrollmentStatus.SUSPENDED))
    for _ in range(2):
        assert api.user_errors("enroll", courseId=course.global_id) == [("INVALID_TRANSITION", "courseId")]
        errors = api.user_errors("cancelEnrollment", enrollmentId=enrollment_id)
        assert errors == [("INVALID_TRANSITION", "enrollmentId")]
    assert rows(service.database, select(Enrollment.status)) == [EnrollmentStatus.SUSPENDED]
