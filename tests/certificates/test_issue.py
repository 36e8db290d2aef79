"""Issuing of certificates: once per learner and course, with the names and titles of that moment."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

import pytest
import time_machine
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import AuditEvent, User
from lms_graphql.catalog.models import Course, CourseStatus, EnrollmentStatus
from lms_graphql.certificates import serials
from lms_graphql.certificates.models import Certificate
from lms_graphql.certificates.services import certificates
from lms_graphql.certificates.validity import expiry_date
from lms_graphql.core.actor import Role
from lms_graphql.core.database import Database
from lms_graphql.mail.models import Mail
from lms_graphql.settings import Settings
from tests.certificates.scenario import CERTIFICATE, CertificateScenario, Issue, audit_events
from tests.concurrency import START_TIMEOUT_SECONDS, race_rounds
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import Client, Service
from tests.mail_servers import Mailbox
from tests.row_writer import START

RACERS, ROUNDS = 10, race_rounds(20)


def test_certificate_keeps_names_and_titles_at_issue(
    client: Client, make: Factories, service: Service, issue: Issue
) -> None:
    instructor = make.user(Role.INSTRUCTOR, first_name="Екатерина", last_name="Иваненко")
    course = make.course("Go", instructor=instructor)
    learner = make.user(first_name="Nguyễn Văn", last_name="Bình")
    make.enrollment(learner, course, EnrollmentStatus.COMPLETED)
    certificate = issue(learner, course)

    def change(session: Session) -> None:
        session.execute(update(User).values(first_name="Somebody", last_name="Else"))
        session.execute(update(Course).values(title="Go, second edition", status=CourseStatus.ARCHIVED))

    service.database.write_sync(change)
    node = client.execute(CERTIFICATE, as_=make.actor(learner), id=global_id("Certificate", certificate))["node"]
    assert node["learnerName"] == "Nguyễn Văn Bình"
    assert node["instructorName"] == "Екатерина Иваненко"
    assert node["courseTitle"] == "Go"
    assert node["title"] == "Certificate of Completion: Go"
    assert node["course"] == {"id": course.global_id, "title": "Go, second edition"}
    assert node["user"] == {"id": global_id("User", learner)}
    assert (node["status"], node["expiresAt"], node["revokedAt"]) == ("VALID", None, None)


def test_issuing_again_returns_the_same_certificate(make: Factories, issue: Issue) -> None:
    learner, course = make.user(), make.course()
    first = issue(learner, course)
    repeated = issue(learner, course, certificate_months=3)
    assert (repeated.id, repeated.serial, repeated.expires_at) == (first.id, first.serial, None)
    other = issue(make.user(), course)
    assert other.id != first.id
    assert {other.serial, other.verification_code}.isdisjoint({first.serial, first.verification_code})


def test_revoked_certificate_is_not_reissued(make: Factories, issue: Issue) -> None:
    scenario = CertificateScenario(make, revoked_at=START)
    assert issue(scenario.holder, scenario.course).revoked_at == START


def test_used_serial_is_drawn_again(make: Factories, issue: Issue, monkeypatch: pytest.MonkeyPatch) -> None:
    existing = make.certificate(make.user(), make.course())
    draws = iter([existing.serial, existing.serial, "LWR-2026-3333-4444"])
    monkeypatch.setattr(serials, "new_serial", lambda *_: next(draws))
    assert issue(make.user(), make.course()).serial == "LWR-2026-3333-4444"


def test_mail_links_to_pdf_and_verification_page(
    make: Factories, issue: Issue, service: Service, mailbox: Mailbox, settings: Settings
) -> None:
    learner = make.user(email="ada@example.com")
    certificate = issue(learner, make.course("Typography"))
    issue(learner, make.course("Typography"))
    mailbox.wait_for(2)
    message = next(message for message in mailbox.received if certificate.verification_code in str(message))
    body = message.get_body(("plain",))
    assert message["To"] == "ada@example.com"
    assert body is not None
    text = body.get_content().replace("\n", " ")
    assert "“Typography”" in text
    assert f"{settings.service_url}certificates/{certificate.verification_code}.pdf" in text
    assert f"{settings.public_url}/verify/{certificate.verification_code}" in text
    assert text.rstrip().endswith(settings.site_name)
    assert message["From"] == settings.sender.replace('"', "")


def test_audit_events_and_mails_contain_no_code(make: Factories, issue: Issue, service: Service) -> None:
    learner = make.user()
    certificate = issue(learner, make.course())
    other = issue(learner, make.course())
    issued = [("certificate.issued", None, row.id) for row in (certificate, other)]
    assert audit_events(service.database) == issued
    stored = service.database.read_sync(
        lambda session: [*session.scalars(select(AuditEvent.details)), *session.scalars(select(Mail.data))]
    )
    assert certificate.verification_code not in str(stored)


def test_expiry_date_follows_setting_at_issue(make: Factories, issue: Issue) -> None:
    with time_machine.travel(datetime(2026, 8, 31, 12, tzinfo=UTC), tick=False):
        certificate = issue(make.user(), make.course(), certificate_months=6)
    assert certificate.expires_at == datetime(2027, 2, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("issued", "months", "expires"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-11-30", 12, "2027-11-30"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2026-06-30", 1200, "2126-06-30"),
    ],
)
def test_expiry_date_uses_calendar_months(issued: str, months: int, expires: str) -> None:
    date = expiry_date(datetime.fromisoformat(f"{issued}T01:02:03+00:00"), months)
    assert date == datetime.fromisoformat(f"{expires}T01:02:03+00:00")


@pytest.mark.slow
def test_concurrent_completions_issue_one_certificate(make: Factories, service: Service, settings: Settings) -> None:
    """They also enqueue one mail and record one audit event."""
    course = make.course()
    database = Database(service.database.url, pool_size=RACERS, threads=1)
    with ThreadPoolExecutor(RACERS) as threads:
        for _ in range(ROUNDS):
            learner, start = make.user(), threading.Barrier(RACERS)
            race = partial(issue_in_race, database, learner, course, settings, start)
            assert len(set(threads.map(lambda _: race(), range(RACERS)))) == 1  # noqa: B023 - runs within the round
    row_counts = database.read_sync(
        lambda session: [len(list(session.scalars(select(table)))) for table in (Certificate, Mail, AuditEvent)]
    )
    database.dispose()
    assert row_counts == [ROUNDS] * 3


def issue_in_race(
    database: Database, learner: User, course: CourseTree, settings: Settings, start: threading.Barrier
) -> int:
    """Read before the barrier, so that the transaction's snapshot is from before all the other certificates."""
    has_waited = database.is_sqlite  # SQLite has one writer at a time, so the others cannot come to the barrier

    def work(session: Session) -> int:
        nonlocal has_waited
        session.scalar(select(Certificate.id).where(Certificate.user_id == learner.id))
        if not has_waited:
            has_waited = True
            start.wait(START_TIMEOUT_SECONDS)
        return certificates.issue_certificate(session, learner.id, course.row.id, settings)

    return database.write_sync(work)
