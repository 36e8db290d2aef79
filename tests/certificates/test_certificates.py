"""Certificates: issued once, frozen, seen by the holder and course staff, taken back and given back."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import AuditEvent, User
from lms_graphql.accounts.services import users
from lms_graphql.catalog.models import Course, CourseStatus, EnrollmentStatus
from lms_graphql.certificates import codes
from lms_graphql.certificates.models import Certificate, RevocationReason
from lms_graphql.certificates.reads import certificates_by_enrollment
from lms_graphql.certificates.services import certificates
from lms_graphql.certificates.validity import expiry_date
from lms_graphql.core import global_ids
from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from lms_graphql.core.database import Database
from lms_graphql.mail.models import Mail
from lms_graphql.settings import Settings
from tests.concurrency import TURN_SECONDS, RaceRequest, racers, rounds
from tests.factories import START, CourseTree, Factories, global_id
from tests.live_service import ACTOR_HEADER, Client, Service, Statements
from tests.mail_servers import Postbox

ALL = """
  id serial title learnerName courseTitle instructorName issuedAt expiresAt revokedAt status
  user { id } course { id title }
"""
NODE = f"query N($id: ID!) {{ node(id: $id) {{ ... on Certificate {{ {ALL} }} }} }}"
SECRETS = "query N($id: ID!) { node(id: $id) { ... on Certificate { serial verificationCode pdfUrl } } }"
NODES = "query N($ids: [ID!]!) { nodes(ids: $ids) { id } }"
LISTED = "query L($id: ID!) { node(id: $id) { ... on User { certificates { totalCount nodes { id } } } } }"
PAYLOAD = "{ certificate { id status revokedAt } errors { code path } }"
REVOKE = f"mutation R($input: RevokeCertificateInput!) {{ revokeCertificate(input: $input) {PAYLOAD} }}"
REINSTATE = f"mutation R($input: CertificateIdInput!) {{ reinstateCertificate(input: $input) {PAYLOAD} }}"
RACERS, ROUNDS = 10, rounds(20)


class Holding:
    """Somebody who has completed somebody's course, and the others who might ask."""

    def __init__(self, make: Factories, **values: Any) -> None:
        self.teacher = make.user(Role.INSTRUCTOR)
        self.course = make.course("Rust, fearlessly", instructor=self.teacher)
        self.holder = make.user()
        self.enrollment = make.enrollment(self.holder, self.course, EnrollmentStatus.COMPLETED)
        self.certificate = make.certificate(self.holder, self.course, **values)
        self.learner = make.user()
        self.rival = make.course().instructor
        self.admin = make.user(Role.SUPER_ADMIN)

    @property
    def id(self) -> str:
        return global_id("Certificate", self.certificate)

    def actor(self, name: str) -> Actor:
        if name == "anonymous":
            return ANONYMOUS
        user: User = getattr(self, name)
        return Actor(user.id, user.role)


@pytest.fixture
def settings(service: Service) -> Settings:
    return service.resources.settings


Issue = Callable[..., Certificate]


@pytest.fixture
def issue(service: Service, settings: Settings) -> Issue:
    def issue(user: User, course: CourseTree, **changes: Any) -> Certificate:
        """As the completion of a course does it, with these settings changed."""
        changed = settings.model_copy(update=changes)

        def work(session: Session) -> Certificate:
            key = certificates.issue_certificate(session, user.id, course.row.id, changed)
            return session.get_one(Certificate, key)

        return service.database.write_sync(work)

    return issue


def audited(database: Database) -> list[tuple[str, int | None, int | None]]:
    events = select(AuditEvent.action, AuditEvent.actor_id, AuditEvent.subject_id).order_by(AuditEvent.id)
    return database.read_sync(lambda session: [(row[0], row[1], row[2]) for row in session.execute(events)])


def test_a_certificate_says_what_was_true_when_it_was_issued(
    client: Client, make: Factories, service: Service, issue: Issue
) -> None:
    teacher = make.user(Role.INSTRUCTOR, first_name="Екатерина", last_name="Иваненко")
    course = make.course("Go", instructor=teacher)
    learner = make.user(first_name="Nguyễn Văn", last_name="Bình")
    make.enrollment(learner, course, EnrollmentStatus.COMPLETED)
    certificate = issue(learner, course)

    def change(session: Session) -> None:
        session.execute(update(User).values(first_name="Somebody", last_name="Else"))
        session.execute(update(Course).values(title="Go, second edition", status=CourseStatus.ARCHIVED))

    service.database.write_sync(change)
    told = client.execute(NODE, as_=make.actor(learner), id=global_id("Certificate", certificate))["node"]
    assert told["learnerName"] == "Nguyễn Văn Bình"
    assert told["instructorName"] == "Екатерина Иваненко"
    assert told["courseTitle"] == "Go"
    assert told["title"] == "Certificate of Completion: Go"
    assert told["course"] == {"id": course.global_id, "title": "Go, second edition"}
    assert told["user"] == {"id": global_id("User", learner)}
    assert (told["status"], told["expiresAt"], told["revokedAt"]) == ("VALID", None, None)


def test_one_person_has_one_certificate_for_a_course_and_it_stays_as_it_is(make: Factories, issue: Issue) -> None:
    learner, course = make.user(), make.course()
    first = issue(learner, course)
    again = issue(learner, course, certificate_months=3)
    assert (again.id, again.serial, again.expires_at) == (first.id, first.serial, None)
    other = issue(make.user(), course)
    assert other.id != first.id
    assert {other.serial, other.verification_code}.isdisjoint({first.serial, first.verification_code})


def test_a_revoked_certificate_is_not_issued_anew(make: Factories, issue: Issue) -> None:
    holding = Holding(make, revoked_at=START)
    assert issue(holding.holder, holding.course).revoked_at == START


def test_a_serial_that_is_taken_is_drawn_again(
    make: Factories, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = make.certificate(make.user(), make.course())
    draws = iter([taken.serial, taken.serial, "LWR-2026-3333-4444"])
    monkeypatch.setattr(codes, "new_serial", lambda issued_at: next(draws))
    assert issue(make.user(), make.course()).serial == "LWR-2026-3333-4444"


def test_the_learner_gets_a_letter_with_the_way_to_the_certificate(
    make: Factories, issue: Issue, service: Service, postbox: Postbox, settings: Settings
) -> None:
    learner = make.user(email="ada@example.com")
    certificate = issue(learner, make.course("Typography"))
    issue(learner, make.course("Typography"))
    postbox.wait_for(2)
    letter = next(one for one in postbox.taken if certificate.verification_code in str(one))
    body = letter.get_body(("plain",))
    assert letter["To"] == "ada@example.com"
    assert body is not None
    text = body.get_content().replace("\n", " ")
    assert "“Typography”" in text
    assert f"{settings.public_url}/certificates/{certificate.verification_code}.pdf" in text
    assert f"{settings.public_url}/verify/{certificate.verification_code}" in text


def test_what_is_kept_of_an_issue_holds_no_code(make: Factories, issue: Issue, service: Service) -> None:
    learner = make.user()
    certificate = issue(learner, make.course())
    issue(learner, make.course())
    assert audited(service.database) == [("certificate.issued", None, learner.id)] * 2
    kept = service.database.read_sync(
        lambda session: [*session.scalars(select(AuditEvent.details)), *session.scalars(select(Mail.data))]
    )
    assert certificate.verification_code not in str(kept)


def test_months_of_validity_are_the_settings_of_the_day_it_was_issued(make: Factories, issue: Issue) -> None:
    with time_machine.travel(datetime(2026, 8, 31, 12, tzinfo=UTC), tick=False):
        certificate = issue(make.user(), make.course(), certificate_months=6)
    assert certificate.expires_at == datetime(2027, 2, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("issued", "months", "until"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-11-30", 12, "2027-11-30"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2026-06-30", 1200, "2126-06-30"),
    ],
)
def test_months_are_counted_by_the_calendar(issued: str, months: int, until: str) -> None:
    found = expiry_date(datetime.fromisoformat(f"{issued}T01:02:03+00:00"), months)
    assert found == datetime.fromisoformat(f"{until}T01:02:03+00:00")


SEES = {"anonymous": False, "learner": False, "rival": False, "holder": True, "teacher": True, "admin": True}


@pytest.mark.parametrize("who", SEES)
def test_a_certificate_is_there_on_every_path_or_on_none(client: Client, make: Factories, who: str) -> None:
    holding = Holding(make)
    actor = holding.actor(who)
    assert (client.graphql(NODE, as_=actor, id=holding.id)["data"]["node"] is not None) is SEES[who]
    assert (client.execute(NODES, as_=actor, ids=[holding.id])["nodes"][0] is not None) is SEES[who]
    answer = client.graphql(LISTED, as_=actor, id=global_id("User", holding.holder))
    if who in {"holder", "admin"}:
        listed = answer["data"]["node"]["certificates"]
        assert listed == {"totalCount": 1, "nodes": [{"id": holding.id}]}
    elif who == "anonymous":
        assert answer["data"]["node"] is None
    else:
        assert answer["data"]["node"] == {"certificates": None}
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]


@pytest.mark.parametrize("who", ["holder", "teacher", "admin"])
def test_the_code_and_the_pdf_are_for_the_holder_and_super_admins(
    client: Client, make: Factories, settings: Settings, who: str
) -> None:
    holding = Holding(make)
    code = holding.certificate.verification_code
    answer = client.graphql(SECRETS, as_=holding.actor(who), id=holding.id)
    node = answer["data"]["node"]
    assert node["serial"] == holding.certificate.serial
    if who == "teacher":
        assert (node["verificationCode"], node["pdfUrl"]) == (None, None)
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN", "FORBIDDEN"]
        assert code not in str(answer)
    else:
        assert "errors" not in answer
        assert node["verificationCode"] == code
        assert node["pdfUrl"] == f"{settings.public_url}/certificates/{code}.pdf"


@pytest.mark.parametrize("status", [EnrollmentStatus.CANCELLED, EnrollmentStatus.REFUNDED, EnrollmentStatus.EXPIRED])
def test_who_has_left_an_archived_course_still_sees_it_through_the_certificate(
    client: Client, make: Factories, status: EnrollmentStatus
) -> None:
    course, holder = make.course("Old", status=CourseStatus.ARCHIVED), make.user()
    make.enrollment(holder, course, status)
    id = global_id("Certificate", make.certificate(holder, course))
    assert client.execute(NODE, as_=make.actor(holder), id=id)["node"]["course"]["title"] == "Old"


def test_a_deleted_holder_leaves_a_certificate_that_still_names_them(
    client: Client, make: Factories, service: Service
) -> None:
    holding = Holding(make)
    actor = holding.actor("admin")
    service.database.write_sync(lambda session: users.delete_user(session, actor, global_id("User", holding.holder)))
    document = "query N($id: ID!) { node(id: $id) { ... on Certificate { learnerName status user { fullName } } } }"
    assert client.execute(document, as_=holding.actor("teacher"), id=holding.id)["node"] == {
        "learnerName": holding.certificate.learner_name,
        "status": "VALID",
        "user": {"fullName": "Deleted user"},
    }


def test_ones_certificates_come_newest_first_in_pages_for_a_few_statements(
    client: Client, make: Factories, statements: Statements
) -> None:
    holder = make.user()
    titles = []
    for number in range(12):
        course = make.course(f"Course {number}", lectures=0)
        make.enrollment(holder, course, EnrollmentStatus.COMPLETED)
        make.certificate(holder, course, issued_at=START + timedelta(days=number // 2))
        titles.append(course.row.title)
    document = """query P($after: String) { me { certificates(first: 5, after: $after) {
      totalCount nodes { courseTitle status course { title } user { fullName } } pageInfo { endCursor hasNextPage }
    } } }"""
    found: list[str] = []
    after = None
    for _ in range(3):
        with statements:
            page = client.execute(document, as_=make.actor(holder), after=after)["me"]["certificates"]
        assert statements.count <= 5
        assert page["totalCount"] == 12
        found += [node["course"]["title"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert found == titles[::-1]
    assert page["pageInfo"]["hasNextPage"] is False


def test_enrollments_find_their_certificates_in_one_statement(
    make: Factories, service: Service, statements: Statements
) -> None:
    holding = Holding(make)
    other = make.enrollment(holding.learner, holding.course)
    keys = [holding.enrollment.id, other.id]
    for who, sees in SEES.items():
        actor = holding.actor(who)

        def work(session: Session, actor: Actor = actor) -> Any:
            return certificates_by_enrollment(session, actor, keys)

        with statements:
            found = service.database.read_sync(work)
        assert statements.count == 1
        assert {key: row.id for key, row in found.items()} == ({keys[0]: holding.id} if sees else {})


def test_a_revoked_certificate_is_revoked_before_it_is_expired(client: Client, make: Factories) -> None:
    later, earlier = datetime.now(UTC) + timedelta(minutes=1), datetime.now(UTC) - timedelta(minutes=1)
    for expires_at, revoked_at, status in (
        (later, None, "VALID"),
        (earlier, None, "EXPIRED"),
        (later, earlier, "REVOKED"),
        (earlier, earlier, "REVOKED"),
    ):
        state = {"expires_at": expires_at} | ({"revoked_at": revoked_at} if revoked_at else {})
        holding = Holding(make, **state)
        assert client.execute(NODE, as_=holding.actor("holder"), id=holding.id)["node"]["status"] == status


def test_super_admins_take_a_certificate_back_and_give_it_back(
    client: Client, make: Factories, service: Service
) -> None:
    holding = Holding(make)
    admin = holding.actor("admin")
    asked = {"certificateId": holding.id, "reason": "MISCONDUCT", "note": "Copied."}
    payload = client.execute(REVOKE, as_=admin, input=asked)["revokeCertificate"]
    assert payload["errors"] == []
    assert payload["certificate"]["status"] == "REVOKED"
    again = client.execute(REVOKE, as_=admin, input={**asked, "note": None})["revokeCertificate"]
    assert again == payload
    other = client.execute(REVOKE, as_=admin, input={**asked, "reason": "ERROR"})["revokeCertificate"]
    error = {"code": "INVALID_TRANSITION", "path": ["input", "certificateId"]}
    assert other == {"certificate": None, "errors": [error]}
    kept = service.database.read_sync(lambda session: session.scalars(select(Certificate)).one())
    assert (kept.revocation_reason, kept.revocation_note) == (RevocationReason.MISCONDUCT, "Copied.")
    good = {"id": holding.id, "status": "VALID", "revokedAt": None}
    for _ in range(2):
        back = client.execute(REINSTATE, as_=admin, input={"certificateId": holding.id})["reinstateCertificate"]
        assert back == {"certificate": good, "errors": []}
    kept = service.database.read_sync(lambda session: session.scalars(select(Certificate)).one())
    assert (kept.revoked_at, kept.revocation_reason, kept.revocation_note) == (None, None, None)
    assert audited(service.database) == [
        ("certificate.revoked", admin.key, holding.holder.id),
        ("certificate.reinstated", admin.key, holding.holder.id),
    ]


def test_what_is_wrong_with_a_revocation_is_told_at_its_place(client: Client, make: Factories) -> None:
    holding = Holding(make)
    admin = holding.actor("admin")
    missing = [global_ids.encode("Certificate", 10**9), "nonsense", holding.course.global_id, ""]
    for id in missing:
        for document, more in ((REVOKE, {"reason": "ERROR", "note": "x" * 1_001}), (REINSTATE, {})):
            payload = next(iter(client.execute(document, as_=admin, input={"certificateId": id, **more}).values()))
            assert payload["errors"] == [{"code": "NOT_FOUND", "path": ["input", "certificateId"]}]
    long = {"certificateId": holding.id, "reason": "ERROR", "note": "x" * 1_001}
    payload = client.execute(REVOKE, as_=admin, input=long)["revokeCertificate"]
    assert payload == {"certificate": None, "errors": [{"code": "TOO_LONG", "path": ["input", "note"]}]}
    fits = {**long, "note": "x" * 1_000}
    assert client.execute(REVOKE, as_=admin, input=fits)["revokeCertificate"]["errors"] == []


@pytest.mark.parametrize("who", ["anonymous", "learner", "holder", "teacher", "rival"])
def test_nobody_else_takes_a_certificate_back(client: Client, make: Factories, who: str) -> None:
    holding = Holding(make)
    code = "UNAUTHENTICATED" if who == "anonymous" else "FORBIDDEN"
    for document, more in ((REVOKE, {"reason": "ERROR"}), (REINSTATE, {})):
        asked = {"certificateId": holding.id, **more}
        assert client.error_codes(document, as_=holding.actor(who), input=asked) == [code]
    assert client.execute(NODE, as_=holding.actor("admin"), id=holding.id)["node"]["status"] == "VALID"


def test_coming_back_lifts_what_a_refund_has_revoked_and_nothing_else(make: Factories, service: Service) -> None:
    refunded, dishonest, good = Holding(make), Holding(make), Holding(make)
    admin = refunded.actor("admin")

    def both(function: Callable[..., None]) -> list[RevocationReason | None]:
        def work(session: Session) -> list[RevocationReason | None]:
            for one in (refunded, dishonest):
                function(session, one.holder.id, one.course.row.id)
                function(session, one.learner.id, one.course.row.id)  # who has none
            kept = select(Certificate.revocation_reason).order_by(Certificate.id)
            return list(session.scalars(kept))

        return service.database.write_sync(work)

    id, misconduct = global_id("Certificate", dishonest.certificate), RevocationReason.MISCONDUCT
    service.database.write_sync(lambda session: certificates.revoke_certificate(session, admin, id, misconduct, None))
    for _ in range(2):
        assert both(certificates.revoke_for_refund) == [RevocationReason.REFUND, misconduct, None]
    for _ in range(2):
        assert both(certificates.reinstate_after_refund) == [None, misconduct, None]
    whats = [what for what, _, subject in audited(service.database) if subject == refunded.holder.id]
    assert whats == ["certificate.revoked", "certificate.reinstated"]
    assert good.certificate.revoked_at is None


@pytest.mark.slow
def test_ten_completions_at_once_make_one_certificate_one_letter_and_one_line_in_the_audit(
    make: Factories, service: Service, settings: Settings
) -> None:
    course = make.course()
    database = Database(service.database.url, pool_size=RACERS, threads=1)
    with ThreadPoolExecutor(RACERS) as threads:
        for _ in range(ROUNDS):
            learner, start = make.user(), threading.Barrier(RACERS)
            race = partial(completion, database, learner, course, settings, start)
            assert len(set(threads.map(lambda _: race(), range(RACERS)))) == 1  # noqa: B023 - it is over by then
    kept = database.read_sync(
        lambda session: [len(list(session.scalars(select(row)))) for row in (Certificate, Mail, AuditEvent)]
    )
    database.dispose()
    assert kept == [ROUNDS] * 3


def completion(
    database: Database, learner: User, course: CourseTree, settings: Settings, start: threading.Barrier
) -> int:
    """What completes a course has looked at things before the others have: its view of them is from then."""
    has_waited = database.is_sqlite  # which has one writer at a time

    def work(session: Session) -> int:
        nonlocal has_waited
        session.scalar(select(Certificate.id).where(Certificate.user_id == learner.id))
        if not has_waited:
            has_waited = True
            start.wait(TURN_SECONDS)
        return certificates.issue_certificate(session, learner.id, course.row.id, settings)

    return database.write_sync(work)


@pytest.mark.slow
def test_revoking_and_reinstating_at_once_leaves_one_or_the_other_whole(make: Factories, service: Service) -> None:
    holding = Holding(make)
    admin = holding.actor("admin")
    headers = {ACTOR_HEADER: f"{admin.key}:{admin.role}"}
    revoke = RaceRequest(
        REVOKE, {"input": {"certificateId": holding.id, "reason": "ERROR", "note": "Why"}}, headers=headers
    )
    reinstate = RaceRequest(REINSTATE, {"input": {"certificateId": holding.id}}, headers=headers)
    with racers([service.url], 6) as many:
        for _ in range(ROUNDS):
            answers = many.race(*[revoke, reinstate] * 3)
            assert {answer.code for answer in answers} == {None}
            kept = service.database.read_sync(lambda session: session.scalars(select(Certificate)).one())
            state = (kept.revoked_at is not None, kept.revocation_reason, kept.revocation_note)
            assert state in {(True, RevocationReason.ERROR, "Why"), (False, None, None)}
    told = [what.removeprefix("certificate.") for what, _, _ in audited(service.database)]
    assert set(told[::2]) == {"revoked"}
    assert set(told[1::2]) <= {"reinstated"}
