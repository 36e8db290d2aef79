"""Acceptance and cancellation of invitations: which access they give, and when they are refused."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from lms_graphql.catalog.models import Course, CourseStatus, Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.core import clock
from lms_graphql.core.actor import ANONYMOUS, Role
from lms_graphql.learning.invitation_models import Invitation, InvitationStatus
from lms_graphql.learning.models import CourseProgress
from tests.factories import Factories, global_id
from tests.learning.enrollment_client import HOUR, audit_events, count, from_now, rows
from tests.learning.invitation_client import InvitationClient
from tests.live_service import Client, Service
from tests.row_writer import START

ACTIVE, CANCELLED, EXPIRED = EnrollmentStatus.ACTIVE, EnrollmentStatus.CANCELLED, EnrollmentStatus.EXPIRED
FREE, PURCHASE, GRANT = EnrollmentSource.FREE, EnrollmentSource.PURCHASE, EnrollmentSource.GRANT
PAST, LATER = -HOUR, 2 * HOUR
EMAIL, TOKEN = "jane@example.com", "a-token-of-the-tests"

ACCEPTED = [
    # previous status, source and end of access, end of access of the invitation; then source and end after it
    (ACTIVE, GRANT, HOUR, LATER, GRANT, LATER),
    (ACTIVE, GRANT, LATER, HOUR, GRANT, LATER),
    (ACTIVE, GRANT, None, HOUR, GRANT, None),
    (ACTIVE, FREE, None, HOUR, FREE, None),
    (ACTIVE, PURCHASE, HOUR, LATER, PURCHASE, LATER),
    (ACTIVE, PURCHASE, PAST, HOUR, GRANT, HOUR),
    (EXPIRED, GRANT, PAST, None, GRANT, None),
    (CANCELLED, FREE, None, HOUR, GRANT, HOUR),
    (CANCELLED, GRANT, PAST, HOUR, GRANT, HOUR),
    (CANCELLED, PURCHASE, None, HOUR, PURCHASE, None),
    (EnrollmentStatus.REFUNDED, PURCHASE, None, HOUR, GRANT, HOUR),
]


@pytest.mark.parametrize("is_completed", [False, True])
def test_acceptance_reactivates_enrollment_and_never_shortens_access(
    client: Client, make: Factories, service: Service, is_completed: bool
) -> None:
    for number, (previous, source, expires, invited_for, expected_source, expected_expiry) in enumerate(ACCEPTED):
        case, token = (previous.name, source.name, expires, invited_for), f"{TOKEN}{number}"
        course, learner = make.course(price=1999), make.user()
        times = {"access_expires_at": from_now(expires), "completed_at": START if is_completed else None}
        row = make.enrollment(learner, course, previous, source=source, **times)
        invitation = make.invitation(course, EMAIL, token, access_expires_at=from_now(invited_for))
        enrollment = InvitationClient(client, make.actor(learner)).ok("acceptInvitation", token=token)
        assert enrollment["id"] == global_id("Enrollment", row), case
        assert enrollment["source"] == expected_source.name, case
        if is_completed and (previous is not ACTIVE or expires == PAST):
            assert enrollment["status"] == "COMPLETED", case
        expected, expires_at = from_now(expected_expiry), enrollment["accessExpiresAt"]
        assert (expires_at is None) == (expected is None), case
        if expected is not None:
            assert abs(datetime.fromisoformat(expires_at) - expected) < timedelta(minutes=1), case
        stored = select(Invitation).where(Invitation.id == invitation.id)
        (accepted,) = rows(service.database, stored)
        assert (accepted.status, accepted.enrollment_id) == (InvitationStatus.ACCEPTED, row.id), case


def test_refused_acceptance_does_not_use_up_the_invitation(client: Client, make: Factories, service: Service) -> None:
    course, suspended = make.course(), make.user()
    enrollment = make.enrollment(suspended, course, EnrollmentStatus.SUSPENDED)
    make.invitation(course, EMAIL, TOKEN)
    own, other, blocked = (
        InvitationClient(client, make.actor(user)) for user in (course.instructor, make.user(), suspended)
    )

    def set_status(status: CourseStatus) -> None:
        change = update(Course).where(Course.id == course.row.id).values(status=status)
        service.database.write_sync(lambda session: session.execute(change) and None)

    accept = "acceptInvitation"
    assert InvitationClient(client, ANONYMOUS).error_codes(accept, token=TOKEN) == ["UNAUTHENTICATED"]
    assert own.user_errors(accept, token=TOKEN) == [("OWN_COURSE", "token")]
    assert blocked.user_errors(accept, token=TOKEN) == [("INVALID_TRANSITION", "token")]
    set_status(CourseStatus.DRAFT)
    assert other.user_errors(accept, token=TOKEN) == [("NOT_PUBLISHED", "token")]
    assert count(service.database, Enrollment) == 1
    assert audit_events(service.database, "invitation.accepted") == []
    set_status(CourseStatus.ARCHIVED)
    assert other.ok(accept, token=TOKEN)["status"] == "ACTIVE"
    assert rows(service.database, select(Enrollment.status).where(Enrollment.id == enrollment.id)) == [
        EnrollmentStatus.SUSPENDED
    ]
    assert count(service.database, Enrollment) == count(service.database, CourseProgress) + 1 == 2


@pytest.mark.parametrize(
    "values",
    [
        {"expires_at": clock.now() - HOUR},
        {"status": InvitationStatus.CANCELLED},
        {"status": InvitationStatus.EXPIRED},
        {"token_hash": None},
    ],
    ids=["expired", "cancelled", "stored as expired", "not mailed"],
)
def test_ended_invitation_has_an_invalid_token(
    client: Client, make: Factories, service: Service, values: dict[str, Any]
) -> None:
    course, learner = make.course(), make.user()
    make.invitation(course, EMAIL, TOKEN, **values)
    api = InvitationClient(client, make.actor(learner))
    for token in (TOKEN, "", "x" * 10_000, "ü"):
        assert api.user_errors("acceptInvitation", token=token) == [("INVALID_TOKEN", "token")]
    assert count(service.database, Enrollment) == 0


def test_cancelled_invitation_stops(client: Client, make: Factories, service: Service) -> None:
    course, learner = make.course(), make.user()
    invitation = make.invitation(course, EMAIL, TOKEN)
    id = global_id("Invitation", invitation)
    for user in (course.instructor, make.user(Role.SUPER_ADMIN)):
        staff = InvitationClient(client, make.actor(user))
        assert staff.ok("cancelInvitation", invitationId=id)["status"] == "CANCELLED"
    events = audit_events(service.database, "invitation.cancelled")
    assert events == [(course.instructor.id, invitation.id, {})], "cancelling again changes nothing"
    holder = InvitationClient(client, make.actor(learner))
    assert holder.user_errors("acceptInvitation", token=TOKEN) == [("INVALID_TOKEN", "token")]
    (renewed,) = staff.invite(course.global_id, EMAIL)
    assert renewed["id"] != id


def test_ended_invitations_cannot_be_cancelled(client: Client, make: Factories) -> None:
    course = make.course()
    enrollment = make.enrollment(make.user(), course)
    staff = InvitationClient(client, make.actor(course.instructor))
    accepted = {"status": InvitationStatus.ACCEPTED, "enrollment_id": enrollment.id}
    for values in (accepted, {"status": InvitationStatus.EXPIRED}, {"expires_at": clock.now() - HOUR}):
        id = global_id("Invitation", make.invitation(course, EMAIL, **values))
        assert staff.user_errors("cancelInvitation", invitationId=id) == [("INVALID_TRANSITION", "invitationId")]
    for id in ("nonsense", course.global_id, "SW52aXRhdGlvbjo5OTk"):
        assert staff.user_errors("cancelInvitation", invitationId=id) == [("NOT_FOUND", "invitationId")]
