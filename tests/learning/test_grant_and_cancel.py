"""Places that course staff give and take: to whom, until when, and what it never takes away."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from lms_graphql.accounts.services import users
from lms_graphql.catalog import counters
from lms_graphql.catalog.models import CourseStatus, Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.certificates.models import Certificate, RevocationReason
from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.password_hashing import hash_password
from lms_graphql.learning.models import CourseProgress
from tests.factories import PASSWORD, START, Factories, global_id
from tests.learning.enrollment_client import (
    HOUR,
    MINE,
    document,
    done,
    ids_of,
    number,
    place,
    refused,
    rows,
    said,
    told,
    when,
)
from tests.live_service import Client, Service

ACTIVE, COMPLETED, CANCELLED = EnrollmentStatus.ACTIVE, EnrollmentStatus.COMPLETED, EnrollmentStatus.CANCELLED
EXPIRED, REFUNDED, SUSPENDED = EnrollmentStatus.EXPIRED, EnrollmentStatus.REFUNDED, EnrollmentStatus.SUSPENDED
FREE, PURCHASE, GRANT = EnrollmentSource.FREE, EnrollmentSource.PURCHASE, EnrollmentSource.GRANT
PRICE = 1999
PAST, LATER = -HOUR, 2 * HOUR


@pytest.mark.parametrize("status", [CourseStatus.PUBLISHED, CourseStatus.ARCHIVED])
@pytest.mark.parametrize("until", [None, HOUR])
@pytest.mark.parametrize("by", ["teacher", "admin"])
def test_staff_let_somebody_in_whatever_it_costs(
    client: Client, make: Factories, service: Service, status: CourseStatus, until: Any, by: str
) -> None:
    course, learner = make.course(status=status, price=PRICE), make.user()
    staff = course.instructor if by == "teacher" else make.user(Role.SUPER_ADMIN)
    ends = when(until)
    asked = {**ids_of(course, learner), **({"accessExpiresAt": said(ends)} if ends else {})}
    made = done(client, make.actor(staff), "grantEnrollment", **asked)
    assert (made["status"], made["source"], made["accessExpiresAt"]) == ("ACTIVE", "GRANT", said(ends))
    assert made["user"] == {"username": learner.username}
    assert made["course"]["enrollmentCount"] == 1
    assert made["progress"]["totalLectures"] == 2
    own = {"id": made["id"], "status": "ACTIVE", "source": "GRANT"}
    found = client.execute(MINE, as_=make.actor(learner), id=course.global_id)
    assert found["me"]["enrollments"]["nodes"] == [own]
    assert found["node"]["viewerEnrollment"] == own
    details = {"enrollment": _row(service).id, "until": ends and ends.isoformat()}
    assert told(service.database, "enrollment.granted") == [(staff.id, learner.id, details)]
    again = done(client, make.actor(staff), "grantEnrollment", **asked)
    assert again == made
    assert len(told(service.database, "enrollment.granted")) == 1
    assert service.database.read_sync(counters.find_counter_drift) == []


WAYS = [
    # as it was kept, until when it is granted, and what it is then
    (ACTIVE, GRANT, HOUR, LATER, GRANT, LATER),
    (ACTIVE, GRANT, LATER, HOUR, GRANT, HOUR),
    (ACTIVE, GRANT, None, HOUR, GRANT, HOUR),
    (ACTIVE, GRANT, HOUR, None, GRANT, None),
    (ACTIVE, FREE, None, HOUR, FREE, None),
    (COMPLETED, PURCHASE, None, HOUR, PURCHASE, None),
    (ACTIVE, PURCHASE, HOUR, LATER, PURCHASE, LATER),
    (ACTIVE, PURCHASE, LATER, HOUR, PURCHASE, LATER),
    (ACTIVE, PURCHASE, HOUR, None, PURCHASE, None),
    (ACTIVE, PURCHASE, PAST, HOUR, GRANT, HOUR),
    (ACTIVE, GRANT, PAST, None, GRANT, None),
    (EXPIRED, GRANT, PAST, HOUR, GRANT, HOUR),
    (CANCELLED, FREE, None, HOUR, GRANT, HOUR),
    (CANCELLED, GRANT, LATER, HOUR, GRANT, HOUR),
    (CANCELLED, PURCHASE, None, HOUR, PURCHASE, None),
    (REFUNDED, PURCHASE, None, HOUR, GRANT, HOUR),
    (SUSPENDED, FREE, None, None, GRANT, None),
]


@pytest.mark.parametrize("is_completed", [False, True])
def test_a_grant_revives_an_old_place_and_takes_nothing_away(
    client: Client, make: Factories, is_completed: bool
) -> None:
    for kept, source, kept_until, until, becomes, lasts in WAYS:
        course, learner = make.course(price=PRICE), make.user()
        has_completed = is_completed or kept is COMPLETED
        times = {"access_expires_at": when(kept_until), "completed_at": START if has_completed else None}
        status = COMPLETED if has_completed and kept is ACTIVE else kept
        row = make.enrollment(learner, course, status, source=source, **times)
        make.progress(row, total_lectures=2, completed_lectures=1)
        make.lecture_progress(learner, course.lectures[0], is_completed=True)
        asked = {**ids_of(course, learner), "accessExpiresAt": said(when(until))}
        found = done(client, make.actor(course.instructor), "grantEnrollment", **asked)
        case = (kept.name, source.name, kept_until, until)
        assert (found["id"], found["source"]) == (global_id("Enrollment", row), becomes.name), case
        assert found["status"] == ("COMPLETED" if has_completed else "ACTIVE"), case
        wanted, ends = when(lasts), found["accessExpiresAt"]
        assert (ends is None) == (wanted is None), case
        assert wanted is None or abs(datetime.fromisoformat(ends) - wanted) < timedelta(minutes=1), case
        assert found["progress"]["percent"] == 50


def test_a_refunded_place_that_is_granted_has_its_certificate_back(
    client: Client, make: Factories, service: Service
) -> None:
    course, learner = make.course(price=PRICE), make.user()
    make.enrollment(learner, course, REFUNDED, source=PURCHASE, completed_at=START)
    make.certificate(learner, course, revoked_at=START, revocation_reason=RevocationReason.REFUND)
    found = done(client, make.actor(course.instructor), "grantEnrollment", **ids_of(course, learner))
    assert (found["status"], found["certificate"]) == ("COMPLETED", {"status": "VALID"})
    assert rows(service.database, select(Certificate.revoked_at)) == [None]
    ((actor, subject, _),) = told(service.database, "certificate.reinstated")
    assert (actor, subject) == (course.instructor.id, learner.id)


@pytest.mark.parametrize("status", list(CourseStatus))
def test_only_staff_let_people_in_and_nobody_learns_of_what_they_do_not_see(
    client: Client, make: Factories, service: Service, status: CourseStatus
) -> None:
    course, learner, rival = make.course(status=status), make.user(), make.user(Role.INSTRUCTOR)
    asked = ids_of(course, learner)
    not_theirs = [("FORBIDDEN", "")] if status is CourseStatus.PUBLISHED else [("NOT_FOUND", "courseId")]
    assert refused(client, make.actor(rival), "grantEnrollment", **asked) == not_theirs
    assert refused(client, make.actor(learner), "grantEnrollment", **asked) == [("FORBIDDEN", "")]
    assert refused(client, Actor(None, None), "grantEnrollment", **asked) == [("UNAUTHENTICATED", "")]
    assert number(service.database, Enrollment) == number(service.database, CourseProgress) == 0
    assert told(service.database, "enrollment.granted") == []


def test_faults_are_told_in_their_order(client: Client, make: Factories) -> None:
    course, draft, learner = make.course(), make.course(status=CourseStatus.DRAFT), make.user()
    staff, rival = make.actor(course.instructor), make.actor(make.user(Role.INSTRUCTOR))
    admin = make.actor(make.user(Role.SUPER_ADMIN))
    past = {"accessExpiresAt": said(when(PAST))}
    odd = {"courseId": "nonsense", "userId": global_id("Course", course.row)}
    nothing = [("NOT_FOUND", "courseId"), ("NOT_FOUND", "userId")]
    assert refused(client, staff, "grantEnrollment", **odd, **past) == nothing
    nobody = {**ids_of(course, learner), "userId": "VXNlcjo5OTk5OTk5"}
    assert refused(client, rival, "grantEnrollment", **nobody, **past) == [("NOT_FOUND", "userId")]
    assert refused(client, rival, "grantEnrollment", **ids_of(course, learner), **past) == [("FORBIDDEN", "")]
    for end in (PAST, timedelta()):
        asked = {**ids_of(draft, draft.instructor), "accessExpiresAt": said(when(end))}
        assert refused(client, admin, "grantEnrollment", **asked) == [("OUT_OF_RANGE", "accessExpiresAt")]
    assert refused(client, admin, "grantEnrollment", **ids_of(draft, draft.instructor)) == [("OWN_COURSE", "userId")]
    assert refused(client, admin, "grantEnrollment", **ids_of(draft, learner)) == [("NOT_PUBLISHED", "courseId")]
    for role in (staff, admin):
        own = ids_of(course, course.instructor)
        assert refused(client, role, "grantEnrollment", **own) == [("OWN_COURSE", "userId")]


@pytest.mark.parametrize("instant", ["tomorrow", "2030-01-01", "2030-01-01T00:00:00", 2030, "2030-02-30T00:00:00Z"])
def test_an_instant_that_is_none_is_no_input(client: Client, make: Factories, instant: Any) -> None:
    course = make.course()
    asked = {**ids_of(course, make.user()), "accessExpiresAt": instant}
    assert refused(client, make.actor(course.instructor), "grantEnrollment", **asked) == [("BAD_USER_INPUT", "")]


def test_the_last_instant_there_is_can_be_granted(client: Client, make: Factories) -> None:
    course = make.course()
    asked = {**ids_of(course, make.user()), "accessExpiresAt": "9999-12-31T23:59:59.999999Z"}
    made = done(client, make.actor(course.instructor), "grantEnrollment", **asked)
    assert (made["status"], made["accessExpiresAt"]) == ("ACTIVE", "9999-12-31T23:59:59.999999Z")


def test_super_admins_let_themselves_in(client: Client, make: Factories) -> None:
    course, admin = make.course(price=PRICE), make.user(Role.SUPER_ADMIN)
    made = done(client, make.actor(admin), "grantEnrollment", **ids_of(course, admin))
    assert (made["status"], made["source"]) == ("ACTIVE", "GRANT")


def test_whoever_is_suspended_finds_the_place_when_they_are_back_and_the_deleted_get_none(
    client: Client, make: Factories, service: Service
) -> None:
    course, admin = make.course(), make.actor(make.user(Role.SUPER_ADMIN))
    suspended = make.user(is_active=False)
    made = done(client, make.actor(course.instructor), "grantEnrollment", **ids_of(course, suspended))
    assert made["status"] == "ACTIVE"
    gone = make.user()
    service.database.write_sync(lambda session: users.delete_user(session, admin, global_id("User", gone)))
    answer = refused(client, make.actor(course.instructor), "grantEnrollment", **ids_of(course, gone))
    assert answer == [("INVALID_TRANSITION", "userId")]
    assert rows(service.database, select(Enrollment.user_id)) == [suspended.id]


CANCELS = [
    # as it was kept, and what `cancelEnrollment` answers
    (ACTIVE, None, "CANCELLED"),
    (ACTIVE, HOUR, "CANCELLED"),
    (CANCELLED, None, "CANCELLED"),
    (CANCELLED, PAST, "CANCELLED"),
    (ACTIVE, PAST, "INVALID_TRANSITION"),
    (EXPIRED, PAST, "INVALID_TRANSITION"),
    (COMPLETED, None, "INVALID_TRANSITION"),
    (COMPLETED, PAST, "INVALID_TRANSITION"),
    (REFUNDED, None, "INVALID_TRANSITION"),
    (SUSPENDED, None, "INVALID_TRANSITION"),
]


@pytest.mark.parametrize("by", ["learner", "teacher", "admin"])
def test_what_is_given_up_is_what_is_open_and_not_completed(
    client: Client, make: Factories, service: Service, by: str
) -> None:
    admin = make.user(Role.SUPER_ADMIN)
    for kept, until, answer in CANCELS:
        course, learner = make.course(price=PRICE), make.user()
        times = {"access_expires_at": when(until), "completed_at": START if kept is COMPLETED else None}
        row = make.enrollment(learner, course, kept, source=PURCHASE, **times)
        make.progress(row, total_lectures=2, completed_lectures=1)
        actor = make.actor({"learner": learner, "teacher": course.instructor, "admin": admin}[by])
        asked = {"enrollmentId": global_id("Enrollment", row)}
        before = len(told(service.database, "enrollment.cancelled"))
        if answer != "CANCELLED":
            assert refused(client, actor, "cancelEnrollment", **asked) == [(answer, "enrollmentId")], (kept, until)
            continue
        for _ in range(2):
            found = done(client, actor, "cancelEnrollment", **asked)
            assert (found["status"], found["source"], found["progress"]["percent"]) == ("CANCELLED", "PURCHASE", 50)
            assert found["accessExpiresAt"] == said(row.access_expires_at)
        audited = told(service.database, "enrollment.cancelled")[before:]
        by_staff = by != "learner" and kept is not CANCELLED
        assert audited == ([(actor.key, learner.id, {"enrollment": row.id})] if by_staff else [])


def test_nobody_gives_up_what_is_not_theirs(client: Client, make: Factories, service: Service) -> None:
    for status in (CourseStatus.PUBLISHED, CourseStatus.ARCHIVED):
        course = make.course(status=status)
        row, fellow = make.enrollment(make.user(), course), make.user()
        make.enrollment(fellow, course)
        asked = {"enrollmentId": global_id("Enrollment", row)}
        for person in (fellow, make.user(), make.user(Role.INSTRUCTOR)):
            answer = refused(client, make.actor(person), "cancelEnrollment", **asked)
            assert answer == [("NOT_FOUND", "enrollmentId")]
        assert refused(client, Actor(None, None), "cancelEnrollment", **asked) == [("UNAUTHENTICATED", "")]
    assert set(rows(service.database, select(Enrollment.status))) == {ACTIVE}


def test_whoever_taught_the_course_and_is_a_learner_by_now_ends_nobodys_place(
    client: Client, make: Factories, service: Service
) -> None:
    course = make.course()
    asked = {"enrollmentId": global_id("Enrollment", make.enrollment(make.user(), course))}
    former = Actor(course.instructor.id, Role.LEARNER)
    assert refused(client, former, "cancelEnrollment", **asked) == [("FORBIDDEN", "")]
    assert rows(service.database, select(Enrollment.status)) == [ACTIVE]


@pytest.mark.parametrize(
    ("source", "by_themselves", "by_staff"),
    [(GRANT, "GRANT", "PAYMENT_REQUIRED"), (PURCHASE, "PURCHASE", "PURCHASE")],
)
def test_nobody_gives_back_to_themselves_a_grant_that_staff_took(
    client: Client, make: Factories, source: EnrollmentSource, by_themselves: str, by_staff: str
) -> None:
    for who, answer in (("learner", by_themselves), ("teacher", by_staff)):
        course, learner = make.course(price=PRICE), make.user()
        row = make.enrollment(learner, course, source=source)
        actor = make.actor(learner if who == "learner" else course.instructor)
        assert (
            done(client, actor, "cancelEnrollment", enrollmentId=global_id("Enrollment", row))["status"]
            == "CANCELLED"
        )
        back = client.execute(document("enroll"), as_=make.actor(learner), input={"courseId": course.global_id})[
            "enroll"
        ]
        told_to_them = [error["code"] for error in back["errors"]] or [back["enrollment"]["source"]]
        assert told_to_them == [answer]
        granted = done(client, make.actor(course.instructor), "grantEnrollment", **ids_of(course, learner))
        assert (granted["status"], granted["source"]) == ("ACTIVE", source.name)
        assert granted["accessExpiresAt"] is None


def test_what_is_done_by_somebody_who_was_suspended_meanwhile_is_not_done(
    client: Client, make: Factories, service: Service
) -> None:
    course, learner = make.course(), make.user(password_hash=hash_password(PASSWORD))
    sign_in = "mutation L($input: LoginInput!) { login(input: $input) { session { accessToken } } }"
    credentials = {"email": learner.email, "password": PASSWORD}
    bearer = client.execute(sign_in, input=credentials)["login"]["session"]["accessToken"]
    admin = Actor(make.user(Role.SUPER_ADMIN).id, Role.SUPER_ADMIN)
    service.database.write_sync(lambda session: users.suspend_user(session, admin, global_id("User", learner)))
    answer = client.graphql(document("enroll"), bearer=bearer, input={"courseId": course.global_id})
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAUTHENTICATED"]
    assert number(service.database, Enrollment, place(learner, course)) == 0


def _row(service: Service) -> Any:
    (row,) = rows(service.database, select(Enrollment))
    return row
