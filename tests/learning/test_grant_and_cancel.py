"""Enrollments that course staff grant, and cancellation by learners and staff."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from lms_graphql.accounts.services import users
from lms_graphql.catalog import counters
from lms_graphql.catalog.models import CourseStatus, Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.certificates.models import Certificate, RevocationReason
from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from lms_graphql.core.password_hashing import hash_password
from lms_graphql.learning.models import CourseProgress
from tests.factories import PASSWORD, Factories, global_id
from tests.learning.enrollment_client import (
    HOUR,
    VIEWER_ENROLLMENTS,
    EnrollmentClient,
    audit_events,
    count,
    from_now,
    grant_input,
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
PAST, LATER = -HOUR, 2 * HOUR


@pytest.mark.parametrize("status", [CourseStatus.PUBLISHED, CourseStatus.ARCHIVED])
@pytest.mark.parametrize("expires_in", [None, HOUR])
@pytest.mark.parametrize("staff_role", ["instructor", "admin"])
def test_staff_can_grant_enrollment_at_any_price(
    client: Client, make: Factories, service: Service, status: CourseStatus, expires_in: Any, staff_role: str
) -> None:
    course, learner = make.course(status=status, price=PRICE), make.user()
    staff = course.instructor if staff_role == "instructor" else make.user(Role.SUPER_ADMIN)
    api = EnrollmentClient(client, make.actor(staff))
    expires_at = from_now(expires_in)
    input = {**grant_input(course, learner), **({"accessExpiresAt": iso(expires_at)} if expires_at else {})}
    enrollment = api.ok("grantEnrollment", **input)
    assert (enrollment["status"], enrollment["source"]) == ("ACTIVE", "GRANT")
    assert enrollment["accessExpiresAt"] == iso(expires_at)
    assert enrollment["user"] == {"username": learner.username}
    assert enrollment["course"]["enrollmentCount"] == 1
    assert enrollment["progress"]["totalLectures"] == 2
    expected = {"id": enrollment["id"], "status": "ACTIVE", "source": "GRANT"}
    data = client.execute(VIEWER_ENROLLMENTS, as_=make.actor(learner), id=course.global_id)
    assert data["me"]["enrollments"]["nodes"] == [expected]
    assert data["node"]["viewerEnrollment"] == expected
    (row,) = rows(service.database, select(Enrollment))
    details = {"user": learner.id, "until": expires_at and expires_at.isoformat()}
    assert audit_events(service.database, "enrollment.granted") == [(staff.id, row.id, details)]
    assert api.ok("grantEnrollment", **input) == enrollment
    assert len(audit_events(service.database, "enrollment.granted")) == 1
    assert service.database.read_sync(counters.find_counter_drift) == []


GRANTS = [
    # previous status, source and end of access, end of access of the grant; then source and end of access after it
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
def test_grant_reactivates_enrollment_and_never_shortens_access(
    client: Client, make: Factories, is_completed: bool
) -> None:
    for previous, source, expires, granted_for, expected_source, expected_expiry in GRANTS:
        case = (previous.name, source.name, expires, granted_for)
        course, learner = make.course(price=PRICE), make.user()
        has_completed = is_completed or previous is COMPLETED
        times = {"access_expires_at": from_now(expires), "completed_at": START if has_completed else None}
        status = COMPLETED if has_completed and previous is ACTIVE else previous
        row = make.enrollment(learner, course, status, source=source, **times)
        make.progress(row, total_lectures=2, completed_lectures=1)
        make.lecture_progress(learner, course.lectures[0], is_completed=True)
        api = EnrollmentClient(client, make.actor(course.instructor))
        input = {**grant_input(course, learner), "accessExpiresAt": iso(from_now(granted_for))}
        enrollment = api.ok("grantEnrollment", **input)
        assert enrollment["id"] == global_id("Enrollment", row), case
        assert enrollment["source"] == expected_source.name, case
        assert enrollment["status"] == ("COMPLETED" if has_completed else "ACTIVE"), case
        expected, expires_at = from_now(expected_expiry), enrollment["accessExpiresAt"]
        assert (expires_at is None) == (expected is None), case
        if expected is not None:
            assert abs(datetime.fromisoformat(expires_at) - expected) < timedelta(minutes=1), case
        assert enrollment["progress"]["percent"] == 50


def test_grant_after_refund_reinstates_certificate(client: Client, make: Factories, service: Service) -> None:
    course, learner = make.course(price=PRICE), make.user()
    make.enrollment(learner, course, REFUNDED, source=PURCHASE, completed_at=START)
    revoked = {"revoked_at": START, "revocation_reason": RevocationReason.REFUND}
    certificate = make.certificate(learner, course, **revoked)
    api = EnrollmentClient(client, make.actor(course.instructor))
    enrollment = api.ok("grantEnrollment", **grant_input(course, learner))
    assert (enrollment["status"], enrollment["certificate"]) == ("COMPLETED", {"status": "VALID"})
    assert rows(service.database, select(Certificate.revoked_at)) == [None]
    ((actor, subject, _),) = audit_events(service.database, "certificate.reinstated")
    assert (actor, subject) == (course.instructor.id, certificate.id)


@pytest.mark.parametrize("status", list(CourseStatus))
def test_only_course_staff_grant_enrollments(
    client: Client, make: Factories, service: Service, status: CourseStatus
) -> None:
    course, learner, other_instructor = make.course(status=status), make.user(), make.user(Role.INSTRUCTOR)
    input = grant_input(course, learner)
    api = EnrollmentClient(client, make.actor(other_instructor))
    if status is CourseStatus.PUBLISHED:
        assert api.error_codes("grantEnrollment", **input) == ["FORBIDDEN"]
    else:
        assert api.user_errors("grantEnrollment", **input) == [("NOT_FOUND", "courseId")]
    for actor, code in ((make.actor(learner), "FORBIDDEN"), (ANONYMOUS, "UNAUTHENTICATED")):
        assert EnrollmentClient(client, actor).error_codes("grantEnrollment", **input) == [code]
    assert count(service.database, Enrollment) == count(service.database, CourseProgress) == 0
    assert audit_events(service.database, "enrollment.granted") == []


def test_grant_reports_errors_in_fixed_order(client: Client, make: Factories) -> None:
    course, draft, learner = make.course(), make.course(status=CourseStatus.DRAFT), make.user()
    instructor = EnrollmentClient(client, make.actor(course.instructor))
    other_instructor = EnrollmentClient(client, make.actor(make.user(Role.INSTRUCTOR)))
    admin = EnrollmentClient(client, make.actor(make.user(Role.SUPER_ADMIN)))
    grant = "grantEnrollment"
    expired_access = {"accessExpiresAt": iso(from_now(PAST))}
    invalid_ids = {"courseId": "nonsense", "userId": global_id("Course", course.row)}
    errors = instructor.user_errors(grant, **invalid_ids, **expired_access)
    assert errors == [("NOT_FOUND", "courseId"), ("NOT_FOUND", "userId")]
    unknown_user = {**grant_input(course, learner), "userId": "VXNlcjo5OTk5OTk5"}
    assert other_instructor.user_errors(grant, **unknown_user, **expired_access) == [("NOT_FOUND", "userId")]
    assert other_instructor.error_codes(grant, **grant_input(course, learner), **expired_access) == ["FORBIDDEN"]
    own_draft = grant_input(draft, draft.instructor)
    for offset in (PAST, timedelta()):
        errors = admin.user_errors(grant, **own_draft, accessExpiresAt=iso(from_now(offset)))
        assert errors == [("OUT_OF_RANGE", "accessExpiresAt")]
    assert admin.user_errors(grant, **own_draft) == [("OWN_COURSE", "userId")]
    assert admin.user_errors(grant, **grant_input(draft, learner)) == [("NOT_PUBLISHED", "courseId")]
    for api in (instructor, admin):
        errors = api.user_errors(grant, **grant_input(course, course.instructor))
        assert errors == [("OWN_COURSE", "userId")]


@pytest.mark.sqlite_only
@pytest.mark.parametrize("value", ["tomorrow", "2030-01-01", "2030-01-01T00:00:00", 2030, "2030-02-30T00:00:00Z"])
def test_grant_rejects_invalid_end_of_access(client: Client, make: Factories, value: Any) -> None:
    course = make.course()
    input = {**grant_input(course, make.user()), "accessExpiresAt": value}
    api = EnrollmentClient(client, make.actor(course.instructor))
    assert api.error_codes("grantEnrollment", **input) == ["BAD_USER_INPUT"]


def test_grant_accepts_latest_possible_end_of_access(client: Client, make: Factories) -> None:
    course = make.course()
    latest = "9999-12-31T23:59:59.999999Z"
    api = EnrollmentClient(client, make.actor(course.instructor))
    enrollment = api.ok("grantEnrollment", **grant_input(course, make.user()), accessExpiresAt=latest)
    assert (enrollment["status"], enrollment["accessExpiresAt"]) == ("ACTIVE", latest)


def test_super_admin_grants_enrollment_to_self(client: Client, make: Factories) -> None:
    course, admin = make.course(price=PRICE), make.user(Role.SUPER_ADMIN)
    api = EnrollmentClient(client, make.actor(admin))
    enrollment = api.ok("grantEnrollment", **grant_input(course, admin))
    assert (enrollment["status"], enrollment["source"]) == ("ACTIVE", "GRANT")


def test_grant_accepts_suspended_but_not_deleted_users(client: Client, make: Factories, service: Service) -> None:
    course, admin = make.course(), make.actor(make.user(Role.SUPER_ADMIN))
    api = EnrollmentClient(client, make.actor(course.instructor))
    suspended = make.user(is_active=False)
    assert api.ok("grantEnrollment", **grant_input(course, suspended))["status"] == "ACTIVE"
    deleted = make.user()
    service.database.write_sync(lambda session: users.delete_user(session, admin, global_id("User", deleted)))
    errors = api.user_errors("grantEnrollment", **grant_input(course, deleted))
    assert errors == [("INVALID_TRANSITION", "userId")]
    assert rows(service.database, select(Enrollment.user_id)) == [suspended.id]


def test_grant_finds_learner_by_username(client: Client, make: Factories, service: Service) -> None:
    course, learner, admin = make.course(), make.user(username="Ada.Byron"), make.actor(make.user(Role.SUPER_ADMIN))
    api, grant = EnrollmentClient(client, make.actor(course.instructor)), "grantEnrollment"
    course_id = {"courseId": course.global_id}
    enrollment = api.ok(grant, **course_id, username="ADA.byron")
    assert enrollment["user"] == {"username": "Ada.Byron"}
    assert api.ok(grant, **grant_input(course, learner), username=None)["id"] == enrollment["id"]
    for username in ("ada", "", "ada.byron ", "x" * 10_000):
        assert api.user_errors(grant, **course_id, username=username) == [("NOT_FOUND", "username")]
    unknown = api.user_errors(grant, courseId="nonsense", username="ada")
    assert unknown == [("NOT_FOUND", "courseId"), ("NOT_FOUND", "username")]
    own = api.user_errors(grant, **course_id, username=course.instructor.username)
    assert own == [("OWN_COURSE", "username")]
    service.database.write_sync(lambda session: users.delete_user(session, admin, global_id("User", learner)))
    for username in ("ada.byron", f"deleted~{learner.id}"):
        assert api.user_errors(grant, **course_id, username=username) == [("NOT_FOUND", "username")]


def test_grant_needs_exactly_one_learner(client: Client, make: Factories) -> None:
    course, learner = make.course(), make.user()
    api = EnrollmentClient(client, make.actor(course.instructor))
    both = {**grant_input(course, learner), "username": learner.username}
    assert api.user_errors("grantEnrollment", **both) == [("INVALID", "username")]
    assert api.user_errors("grantEnrollment", courseId=course.global_id) == [("REQUIRED", "userId")]
    assert api.user_errors("grantEnrollment", courseId="nonsense") == [("NOT_FOUND", "courseId")]
    other = EnrollmentClient(client, make.actor(make.user(Role.INSTRUCTOR)))
    assert other.error_codes("grantEnrollment", courseId=course.global_id) == ["FORBIDDEN"]


CANCELLATIONS = [
    # previous status and end of access; then the status after `cancelEnrollment` or its error
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


@pytest.mark.parametrize("actor_name", ["learner", "instructor", "admin"])
def test_only_active_enrollments_can_be_cancelled(
    client: Client, make: Factories, service: Service, actor_name: str
) -> None:
    admin = make.user(Role.SUPER_ADMIN)
    for status, expires, expected in CANCELLATIONS:
        course, learner = make.course(price=PRICE), make.user()
        times = {"access_expires_at": from_now(expires), "completed_at": START if status is COMPLETED else None}
        row = make.enrollment(learner, course, status, source=PURCHASE, **times)
        make.progress(row, total_lectures=2, completed_lectures=1)
        actor = make.actor({"learner": learner, "instructor": course.instructor, "admin": admin}[actor_name])
        api, enrollment_id = EnrollmentClient(client, actor), global_id("Enrollment", row)
        events_before = len(audit_events(service.database, "enrollment.cancelled"))
        if expected != "CANCELLED":
            errors = api.user_errors("cancelEnrollment", enrollmentId=enrollment_id)
            assert errors == [(expected, "enrollmentId")], (status, expires)
            continue
        for _ in range(2):
            enrollment = api.ok("cancelEnrollment", enrollmentId=enrollment_id)
            assert (enrollment["status"], enrollment["source"]) == ("CANCELLED", "PURCHASE")
            assert enrollment["progress"]["percent"] == 50
            assert enrollment["accessExpiresAt"] == iso(row.access_expires_at)
        events = audit_events(service.database, "enrollment.cancelled")[events_before:]
        is_recorded = actor_name != "learner" and status is not CANCELLED
        assert events == ([(actor.key, row.id, {"user": learner.id})] if is_recorded else [])


def test_other_users_cannot_cancel_enrollments(client: Client, make: Factories, service: Service) -> None:
    for status in (CourseStatus.PUBLISHED, CourseStatus.ARCHIVED):
        course = make.course(status=status)
        row, other_learner = make.enrollment(make.user(), course), make.user()
        make.enrollment(other_learner, course)
        input = {"enrollmentId": global_id("Enrollment", row)}
        for user in (other_learner, make.user(), make.user(Role.INSTRUCTOR)):
            api = EnrollmentClient(client, make.actor(user))
            assert api.user_errors("cancelEnrollment", **input) == [("NOT_FOUND", "enrollmentId")]
        anonymous = EnrollmentClient(client, ANONYMOUS)
        assert anonymous.error_codes("cancelEnrollment", **input) == ["UNAUTHENTICATED"]
    assert set(rows(service.database, select(Enrollment.status))) == {ACTIVE}


def test_former_instructor_cannot_cancel_enrollments(client: Client, make: Factories, service: Service) -> None:
    course = make.course()
    enrollment_id = global_id("Enrollment", make.enrollment(make.user(), course))
    former_instructor = EnrollmentClient(client, Actor(course.instructor.id, Role.LEARNER))
    assert former_instructor.error_codes("cancelEnrollment", enrollmentId=enrollment_id) == ["FORBIDDEN"]
    assert rows(service.database, select(Enrollment.status)) == [ACTIVE]


@pytest.mark.parametrize(
    ("source", "after_learner", "after_staff"),
    [(GRANT, "GRANT", "PAYMENT_REQUIRED"), (PURCHASE, "PURCHASE", "PURCHASE")],
)
def test_learner_cannot_restore_grant_cancelled_by_staff(
    client: Client, make: Factories, source: EnrollmentSource, after_learner: str, after_staff: str
) -> None:
    for canceller, expected in (("learner", after_learner), ("instructor", after_staff)):
        course, learner = make.course(price=PRICE), make.user()
        enrollment_id = global_id("Enrollment", make.enrollment(learner, course, source=source))
        clients = {
            "learner": EnrollmentClient(client, make.actor(learner)),
            "instructor": EnrollmentClient(client, make.actor(course.instructor)),
        }
        cancelled = clients[canceller].ok("cancelEnrollment", enrollmentId=enrollment_id)
        assert cancelled["status"] == "CANCELLED"
        payload = clients["learner"].payload("enroll", courseId=course.global_id)
        outcome = [error["code"] for error in payload["errors"]] or [payload["enrollment"]["source"]]
        assert outcome == [expected]
        granted = clients["instructor"].ok("grantEnrollment", **grant_input(course, learner))
        assert (granted["status"], granted["source"]) == ("ACTIVE", source.name)
        assert granted["accessExpiresAt"] is None


def test_suspended_user_cannot_enroll(client: Client, make: Factories, service: Service) -> None:
    """The user is suspended after they logged in."""
    course, learner = make.course(), make.user(password_hash=hash_password(PASSWORD))
    login = "mutation L($input: LoginInput!) { login(input: $input) { session { accessToken } } }"
    credentials = {"email": learner.email, "password": PASSWORD}
    bearer = client.execute(login, input=credentials)["login"]["session"]["accessToken"]
    admin = Actor(make.user(Role.SUPER_ADMIN).id, Role.SUPER_ADMIN)
    service.database.write_sync(lambda session: users.suspend_user(session, admin, global_id("User", learner)))
    input = {"courseId": course.global_id}
    codes = client.error_codes(EnrollmentClient.document("enroll"), bearer=bearer, input=input)
    assert codes == ["UNAUTHENTICATED"]
    assert count(service.database, Enrollment, is_enrollment(learner, course)) == 0
