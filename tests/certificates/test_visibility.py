"""Visibility of certificates and of their secret fields, and the lists of certificates."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from lms_graphql.accounts.services import users
from lms_graphql.catalog.models import CourseStatus, EnrollmentStatus
from lms_graphql.certificates.reads import certificates_by_enrollment
from lms_graphql.core.actor import Actor
from lms_graphql.settings import Settings
from tests.certificates.scenario import CERTIFICATE, VISIBLE, CertificateScenario
from tests.factories import Factories, global_id
from tests.live_service import Client, Service, StatementRecorder
from tests.row_writer import START

SECRETS = "query N($id: ID!) { node(id: $id) { ... on Certificate { serial verificationCode pdfUrl } } }"
NODES = "query N($ids: [ID!]!) { nodes(ids: $ids) { id } }"
CERTIFICATES_OF_USER = (
    "query L($id: ID!) { node(id: $id) { ... on User { certificates { totalCount nodes { id } } } } }"
)


@pytest.mark.parametrize("name", VISIBLE)
def test_certificate_is_visible_on_all_paths_or_none(client: Client, make: Factories, name: str) -> None:
    scenario = CertificateScenario(make)
    actor = scenario.actor(name)
    assert (client.graphql(CERTIFICATE, as_=actor, id=scenario.id)["data"]["node"] is not None) is VISIBLE[name]
    assert (client.execute(NODES, as_=actor, ids=[scenario.id])["nodes"][0] is not None) is VISIBLE[name]
    body = client.graphql(CERTIFICATES_OF_USER, as_=actor, id=global_id("User", scenario.holder))
    if name in {"holder", "admin"}:
        page = body["data"]["node"]["certificates"]
        assert page == {"totalCount": 1, "nodes": [{"id": scenario.id}]}
    elif name == "anonymous":
        assert body["data"]["node"] is None
    else:
        assert body["data"]["node"] == {"certificates": None}
        assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]


@pytest.mark.parametrize("name", ["holder", "instructor", "admin"])
def test_code_and_pdf_url_require_holder_or_admin(
    client: Client, make: Factories, settings: Settings, name: str
) -> None:
    scenario = CertificateScenario(make)
    code = scenario.certificate.verification_code
    body = client.graphql(SECRETS, as_=scenario.actor(name), id=scenario.id)
    node = body["data"]["node"]
    assert node["serial"] == scenario.certificate.serial
    if name == "instructor":
        assert (node["verificationCode"], node["pdfUrl"]) == (None, None)
        assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN", "FORBIDDEN"]
        assert code not in str(body)
    else:
        assert "errors" not in body
        assert node["verificationCode"] == code
        assert node["pdfUrl"] == f"{settings.service_url}certificates/{code}.pdf"


@pytest.mark.parametrize("status", [EnrollmentStatus.CANCELLED, EnrollmentStatus.REFUNDED, EnrollmentStatus.EXPIRED])
def test_holder_sees_archived_course_through_certificate(
    client: Client, make: Factories, status: EnrollmentStatus
) -> None:
    course, holder = make.course("Old", status=CourseStatus.ARCHIVED), make.user()
    make.enrollment(holder, course, status)
    id = global_id("Certificate", make.certificate(holder, course))
    assert client.execute(CERTIFICATE, as_=make.actor(holder), id=id)["node"]["course"]["title"] == "Old"


def test_certificate_keeps_name_of_deleted_holder(client: Client, make: Factories, service: Service) -> None:
    scenario = CertificateScenario(make)
    admin, holder_id = scenario.actor("admin"), global_id("User", scenario.holder)
    service.database.write_sync(lambda session: users.delete_user(session, admin, holder_id))
    document = "query N($id: ID!) { node(id: $id) { ... on Certificate { learnerName status user { fullName } } } }"
    assert client.execute(document, as_=scenario.actor("instructor"), id=scenario.id)["node"] == {
        "learnerName": scenario.certificate.learner_name,
        "status": "VALID",
        "user": {"fullName": "Deleted user"},
    }


def test_status_is_revoked_when_revoked_and_expired(client: Client, make: Factories) -> None:
    later, earlier = datetime.now(UTC) + timedelta(minutes=1), datetime.now(UTC) - timedelta(minutes=1)
    for expires_at, revoked_at, status in (
        (later, None, "VALID"),
        (earlier, None, "EXPIRED"),
        (later, earlier, "REVOKED"),
        (earlier, earlier, "REVOKED"),
    ):
        state = {"expires_at": expires_at} | ({"revoked_at": revoked_at} if revoked_at else {})
        scenario = CertificateScenario(make, **state)
        node = client.execute(CERTIFICATE, as_=scenario.actor("holder"), id=scenario.id)["node"]
        assert node["status"] == status


@pytest.mark.query_budget
def test_certificates_of_user_are_paged_newest_first(
    client: Client, make: Factories, statements: StatementRecorder
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
    listed: list[str] = []
    after = None
    for _ in range(3):
        with statements:
            page = client.execute(document, as_=make.actor(holder), after=after)["me"]["certificates"]
        assert statements.count <= 5
        assert page["totalCount"] == 12
        listed += [node["course"]["title"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert listed == titles[::-1]
    assert page["pageInfo"]["hasNextPage"] is False


@pytest.mark.query_budget
def test_certificates_by_enrollment_take_one_statement(
    make: Factories, service: Service, statements: StatementRecorder
) -> None:
    scenario = CertificateScenario(make)
    other = make.enrollment(scenario.learner, scenario.course)
    keys = [scenario.enrollment.id, other.id]
    for name, is_visible in VISIBLE.items():
        actor = scenario.actor(name)

        def read(session: Session, actor: Actor = actor) -> Any:
            return certificates_by_enrollment(session, actor, keys)

        with statements:
            rows = service.database.read_sync(read)
        assert statements.count == 1
        assert {key: row.id for key, row in rows.items()} == ({keys[0]: scenario.id} if is_visible else {})
