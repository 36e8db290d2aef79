"""Coming into a course by oneself, and coming back: who may, what they find, and what it counts for."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from lms_graphql.catalog import counters
from lms_graphql.catalog.models import Course, CourseStatus, Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.core.actor import Role
from lms_graphql.learning.models import Certificate, CourseProgress, RevocationReason
from tests.factories import START, Given, gid
from tests.learning.enrollment_client import HOUR, MINE, done, number, place, refused, rows, said, when
from tests.live_service import Client, Service

ACTIVE, COMPLETED, CANCELLED = EnrollmentStatus.ACTIVE, EnrollmentStatus.COMPLETED, EnrollmentStatus.CANCELLED
EXPIRED, REFUNDED, SUSPENDED = EnrollmentStatus.EXPIRED, EnrollmentStatus.REFUNDED, EnrollmentStatus.SUSPENDED
FREE, PURCHASE, GRANT = EnrollmentSource.FREE, EnrollmentSource.PURCHASE, EnrollmentSource.GRANT
PRICE = 1999


def test_a_learner_comes_into_a_course_that_costs_nothing(client: Client, given: Given, service: Service) -> None:
    course, learner = given.course(), given.user()
    actor = given.actor(learner)
    given.quiz(course, is_published=True)
    given.quiz(course)
    given.quiz(course, course.lectures[1], is_published=True)
    before = client.ask(MINE, as_=actor, id=course.gid)
    assert before["me"]["enrollments"]["nodes"] == []
    assert before["node"]["viewerEnrollment"] is None
    began = datetime.now(UTC)
    made = done(client, actor, "enroll", courseId=course.gid)
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
    after = client.ask(MINE, as_=actor, id=course.gid)
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
    client: Client, given: Given, service: Service, status: Any, kept: Any, until: Any, price: int
) -> None:
    course, learner = given.course(status=status, price=price, enrollment_count=1), given.user()
    row = given.enrollment(learner, course, kept, access_expires_at=when(until), source=GRANT)
    for _ in range(3):
        found = done(client, given.actor(learner), "enroll", courseId=course.gid)
        assert (found["id"], found["status"], found["source"]) == (gid("Enrollment", row), kept.name, "GRANT")
        assert found["accessExpiresAt"] == said(row.access_expires_at)
        assert found["course"]["enrollmentCount"] == 1
    assert rows(service.database, select(Enrollment.updated_at)) == [row.updated_at]


@pytest.mark.parametrize("role", [Role.INSTRUCTOR, Role.SUPER_ADMIN])
def test_nobody_enrolls_in_their_own_course(client: Client, given: Given, role: Role) -> None:
    for status in CourseStatus:
        course = given.course(instructor=given.user(role), status=status, price=PRICE)
        actor = given.actor(course.instructor)
        assert refused(client, actor, "enroll", courseId=course.gid) == [("OWN_COURSE", "courseId")]


@pytest.mark.parametrize(
    ("status", "stranger", "admin", "was_there"),
    [
        (CourseStatus.DRAFT, "NOT_FOUND", "NOT_PUBLISHED", "NOT_FOUND"),
        (CourseStatus.ARCHIVED, "NOT_FOUND", "NOT_PUBLISHED", "NOT_PUBLISHED"),
    ],
)
@pytest.mark.parametrize("price", [0, PRICE])
def test_a_course_that_is_not_published_takes_nobody_new(
    client: Client, given: Given, service: Service, status: Any, stranger: str, admin: str, was_there: str, price: int
) -> None:
    course, learner = given.course(status=status, price=price), given.user()
    given.enrollment(learner, course, CANCELLED, source=PURCHASE)
    for person, code in (
        (given.user(), stranger),
        (given.user(Role.INSTRUCTOR), stranger),
        (given.user(Role.SUPER_ADMIN), admin),
        (learner, was_there),
    ):
        assert refused(client, given.actor(person), "enroll", courseId=course.gid) == [(code, "courseId")]
    assert number(service.database, Enrollment) == 1
    assert rows(service.database, select(Enrollment.status)) == [CANCELLED]


@pytest.mark.parametrize("role", list(Role))
def test_a_course_with_a_price_is_not_free_through_enroll(
    client: Client, given: Given, service: Service, role: Role
) -> None:
    course, person = given.course(price=1), given.user(role)
    assert refused(client, given.actor(person), "enroll", courseId=course.gid) == [("PAYMENT_REQUIRED", "courseId")]
    assert number(service.database, Enrollment) == number(service.database, CourseProgress) == 0
    assert service.database.read_sync(counters.find_counter_drift) == []


def test_an_id_that_is_none_finds_nothing(client: Client, given: Given) -> None:
    course, actor = given.course(), given.actor(given.user())
    for id in ("", "nonsense", "Q291cnNlOjk5OTk5OTk", gid("User", course.instructor), course.gid + "=", "\x00", "💥"):
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
    client: Client, given: Given, service: Service, is_completed: bool
) -> None:
    done_at = START + HOUR if is_completed else None
    for price, kept, source, until, becomes, stays in WAYS_BACK:
        course, learner = given.course(price=price, enrollment_count=1), given.user()
        times = {"access_expires_at": when(until), "completed_at": done_at}
        row = given.enrollment(learner, course, kept, source=source, **times)
        given.progress(row, total_lectures=2, completed_lectures=1, total_watch_time=7)
        given.lecture_progress(learner, course.lectures[0], is_completed=True, watch_time=7)
        case = (price, kept.name, source.name, until)
        if not isinstance(becomes, EnrollmentSource):
            answer = refused(client, given.actor(learner), "enroll", courseId=course.gid)
            assert answer == [(becomes, "courseId")], case
            assert rows(service.database, select(Enrollment.updated_at).where(place(learner, course))) == [
                row.updated_at
            ]
            continue
        found = done(client, given.actor(learner), "enroll", courseId=course.gid)
        assert (found["id"], found["source"]) == (gid("Enrollment", row), becomes.name), case
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
    client: Client, given: Given, service: Service, reason: RevocationReason, status: str
) -> None:
    course, learner, other = given.course(), given.user(), given.user()
    for person in (learner, other):
        given.enrollment(person, course, REFUNDED, source=PURCHASE, completed_at=START)
        given.certificate(person, course, revoked_at=START, revocation_reason=reason)
    found = done(client, given.actor(learner), "enroll", courseId=course.gid)
    assert (found["status"], found["certificate"]) == ("COMPLETED", {"status": status})
    others = select(Certificate.revocation_reason).where(Certificate.user_id == other.id)
    assert rows(service.database, others) == [reason]


def test_a_place_without_progress_gets_it_when_they_come_back(client: Client, given: Given, service: Service) -> None:
    course, learner = given.course(lectures=3), given.user()
    given.enrollment(learner, course, CANCELLED)
    done(client, given.actor(learner), "enroll", courseId=course.gid)
    (progress,) = rows(service.database, select(CourseProgress))
    assert (progress.user_id, progress.course_id) == (learner.id, course.row.id)
    assert (progress.total_lectures, progress.total_quizzes) == (3, 0)


def test_a_course_is_enrolled_in_by_many_and_counts_them_once_each(
    client: Client, given: Given, service: Service
) -> None:
    course = given.course(lectures=0)
    people = [given.user() for _ in range(3)]
    for expected, person in enumerate(people, 1):
        for _ in range(2):
            found = done(client, given.actor(person), "enroll", courseId=course.gid)
            assert found["course"]["enrollmentCount"] == expected
    done(client, given.actor(people[0]), "cancelEnrollment", enrollmentId=gid("Enrollment", _of(service, people[0])))
    assert rows(service.database, select(Course.enrollment_count)) == [3]
    assert service.database.read_sync(counters.find_counter_drift) == []


def _of(service: Service, person: Any) -> Enrollment:
    (row,) = rows(service.database, select(Enrollment).where(Enrollment.user_id == person.id))
    assert isinstance(row, Enrollment)
    return row
