"""Coming into a course by oneself, and coming back: who may, what they find, and what it counts for."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from lms_graphql.catalog import counters
from lms_graphql.catalog.models import Course, CourseStatus, Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.certificates.models import Certificate, RevocationReason
from lms_graphql.core.actor import Role
from lms_graphql.learning.models import CourseProgress
from tests.factories import START, Factories, global_id
from tests.learning.enrollment_client import HOUR, MINE, done, number, place, refused, rows, said, when
from tests.live_service import Client, Service

ACTIVE, COMPLETED, CANCELLED = EnrollmentStatus.ACTIVE, EnrollmentStatus.COMPLETED, EnrollmentStatus.CANCELLED
EXPIRED, REFUNDED, SUSPENDED = EnrollmentStatus.EXPIRED, EnrollmentStatus.REFUNDED, EnrollmentStatus.SUSPENDED
FREE, PURCHASE, GRANT = EnrollmentSource.FREE, EnrollmentSource.PURCHASE, EnrollmentSource.GRANT
PRICE = 1999


def test_a_learner_comes_into_a_course_that_costs_nothing(client: Client, make: Factories, service: Service) -> None:
    course, learner = make.course(), make.user()
    actor = make.actor(learner)
    make.quiz(course, is_published=True)
    make.quiz(course)
    make.quiz(course, course.lectures[1], is_published=True)
    before = client.execute(MINE, as_=actor, id=course.global_id)
    assert before["me"]["enrollments"]["nodes"] == []
    assert before["node"]["viewerEnrollment"] is None
    began = datetime.now(UTC)
    made = done(client, actor, "enroll", courseId=course.global_id)
    progress = {"percent": 0, "completedLectures": 0, "passedQuizzes": 0, "watchSeconds": 0}
    assert made == {
        "id": made["id"],
        "status": "ACTIVE",
        "source": "FREE",
        "enrolledAt": made["enrolledAt"],
        "completedAt": None,
        "accessExpiresAt": None,
        "user": {"username": learner.username},
        "course": {"title": course.row.title, "enrollmentCount": 1},
        "progress": {**progress, "totalLectures": 2, "totalQuizzes": 1},
        "certificate": None,
    }
    assert began <= datetime.fromisoformat(made["enrolledAt"]) <= datetime.now(UTC)
    own = {"id": made["id"], "status": "ACTIVE", "source": "FREE"}
    after = client.execute(MINE, as_=actor, id=course.global_id)
    assert after["me"]["enrollments"]["nodes"] == [own]
    assert after["node"] == {**before["node"], "enrollmentCount": 1, "viewerEnrollment": own}
    assert service.database.read_sync(counters.find_counter_drift) == []


@pytest.mark.parametrize(
    ("status", "kept", "until", "price"),
    [
        (CourseStatus.PUBLISHED, ACTIVE, None, 0),
        (CourseStatus.PUBLISHED, ACTIVE, HOUR, PRICE),
        (CourseStatus.PUBLISHED, COMPLETED, None, PRICE),
        (CourseStatus.ARCHIVED, ACTIVE, HOUR, 0),
        (CourseStatus.ARCHIVED, COMPLETED, None, PRICE),
    ],
)
def test_who_is_in_already_stays_in(
    client: Client, make: Factories, service: Service, status: Any, kept: Any, until: Any, price: int
) -> None:
    course, learner = make.course(status=status, price=price, enrollment_count=1), make.user()
    row = make.enrollment(learner, course, kept, access_expires_at=when(until), source=GRANT)
    for _ in range(3):
        found = done(client, make.actor(learner), "enroll", courseId=course.global_id)
        assert (found["id"], found["status"], found["source"]) == (global_id("Enrollment", row), kept.name, "GRANT")
        assert found["accessExpiresAt"] == said(row.access_expires_at)
        assert found["course"]["enrollmentCount"] == 1
    assert rows(service.database, select(Enrollment.updated_at)) == [row.updated_at]


@pytest.mark.parametrize("role", [Role.INSTRUCTOR, Role.SUPER_ADMIN])
def test_nobody_enrolls_in_their_own_course(client: Client, make: Factories, role: Role) -> None:
    for status in CourseStatus:
        course = make.course(instructor=make.user(role), status=status, price=PRICE)
        actor = make.actor(course.instructor)
        assert refused(client, actor, "enroll", courseId=course.global_id) == [("OWN_COURSE", "courseId")]


@pytest.mark.parametrize(
    ("status", "stranger", "admin", "was_there"),
    [
        (CourseStatus.DRAFT, "NOT_FOUND", "NOT_PUBLISHED", "NOT_FOUND"),
        (CourseStatus.ARCHIVED, "NOT_FOUND", "NOT_PUBLISHED", "NOT_PUBLISHED"),
    ],
)
@pytest.mark.parametrize("price", [0, PRICE])
def test_a_course_that_is_not_published_takes_nobody_new(
    client: Client,
    make: Factories,
    service: Service,
    status: Any,
    stranger: str,
    admin: str,
    was_there: str,
    price: int,
) -> None:
    course, learner = make.course(status=status, price=price), make.user()
    make.enrollment(learner, course, CANCELLED, source=PURCHASE)
    for person, code in (
        (make.user(), stranger),
        (make.user(Role.INSTRUCTOR), stranger),
        (make.user(Role.SUPER_ADMIN), admin),
        (learner, was_there),
    ):
        assert refused(client, make.actor(person), "enroll", courseId=course.global_id) == [(code, "courseId")]
    assert number(service.database, Enrollment) == 1
    assert rows(service.database, select(Enrollment.status)) == [CANCELLED]


@pytest.mark.parametrize("role", list(Role))
def test_a_course_with_a_price_is_not_free_through_enroll(
    client: Client, make: Factories, service: Service, role: Role
) -> None:
    course, person = make.course(price=1), make.user(role)
    assert refused(client, make.actor(person), "enroll", courseId=course.global_id) == [
        ("PAYMENT_REQUIRED", "courseId")
    ]
    assert number(service.database, Enrollment) == number(service.database, CourseProgress) == 0
    assert service.database.read_sync(counters.find_counter_drift) == []


def test_an_id_that_is_none_finds_nothing(client: Client, make: Factories) -> None:
    course, actor = make.course(), make.actor(make.user())
    for id in (
        "",
        "nonsense",
        "Q291cnNlOjk5OTk5OTk",
        global_id("User", course.instructor),
        course.global_id + "=",
        "\x00",
        "💥",
    ):
        assert refused(client, actor, "enroll", courseId=id) == [("NOT_FOUND", "courseId")]
        assert refused(client, actor, "cancelEnrollment", enrollmentId=id) == [("NOT_FOUND", "enrollmentId")]


PAST = -HOUR
WAYS_BACK = [
    # price, as it was kept, and what `enroll` makes of it: source and whether the end of access stays; or a refusal
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
def test_coming_back_restores_what_is_theirs_and_no_more(
    client: Client, make: Factories, service: Service, is_completed: bool
) -> None:
    done_at = START + HOUR if is_completed else None
    for price, kept, source, until, becomes, stays in WAYS_BACK:
        course, learner = make.course(price=price, enrollment_count=1), make.user()
        times = {"access_expires_at": when(until), "completed_at": done_at}
        row = make.enrollment(learner, course, kept, source=source, **times)
        make.progress(row, total_lectures=2, completed_lectures=1, total_watch_time=7)
        make.lecture_progress(learner, course.lectures[0], is_completed=True, watch_time=7)
        case = (price, kept.name, source.name, until)
        if not isinstance(becomes, EnrollmentSource):
            answer = refused(client, make.actor(learner), "enroll", courseId=course.global_id)
            assert answer == [(becomes, "courseId")], case
            assert rows(service.database, select(Enrollment.updated_at).where(place(learner, course))) == [
                row.updated_at
            ]
            continue
        found = done(client, make.actor(learner), "enroll", courseId=course.global_id)
        assert (found["id"], found["source"]) == (global_id("Enrollment", row), becomes.name), case
        assert found["status"] == ("COMPLETED" if is_completed else "ACTIVE"), case
        assert found["accessExpiresAt"] == (said(row.access_expires_at) if stays else None), case
        assert (found["enrolledAt"], found["completedAt"]) == (said(START), said(done_at))
        assert (found["progress"]["percent"], found["progress"]["watchSeconds"]) == (50, 7)
        assert found["course"]["enrollmentCount"] == 1
    assert service.database.read_sync(counters.find_counter_drift) == []


@pytest.mark.parametrize(
    ("reason", "status"), [(RevocationReason.REFUND, "VALID"), (RevocationReason.ERROR, "REVOKED")]
)
def test_coming_back_makes_a_certificate_good_again_that_a_refund_had_taken(
    client: Client, make: Factories, service: Service, reason: RevocationReason, status: str
) -> None:
    course, learner, other = make.course(), make.user(), make.user()
    for person in (learner, other):
        make.enrollment(person, course, REFUNDED, source=PURCHASE, completed_at=START)
        make.certificate(person, course, revoked_at=START, revocation_reason=reason)
    found = done(client, make.actor(learner), "enroll", courseId=course.global_id)
    assert (found["status"], found["certificate"]) == ("COMPLETED", {"status": status})
    others = select(Certificate.revocation_reason).where(Certificate.user_id == other.id)
    assert rows(service.database, others) == [reason]


def test_a_place_without_progress_gets_it_when_they_come_back(
    client: Client, make: Factories, service: Service
) -> None:
    course, learner = make.course(lectures=3), make.user()
    make.enrollment(learner, course, CANCELLED)
    done(client, make.actor(learner), "enroll", courseId=course.global_id)
    (progress,) = rows(service.database, select(CourseProgress))
    assert (progress.user_id, progress.course_id) == (learner.id, course.row.id)
    assert (progress.total_lectures, progress.total_quizzes) == (3, 0)


def test_a_course_is_enrolled_in_by_many_and_counts_them_once_each(
    client: Client, make: Factories, service: Service
) -> None:
    course = make.course(lectures=0)
    people = [make.user() for _ in range(3)]
    for expected, person in enumerate(people, 1):
        for _ in range(2):
            found = done(client, make.actor(person), "enroll", courseId=course.global_id)
            assert found["course"]["enrollmentCount"] == expected
    done(
        client,
        make.actor(people[0]),
        "cancelEnrollment",
        enrollmentId=global_id("Enrollment", _of(service, people[0])),
    )
    assert rows(service.database, select(Course.enrollment_count)) == [3]
    assert service.database.read_sync(counters.find_counter_drift) == []


def _of(service: Service, person: Any) -> Enrollment:
    (row,) = rows(service.database, select(Enrollment).where(Enrollment.user_id == person.id))
    assert isinstance(row, Enrollment)
    return row
