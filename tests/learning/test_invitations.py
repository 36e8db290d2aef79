"""Invitations by email: who is invited, what is mailed, and what is stored."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from lms_graphql.accounts.services import users
from lms_graphql.catalog.models import CourseStatus, Enrollment
from lms_graphql.core import clock
from lms_graphql.core.actor import ANONYMOUS, Role
from lms_graphql.learning.invitation_models import Invitation, InvitationCounter, InvitationStatus
from lms_graphql.learning.services.invitations import purge_invitations
from lms_graphql.mail.models import Mail
from tests.factories import Factories, global_id
from tests.learning.enrollment_client import HOUR, audit_events, count, from_now, iso, rows
from tests.learning.invitation_client import COURSE_INVITATIONS, InvitationClient, mailed_token
from tests.live_service import Client, Service, StatementRecorder
from tests.mail_servers import Mailbox
from tests.row_writer import START

DAY = timedelta(days=1)
EMAIL, OTHER = "jane@example.com", "joe@example.com"
NODE = "query N($id: ID!) { node(id: $id) { id } }"


def test_invitation_is_mailed_and_accepted_once(
    client: Client, make: Factories, service: Service, mailbox: Mailbox
) -> None:
    course, learner = make.course("Knots", price=1999), make.user()
    staff, holder = (InvitationClient(client, make.actor(user)) for user in (course.instructor, learner))
    until = iso(from_now(90 * DAY))
    (invitation,) = staff.invite(course.global_id, EMAIL, accessExpiresAt=until, message="Come & <b>see</b>.")
    assert (invitation["email"], invitation["status"], invitation["enrollment"]) == (EMAIL, "PENDING", None)
    assert invitation["course"] == {"title": "Knots"}
    assert invitation["accessExpiresAt"] == until
    ends_in = datetime.fromisoformat(invitation["expiresAt"]) - datetime.now(UTC)
    assert timedelta(days=29, hours=23) < ends_in <= timedelta(days=30)
    mailbox.wait_for_recipient(EMAIL)
    (message,) = mailbox.received
    html, plain = (message.get_body((kind,)).get_content() for kind in ("html", "plain"))  # type: ignore[union-attr]
    assert message["Subject"] == "Invitation to the course “Knots”"
    assert "Come &amp; &lt;b&gt;see&lt;/b&gt;." in html
    assert f"Instructor: {course.instructor.full_name}\r\nAccess until: " in plain
    token = mailed_token(mailbox, EMAIL)
    enrollment = holder.ok("acceptInvitation", token=token)
    assert (enrollment["status"], enrollment["source"], enrollment["accessExpiresAt"]) == ("ACTIVE", "GRANT", until)
    for api in (holder, InvitationClient(client, make.actor(make.user()))):
        assert api.user_errors("acceptInvitation", token=token) == [("INVALID_TOKEN", "token")]
    (listed,) = staff.listed(course.global_id)["nodes"]
    accepted = {"status": "ACCEPTED", "enrollment": {"id": enrollment["id"], "source": "GRANT"}}
    assert listed == {**invitation, **accepted}
    ((key, enrollment_key),) = service.database.read_sync(
        lambda session: session.execute(select(Invitation.id, Invitation.enrollment_id)).all()
    )
    invited = (course.instructor.id, course.row.id, {"invitations": [key]})
    assert audit_events(service.database, "course.learners_invited") == [invited]
    acceptance = (learner.id, key, {"enrollment": enrollment_key})
    assert audit_events(service.database, "invitation.accepted") == [acceptance]


def test_one_invalid_address_refuses_all(client: Client, make: Factories, service: Service) -> None:
    course = make.course()
    staff = InvitationClient(client, make.actor(course.instructor))
    emails = [EMAIL, "nobody", "", "a" * 250 + "@example.com", OTHER, "two@x.org, three@x.org"]
    errors = staff.invite_errors(course.global_id, *emails, message="x" * 1001, accessExpiresAt=iso(from_now(-HOUR)))
    assert errors == [
        ("INVALID", ["emails", "1"]),
        ("REQUIRED", ["emails", "2"]),
        ("TOO_LONG", ["emails", "3"]),
        ("INVALID", ["emails", "5"]),
        ("TOO_LONG", ["message"]),
        ("OUT_OF_RANGE", ["accessExpiresAt"]),
    ]
    assert staff.invite_errors(course.global_id) == [("REQUIRED", ["emails"])]
    too_many = [f"person{number}@example.com" for number in range(201)]
    assert staff.invite_errors(course.global_id, *too_many) == [("LIMIT_REACHED", ["emails"])]
    assert count(service.database, Invitation) == count(service.database, Mail) == 0
    assert count(service.database, InvitationCounter) == 0


@pytest.mark.parametrize("status", list(CourseStatus))
def test_only_course_staff_invite(client: Client, make: Factories, service: Service, status: CourseStatus) -> None:
    course, colleague = make.course(status=status), make.actor(make.user(Role.INSTRUCTOR))
    input = {"courseId": course.global_id, "emails": [EMAIL, "nobody"]}
    for actor, code in ((ANONYMOUS, "UNAUTHENTICATED"), (make.actor(make.user()), "FORBIDDEN")):
        assert InvitationClient(client, actor).error_codes("inviteLearners", **input) == [code]
    api = InvitationClient(client, colleague)
    if status is CourseStatus.PUBLISHED:
        assert api.error_codes("inviteLearners", **input) == ["FORBIDDEN"]
    else:
        assert api.invite_errors(course.global_id, "nobody") == [("NOT_FOUND", ["courseId"])]
    for staff in (course.instructor, make.user(Role.SUPER_ADMIN)):
        api = InvitationClient(client, make.actor(staff))
        if status is CourseStatus.DRAFT:
            assert api.invite_errors(course.global_id, EMAIL) == [("NOT_PUBLISHED", ["courseId"])]
        else:
            assert len(api.invite(course.global_id, EMAIL)) == 1
    assert count(service.database, Invitation) == int(status is not CourseStatus.DRAFT)


def test_address_named_twice_is_invited_once(client: Client, make: Factories, service: Service) -> None:
    course = make.course()
    staff = InvitationClient(client, make.actor(course.instructor))
    invitations = staff.invite(course.global_id, OTHER, " Jane@Example.com ", "JANE@EXAMPLE.COM", OTHER)
    assert [invitation["email"] for invitation in invitations] == [OTHER, "Jane@example.com"]
    assert count(service.database, Mail) == 2
    assert rows(service.database, select(InvitationCounter.invitation_count)) == [2]


def test_second_invitation_renews_the_pending_one(client: Client, make: Factories, mailbox: Mailbox) -> None:
    course, learner = make.course(), InvitationClient(client, make.actor(make.user()))
    staff = InvitationClient(client, make.actor(course.instructor))
    (first,) = staff.invite(course.global_id, EMAIL)
    old_token = mailed_token(mailbox, EMAIL)
    until = iso(from_now(DAY))
    (second,) = staff.invite(course.global_id, "JANE@example.com", accessExpiresAt=until)
    assert (second["id"], second["createdAt"]) == (first["id"], first["createdAt"])
    assert (second["accessExpiresAt"], second["expiresAt"]) == (until, until), "the link ends with the access"
    new_token = mailed_token(mailbox, EMAIL)
    assert learner.user_errors("acceptInvitation", token=old_token) == [("INVALID_TOKEN", "token")]
    assert learner.ok("acceptInvitation", token=new_token)["accessExpiresAt"] == until
    assert staff.listed(course.global_id)["totalCount"] == 1
    (third,) = staff.invite(course.global_id, EMAIL)
    assert third["id"] != first["id"], "an accepted invitation is history"


def test_expired_address_is_invited_anew(client: Client, make: Factories) -> None:
    course = make.course()
    expired = make.invitation(course, EMAIL, expires_at=clock.now() - HOUR)
    staff = InvitationClient(client, make.actor(course.instructor))
    (invitation,) = staff.invite(course.global_id, EMAIL)
    listed = staff.listed(course.global_id)["nodes"]
    assert [node["status"] for node in listed] == ["PENDING", "EXPIRED"]
    assert [node["id"] for node in listed] == [invitation["id"], global_id("Invitation", expired)]


def test_invitations_of_a_day_are_limited(client: Client, make: Factories, service: Service) -> None:
    course = make.course()
    staff = InvitationClient(client, make.actor(course.instructor))
    counter = make.add(InvitationCounter(course_id=course.row.id, day=clock.now().date(), invitation_count=998))
    payload = staff.payload("inviteLearners", courseId=course.global_id, emails=[EMAIL, OTHER, "x@example.com"])
    assert [(error["code"], error["path"]) for error in payload["errors"]] == [("LIMIT_REACHED", ["input", "emails"])]
    assert count(service.database, Invitation) == 0
    assert len(staff.invite(course.global_id, EMAIL, OTHER)) == 2
    assert staff.invite_errors(course.global_id, EMAIL) == [("LIMIT_REACHED", ["emails"])], "renewals count too"
    yesterday = update(InvitationCounter).values(day=clock.now().date() - DAY)
    service.database.write_sync(lambda session: session.execute(yesterday) and None)
    staff.invite(course.global_id, EMAIL)
    numbers = rows(
        service.database, select(InvitationCounter.invitation_count).where(InvitationCounter.id == counter.id)
    )
    assert numbers == [1]


def test_invitation_does_not_reveal_accounts(
    client: Client, make: Factories, statements: StatementRecorder, no_background_commits: None
) -> None:
    course, member = make.course(), make.user(email="member@example.com")
    make.enrollment(member, course)
    staff = InvitationClient(client, make.actor(course.instructor))
    staff.invite(course.global_id, OTHER)  # so that the day's counter exists
    results = []
    for email in ("member@example.com", "nobody@example.com"):
        with statements:
            (invitation,) = staff.invite(course.global_id, email)
        shown = {name: invitation[name] for name in ("status", "accessExpiresAt", "course", "enrollment")}
        results.append((shown, statements.texts))
    assert results[0] == results[1]


@pytest.mark.query_budget
def test_number_of_statements_does_not_depend_on_addresses(
    client: Client, make: Factories, statements: StatementRecorder, no_background_commits: None
) -> None:
    course = make.course()
    staff, counts = InvitationClient(client, make.actor(course.instructor)), []
    staff.invite(course.global_id, EMAIL)  # so that the day's counter exists
    for size in (1, 200):
        emails = [f"{size}-{number}@example.com" for number in range(size)]
        with statements:
            assert len(staff.invite(course.global_id, *emails)) == size
        counts.append(statements.count)
        with statements:
            assert staff.listed(course.global_id, first=min(size, 100))["nodes"]
        counts.append(statements.count)
    assert counts[:2] == counts[2:]


VIEWERS = ("anonymous", "learner", "colleague", "instructor", "admin")


@pytest.mark.parametrize("viewer", VIEWERS)
def test_invitations_are_visible_to_course_staff(client: Client, make: Factories, viewer: str) -> None:
    course = make.course()
    roles = {"learner": Role.LEARNER, "colleague": Role.INSTRUCTOR, "admin": Role.SUPER_ADMIN}
    actor = ANONYMOUS if viewer == "anonymous" else make.actor(make.user(roles.get(viewer, Role.LEARNER)))
    if viewer == "instructor":
        actor = make.actor(course.instructor)
    invitation = make.invitation(course, EMAIL)
    id, is_staff = global_id("Invitation", invitation), viewer in ("instructor", "admin")
    assert client.execute(NODE, as_=actor, id=id)["node"] == ({"id": id} if is_staff else None)
    body = client.graphql(COURSE_INVITATIONS, as_=actor, id=course.global_id)
    if is_staff:
        assert body["data"]["node"]["invitations"]["nodes"][0]["id"] == id
    else:
        assert body["data"]["node"] == {"invitations": None}
        assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]
        cancel = InvitationClient(client, actor)
        if viewer == "colleague":
            assert cancel.user_errors("cancelInvitation", invitationId=id) == [("NOT_FOUND", "invitationId")]
        else:
            code = "UNAUTHENTICATED" if viewer == "anonymous" else "FORBIDDEN"
            assert cancel.error_codes("cancelInvitation", invitationId=id) == [code]


def test_invitations_are_listed_newest_first_and_by_status(client: Client, make: Factories) -> None:
    course, past = make.course(), clock.now() - HOUR
    enrollment = make.enrollment(make.user(), course)
    states: dict[str, dict[str, Any]] = {
        "PENDING": {},
        "ACCEPTED": {"status": InvitationStatus.ACCEPTED, "enrollment_id": enrollment.id, "expires_at": past},
        "CANCELLED": {"status": InvitationStatus.CANCELLED, "expires_at": past},
        "EXPIRED": {"expires_at": past},
    }
    for number, (status, values) in enumerate(states.items()):
        make.invitation(course, f"{status}@example.com", created_at=START + number * DAY, **values)
    staff = InvitationClient(client, make.actor(course.instructor))
    expected = list(reversed(states))
    listed = staff.listed(course.global_id)
    assert [node["status"] for node in listed["nodes"]] == expected
    assert listed["totalCount"] == 4
    for status in states:
        filtered = staff.listed(course.global_id, status=status)
        assert [node["email"] for node in filtered["nodes"]] == [f"{status}@example.com"]
        assert filtered["totalCount"] == 1
    statuses, cursor = [], None
    for _ in expected:
        page = staff.listed(course.global_id, first=1, after=cursor)
        statuses += [node["status"] for node in page["nodes"]]
        cursor = page["pageInfo"]["endCursor"]
    assert statuses == expected
    assert not page["pageInfo"]["hasNextPage"]


def test_deleted_account_leaves_no_accepted_invitation(client: Client, make: Factories, service: Service) -> None:
    course, learner, admin = make.course(), make.user(email=EMAIL), make.actor(make.user(Role.SUPER_ADMIN))
    make.invitation(course, OTHER, "a token")
    make.invitation(make.course(), EMAIL)
    InvitationClient(client, make.actor(learner)).ok("acceptInvitation", token="a token")
    delete = users.delete_user
    service.database.write_sync(lambda session: delete(session, admin, global_id("User", learner)))
    assert rows(service.database, select(Invitation.email)) == [EMAIL], "its end would reveal the account"


def test_course_is_deleted_with_its_invitations(client: Client, make: Factories, service: Service) -> None:
    course = make.course(status=CourseStatus.DRAFT)  # it was published before
    make.invitation(course, EMAIL)
    make.add(InvitationCounter(course_id=course.row.id, day=clock.now().date()))
    delete = "mutation D($id: ID!) { deleteCourse(input: {courseId: $id}) { errors { code } } }"
    data = client.execute(delete, as_=make.actor(course.instructor), id=course.global_id)
    assert data["deleteCourse"]["errors"] == []
    assert count(service.database, Invitation) == count(service.database, InvitationCounter) == 0


def test_invitations_are_deleted_thirty_days_after_their_end(make: Factories, service: Service) -> None:
    course, old, recent = make.course(), clock.now() - 31 * DAY, clock.now() - 29 * DAY
    enrollment = make.enrollment(make.user(), course)
    accepted: dict[str, Any] = {"status": InvitationStatus.ACCEPTED, "enrollment_id": enrollment.id}
    make.invitation(course, "expired@example.com", expires_at=old)
    make.invitation(course, "cancelled@example.com", expires_at=old, status=InvitationStatus.CANCELLED)
    make.invitation(course, "accepted@example.com", expires_at=old, **accepted)
    make.invitation(course, "recent@example.com", expires_at=recent)
    make.invitation(course, "pending@example.com")
    assert service.database.write_sync(purge_invitations) + service.database.write_sync(purge_invitations) <= 2
    left = rows(service.database, select(Invitation.email).order_by(Invitation.id))
    assert left == [f"{name}@example.com" for name in ("accepted", "recent", "pending")]
    assert count(service.database, Enrollment) == 1
