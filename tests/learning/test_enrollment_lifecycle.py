"""What other rooms do with places in a course: let in who has paid, and end what was paid back."""

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
from tests.factories import START, CourseTree, Factories, global_id
from tests.learning.enrollment_client import HOUR, done, number, rows, told, when
from tests.live_service import Client, Service

wiring.register_hooks()
PURCHASE = EnrollmentSource.PURCHASE


def buy(service: Service, person: User, course: CourseTree) -> int:
    return service.database.write_sync(lambda session: grant_access(session, person.id, course.row.id, PURCHASE))


def pay_back(service: Service, person: User, course: CourseTree) -> None:
    def work(session: Any) -> None:
        place = lock_enrollment(session, person.id, course.row.id)
        assert place is not None
        end_enrollment(session, place, EnrollmentStatus.REFUNDED)

    service.database.write_sync(work)


def test_who_has_paid_has_a_place_with_progress_and_is_counted(make: Factories, service: Service) -> None:
    course, learner = make.course(price=1, lectures=3), make.user()
    keys = {buy(service, learner, course) for _ in range(2)}
    (place,) = rows(service.database, select(Enrollment))
    assert (keys, place.status, place.source) == ({place.id}, EnrollmentStatus.ACTIVE, PURCHASE)
    (progress,) = rows(service.database, select(CourseProgress))
    assert (progress.user_id, progress.total_lectures) == (learner.id, 3)
    assert rows(service.database, select(Course.enrollment_count)) == [1]
    assert service.database.read_sync(counters.find_counter_drift) == []


@pytest.mark.parametrize("kept", list(EnrollmentStatus))
def test_who_has_paid_is_in_for_ever_whatever_was_before(make: Factories, service: Service, kept: Any) -> None:
    course, learner = make.course(price=1, enrollment_count=1), make.user()
    row = make.enrollment(learner, course, kept, source=EnrollmentSource.GRANT, access_expires_at=when(-HOUR))
    make.progress(row, total_lectures=2, completed_lectures=1)
    make.lecture_progress(learner, course.lectures[0], is_completed=True)
    assert buy(service, learner, course) == row.id
    (place,) = rows(service.database, select(Enrollment))
    assert (place.status, place.source, place.access_expires_at) == (EnrollmentStatus.ACTIVE, PURCHASE, None)
    assert place.enrolled_at == START
    assert rows(service.database, select(CourseProgress.completed_lectures)) == [1]
    assert service.database.read_sync(counters.find_counter_drift) == []


def test_what_is_paid_back_ends_with_its_certificate_and_both_come_back(
    client: Client, make: Factories, service: Service
) -> None:
    course, learner = make.course(price=1), make.user()
    row = make.enrollment(learner, course, EnrollmentStatus.COMPLETED, source=PURCHASE, completed_at=START)
    make.progress(row, total_lectures=2, completed_lectures=2)
    make.certificate(learner, course)
    pay_back(service, learner, course)
    (place,) = rows(service.database, select(Enrollment))
    assert (place.status, place.completed_at) == (EnrollmentStatus.REFUNDED, START)
    assert rows(service.database, select(Certificate.revocation_reason)) == [RevocationReason.REFUND]
    assert number(service.database, CourseProgress, CourseProgress.completed_lectures == 2) == 1
    assert buy(service, learner, course) == row.id
    assert rows(service.database, select(Enrollment.status)) == [EnrollmentStatus.COMPLETED]
    assert rows(service.database, select(Certificate.revoked_at)) == [None]
    assert [len(told(service.database, f"certificate.{what}")) for what in ("revoked", "reinstated")] == [1, 1]


def test_who_comes_back_to_nothing_left_to_do_has_completed_the_course(
    client: Client, make: Factories, service: Service
) -> None:
    """A lecture was removed while they were away."""
    course, learner = make.course(), make.user()
    row = make.enrollment(learner, course, EnrollmentStatus.CANCELLED)
    make.progress(row, total_lectures=2, completed_lectures=1)
    first, second = course.lectures
    make.lecture_progress(learner, first, is_completed=True)
    remove = "mutation R($input: LectureIdInput!) { deleteLecture(input: $input) { errors { code } } }"
    asked = {"lectureId": global_id("Lecture", second)}
    assert client.execute(remove, as_=make.actor(course.instructor), input=asked)["deleteLecture"]["errors"] == []
    assert rows(service.database, select(Enrollment.status)) == [EnrollmentStatus.CANCELLED]
    found = done(client, make.actor(learner), "enroll", courseId=course.global_id)
    assert (found["status"], found["progress"]["percent"]) == ("COMPLETED", 100)
    assert found["certificate"] == {"status": "VALID"}


def test_a_transaction_that_fails_after_it_leaves_no_place(make: Factories, service: Service) -> None:
    course, learner = make.course(price=1), make.user()

    def fail(session: Any) -> None:
        grant_access(session, learner.id, course.row.id, PURCHASE)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        service.database.write_sync(fail)
    assert number(service.database, Enrollment) == number(service.database, CourseProgress) == 0
    assert rows(service.database, select(Course.enrollment_count)) == [0]


def test_a_free_course_is_no_way_round_a_suspension(client: Client, make: Factories, service: Service) -> None:
    course, learner = make.course(), make.user()
    done(client, make.actor(learner), "enroll", courseId=course.global_id)
    with service.engine.begin() as connection:
        connection.execute(update(Enrollment).values(status=EnrollmentStatus.SUSPENDED))
    documents = (
        ("enroll", "EnrollInput", {"courseId": course.global_id}),
        ("cancelEnrollment", "EnrollmentIdInput", {"enrollmentId": _id(client, make, learner)}),
    )
    for mutation, kind, input in documents * 2:
        document = f"mutation S($input: {kind}!) {{ {mutation}(input: $input) {{ errors {{ code }} }} }}"
        answer = client.execute(document, as_=make.actor(learner), input=input)[mutation]
        assert answer["errors"] == [{"code": "INVALID_TRANSITION"}]
    assert rows(service.database, select(Enrollment.status)) == [EnrollmentStatus.SUSPENDED]


def _id(client: Client, make: Factories, learner: User) -> str:
    answer = client.execute("{ me { enrollments { nodes { id } } } }", as_=make.actor(learner))
    id: str = answer["me"]["enrollments"]["nodes"][0]["id"]
    return id
