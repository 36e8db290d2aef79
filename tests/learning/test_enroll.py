"""Enrolling in a course, and returning to it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from lms_graphql.catalog import counters
from lms_graphql.catalog.models import Course, CourseStatus, Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.certificates.models import Certificate, RevocationReason
from lms_graphql.core.actor import Role
from lms_graphql.learning.models import CourseProgress
from tests.factories import Factories, global_id
from tests.learning.enrollment_client import (
    HOUR,
    VIEWER_ENROLLMENTS,
    EnrollmentClient,
    count,
    from_now,
    is_enrollment,
    iso,
    rows,
)
from tests.live_service import Client, Service
from tests.row_writer import START

ACTIVE, COMPLETED, CANCELLED = EnrollmentStatus.ACTIVE, EnrollmentStatus.COMPLETED, EnrollmentStatus.CANCELLED
EXPIRED, REFUNDED, SUSPENDED = EnrollmentStatus.EXPIRED, EnrollmentStatus.REFUNDED, EnrollmentStatus.SUSPENDED
FREE, PURCHASE, GRANT = EnrollmentSource.FREE, EnrollmentSource.PURCHASE, EnrollmentSource.GRANT
PRICE = 1999


def test_learner_enrolls_in_free_course(client: Client, make: Factories, service: Service) -> None:
    course, learner = make.course(), make.user()
    actor = make.actor(learner)
    make.quiz(course, is_published=True)
    make.quiz(course)
    make.quiz(course, course.lectures[1], is_published=True)
    before = client.execute(VIEWER_ENROLLMENTS, as_=actor, id=course.global_id)
    assert before["me"]["enrollments"]["nodes"] == []
    assert before["node"]["viewerEnrollment"] is None
    started_at = datetime.now(UTC)
    enrollment = EnrollmentClient(client, actor).ok("enroll", courseId=course.global_id)
    progress = {"percent": 0, "completedLectures": 0, "passedQuizzes": 0, "watchSeconds": 0}
    assert enrollment == {
        "id": enrollment["id"],
        "status": "ACTIVE",
        "source": "FREE",
        "enrolledAt": enrollment["enrolledAt"],
        "completedAt": None,
        "accessExpiresAt": None,
        "user": {"username": learner.username},
        "course": {"title": course.row.title, "enrollmentCount": 1},
        "progress": {**progress, "totalLectures": 2, "totalQuizzes": 1},
        "certificate": None,
    }
    assert started_at <= datetime.fromisoformat(enrollment["enrolledAt"]) <= datetime.now(UTC)
    expected = {"id": enrollment["id"], "status": "ACTIVE", "source": "FREE"}
    after = client.execute(VIEWER_ENROLLMENTS, as_=actor, id=course.global_id)
    assert after["me"]["enrollments"]["nodes"] == [expected]
    assert after["node"] == {**before["node"], "enrollmentCount": 1, "viewerEnrollment": expected}
    assert service.database.read_sync(counters.find_counter_drift) == []


@pytest.mark.parametrize(
    ("course_status", "status", "expires", "price"),
    [
        (CourseStatus.PUBLISHED, ACTIVE, None, 0),
        (CourseStatus.PUBLISHED, ACTIVE, HOUR, PRICE),
        (CourseStatus.PUBLISHED, COMPLETED, None, PRICE),
        (CourseStatus.ARCHIVED, ACTIVE, HOUR, 0),
        (CourseStatus.ARCHIVED, COMPLETED, None, PRICE),
    ],
)
def test_repeated_enrollment_returns_same_enrollment(
    client: Client, make: Factories, service: Service, course_status: Any, status: Any, expires: Any, price: int
) -> None:
    course, learner = make.course(status=course_status, price=price, enrollment_count=1), make.user()
    row = make.enrollment(learner, course, status, access_expires_at=from_now(expires), source=GRANT)
    api = EnrollmentClient(client, make.actor(learner))
    for _ in range(3):
        enrollment = api.ok("enroll", courseId=course.global_id)
        assert enrollment["id"] == global_id("Enrollment", row)
        assert (enrollment["status"], enrollment["source"]) == (status.name, "GRANT")
        assert enrollment["accessExpiresAt"] == iso(row.access_expires_at)
        assert enrollment["course"]["enrollmentCount"] == 1
    assert rows(service.database, select(Enrollment.updated_at)) == [row.updated_at]


@pytest.mark.parametrize("role", [Role.INSTRUCTOR, Role.SUPER_ADMIN])
def test_instructor_cannot_enroll_in_own_course(client: Client, make: Factories, role: Role) -> None:
    for status in CourseStatus:
        course = make.course(instructor=make.user(role), status=status, price=PRICE)
        api = EnrollmentClient(client, make.actor(course.instructor))
        assert api.user_errors("enroll", courseId=course.global_id) == [("OWN_COURSE", "courseId")]


@pytest.mark.parametrize(
    ("status", "other_user", "admin", "former_learner"),
    [
        (CourseStatus.DRAFT, "NOT_FOUND", "NOT_PUBLISHED", "NOT_FOUND"),
        (CourseStatus.ARCHIVED, "NOT_FOUND", "NOT_PUBLISHED", "NOT_PUBLISHED"),
    ],
)
@pytest.mark.parametrize("price", [0, PRICE])
def test_enrollment_is_closed_unless_course_is_published(
    client: Client,
    make: Factories,
    service: Service,
    status: Any,
    other_user: str,
    admin: str,
    former_learner: str,
    price: int,
) -> None:
    course, learner = make.course(status=status, price=price), make.user()
    make.enrollment(learner, course, CANCELLED, source=PURCHASE)
    for user, code in (
        (make.user(), other_user),
        (make.user(Role.INSTRUCTOR), other_user),
        (make.user(Role.SUPER_ADMIN), admin),
        (learner, former_learner),
    ):
        api = EnrollmentClient(client, make.actor(user))
        assert api.user_errors("enroll", courseId=course.global_id) == [(code, "courseId")]
    assert count(service.database, Enrollment) == 1
    assert rows(service.database, select(Enrollment.status)) == [CANCELLED]


@pytest.mark.parametrize("role", list(Role))
def test_enrolling_in_priced_course_requires_payment(
    client: Client, make: Factories, service: Service, role: Role
) -> None:
    course = make.course(price=1)
    api = EnrollmentClient(client, make.actor(make.user(role)))
    assert api.user_errors("enroll", courseId=course.global_id) == [("PAYMENT_REQUIRED", "courseId")]
    assert count(service.database, Enrollment) == count(service.database, CourseProgress) == 0
    assert service.database.read_sync(counters.find_counter_drift) == []


def test_invalid_ids_are_not_found(client: Client, make: Factories) -> None:
    course, api = make.course(), EnrollmentClient(client, make.actor(make.user()))
    invalid_ids = [
        "",
        "nonsense",
        "Q291cnNlOjk5OTk5OTk",
        global_id("User", course.instructor),
        course.global_id + "=",
        "\x00",
        "💥",
    ]
    for id in invalid_ids:
        assert api.user_errors("enroll", courseId=id) == [("NOT_FOUND", "courseId")]
        assert api.user_errors("cancelEnrollment", enrollmentId=id) == [("NOT_FOUND", "enrollmentId")]


PAST = -HOUR
REENROLLMENTS = [
    # price, previous status, source and end of access; then the source after `enroll` or its error, and end of access
    (0, CANCELLED, FREE, None, FREE, None),
    (0, CANCELLED, PURCHASE, None, PURCHASE, None),
    (0, CANCELLED, GRANT, None, GRANT, None),
    (0, CANCELLED, GRANT, HOUR, FREE, None),
    (0, CANCELLED, GRANT, PAST, FREE, None),
    (0, ACTIVE, GRANT, PAST, FREE, None),
    (0, EXPIRED, GRANT, PAST, FREE, None),
    (0, REFUNDED, PURCHASE, None, FREE, None),
    (PRICE, CANCELLED, PURCHASE, None, PURCHASE, None),
    (PRICE, CANCELLED, GRANT, None, GRANT, None),
    (PRICE, CANCELLED, GRANT, HOUR, GRANT, HOUR),
    (PRICE, CANCELLED, FREE, None, "PAYMENT_REQUIRED", None),
    (PRICE, CANCELLED, GRANT, PAST, "PAYMENT_REQUIRED", None),
    (PRICE, ACTIVE, GRANT, PAST, "PAYMENT_REQUIRED", None),
    (PRICE, COMPLETED, GRANT, PAST, "PAYMENT_REQUIRED", None),
    (PRICE, EXPIRED, GRANT, HOUR, "PAYMENT_REQUIRED", None),
    (PRICE, REFUNDED, PURCHASE, None, "PAYMENT_REQUIRED", None),
    (0, SUSPENDED, FREE, None, "INVALID_TRANSITION", None),
    (PRICE, SUSPENDED, PURCHASE, None, "INVALID_TRANSITION", None),
]


@pytest.mark.parametrize("is_completed", [False, True])
def test_reenrolling_restores_previous_access(
    client: Client, make: Factories, service: Service, is_completed: bool
) -> None:
    completed_at = START + HOUR if is_completed else None
    for price, status, source, expires, expected, keeps_expiry in REENROLLMENTS:
        case = (price, status.name, source.name, expires)
        course, learner = make.course(price=price, enrollment_count=1), make.user()
        times = {"access_expires_at": from_now(expires), "completed_at": completed_at}
        row = make.enrollment(learner, course, status, source=source, **times)
        make.progress(row, total_lectures=2, completed_lectures=1, total_watch_time=7)
        make.lecture_progress(learner, course.lectures[0], is_completed=True, watch_time=7)
        api = EnrollmentClient(client, make.actor(learner))
        if not isinstance(expected, EnrollmentSource):
            assert api.user_errors("enroll", courseId=course.global_id) == [(expected, "courseId")], case
            changed_at = select(Enrollment.updated_at).where(is_enrollment(learner, course))
            assert rows(service.database, changed_at) == [row.updated_at]
            continue
        enrollment = api.ok("enroll", courseId=course.global_id)
        assert (enrollment["id"], enrollment["source"]) == (global_id("Enrollment", row), expected.name), case
        assert enrollment["status"] == ("COMPLETED" if is_completed else "ACTIVE"), case
        assert enrollment["accessExpiresAt"] == (iso(row.access_expires_at) if keeps_expiry else None), case
        assert (enrollment["enrolledAt"], enrollment["completedAt"]) == (iso(START), iso(completed_at))
        assert (enrollment["progress"]["percent"], enrollment["progress"]["watchSeconds"]) == (50, 7)
        assert enrollment["course"]["enrollmentCount"] == 1
    assert service.database.read_sync(counters.find_counter_drift) == []


@pytest.mark.parametrize(
    ("reason", "status"), [(RevocationReason.REFUND, "VALID"), (RevocationReason.ERROR, "REVOKED")]
)
def test_reenrolling_reinstates_only_certificate_revoked_by_refund(
    client: Client, make: Factories, service: Service, reason: RevocationReason, status: str
) -> None:
    course, learner, other = make.course(), make.user(), make.user()
    for user in (learner, other):
        make.enrollment(user, course, REFUNDED, source=PURCHASE, completed_at=START)
        make.certificate(user, course, revoked_at=START, revocation_reason=reason)
    enrollment = EnrollmentClient(client, make.actor(learner)).ok("enroll", courseId=course.global_id)
    assert (enrollment["status"], enrollment["certificate"]) == ("COMPLETED", {"status": status})
    reasons = select(Certificate.revocation_reason).where(Certificate.user_id == other.id)
    assert rows(service.database, reasons) == [reason]


def test_reenrolling_creates_missing_progress(client: Client, make: Factories, service: Service) -> None:
    course, learner = make.course(lectures=3), make.user()
    make.enrollment(learner, course, CANCELLED)
    EnrollmentClient(client, make.actor(learner)).ok("enroll", courseId=course.global_id)
    (progress,) = rows(service.database, select(CourseProgress))
    assert (progress.user_id, progress.course_id) == (learner.id, course.row.id)
    assert (progress.total_lectures, progress.total_quizzes) == (3, 0)


def test_enrollment_count_counts_each_learner_once(client: Client, make: Factories, service: Service) -> None:
    course = make.course(lectures=0)
    clients = [EnrollmentClient(client, make.actor(make.user())) for _ in range(3)]
    for expected, api in enumerate(clients, 1):
        for _ in range(2):
            enrollment = api.ok("enroll", courseId=course.global_id)
            assert enrollment["course"]["enrollmentCount"] == expected
    first = clients[0]
    first.ok("cancelEnrollment", enrollmentId=first.ok("enroll", courseId=course.global_id)["id"])
    assert rows(service.database, select(Course.enrollment_count)) == [3]
    assert service.database.read_sync(counters.find_counter_drift) == []
