"""Name of the platform: on certificates, in their serials, and in place of instructors who were deleted."""

import io

import pypdf
import pytest

from lms_graphql.accounts.services import users
from lms_graphql.catalog.models import EnrollmentStatus
from lms_graphql.certificates.pdf.document import render_pdf, seal_text
from lms_graphql.certificates.serials import new_serial
from lms_graphql.core.actor import Role
from tests.certificates.scenario import CERTIFICATE, Issue
from tests.certificates.test_pdf import content, pdf_text
from tests.factories import Factories, global_id
from tests.live_service import Client, Service
from tests.row_writer import START

VERIFY = "query V($code: String!) { verifyCertificate(code: $code) { status instructorName } }"


def test_platform_signs_for_deleted_instructor(
    client: Client, make: Factories, service: Service, issue: Issue
) -> None:
    instructor = make.user(Role.INSTRUCTOR, first_name="Ada", last_name="Lovelace")
    course, early, late, later = make.course("Go", instructor=instructor), make.user(), make.user(), make.user()
    for learner in (early, late, later):
        make.enrollment(learner, course, EnrollmentStatus.COMPLETED)
    before = issue(early, course)
    admin, id = make.actor(make.user(Role.SUPER_ADMIN)), global_id("User", instructor)
    service.database.write_sync(lambda session: users.delete_user(session, admin, id))
    after, renamed = issue(late, course), issue(later, course, site_name="Académie Żak")
    expected = {before: "Ada Lovelace", after: "Learn with Roko", renamed: "Académie Żak"}
    for certificate, name in expected.items():
        node = client.execute(CERTIFICATE, as_=admin, id=global_id("Certificate", certificate))["node"]
        verified = client.execute(VERIFY, code=certificate.verification_code)["verifyCertificate"]
        assert (node["instructorName"], verified) == (name, {"status": "VALID", "instructorName": name})


@pytest.mark.parametrize("name", ["Acme Academy", "Łódź Learning", "Академия", "ქართული აკადემია", "学院"])
def test_certificate_shows_the_site_name(name: str) -> None:
    text = "".join(pdf_text(render_pdf(content(issuer=name))).split())
    shown = {"".join(spelling.split()) for spelling in (name, name.upper())}
    assert any(spelling in text for spelling in shown)
    assert "ROKO" not in text


def test_long_site_name_stays_on_the_page() -> None:
    places: list[float] = []

    def visit(text: str, _: object, matrix: list[float], *__: object) -> None:
        if "WWW" in text:
            places.append(matrix[4])

    (page,) = pypdf.PdfReader(io.BytesIO(render_pdf(content(issuer="W" * 60)))).pages
    page.extract_text(visitor_text=visit)
    assert places
    assert min(places) > 42, "the frame ends here"


@pytest.mark.parametrize(
    ("name", "seal"),
    [
        ("Learn with Roko", "LEARN WITH ROKO · CERTIFIED · "),
        ("Acme Academy", "ACME ACADEMY · CERTIFIED · "),
        ("International Academy of Everything", "CERTIFIED · CERTIFIED · CERTIFIED · "),
        ("أكاديمية", "CERTIFIED · CERTIFIED · CERTIFIED · "),
    ],
)
def test_seal_leaves_out_names_that_do_not_fit(name: str, seal: str) -> None:
    assert seal_text(name) == seal


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("Learn with Roko", "LWR"),
        ("academy", "A"),
        ("The Open School of Fine Arts", "TOSO"),
        ("Школа", "CERT"),
        ("Szkoła 42", "S"),
    ],
)
def test_serial_begins_with_initials(name: str, prefix: str) -> None:
    assert new_serial(name, START).startswith(f"{prefix}-2026-")
