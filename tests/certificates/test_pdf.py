"""PDF of a certificate: the endpoint, and the rendering of names, fonts and the QR code."""

import io
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pypdf
import pytest
import segno

from lms_graphql.certificates.models import Certificate
from lms_graphql.certificates.pdf import document
from lms_graphql.certificates.pdf.document import CertificateContent, render_pdf
from lms_graphql.core import codes
from lms_graphql.core.actor import Role
from lms_graphql.core.dates import format_date
from lms_graphql.pdf import fonts, typography
from tests.certificates.test_verification import exhaust_rate_limit, failed_attempts
from tests.factories import Factories
from tests.live_service import Client, Service
from tests.row_writer import START

LONG_NAME = ("Maximiliana-Theodora Wolfeschlegelsteinhausenbergerdorff von und zu Hohenlohe " * 3)[:201].strip()
SCRIPTS = [
    "Екатерина Иваненко",
    "Ґжегож Ющенко-Їжакевич",
    "Αλέξανδρος Παπαδόπουλος",
    "Nguyễn Thị Đức Phượng",
    "Sigríður Þóra Ødegård",
    "Łucja Dąbrowska",
    "Işıl Çağlar Öztürk",
    "佐藤 陽菜",
    "王秀英",
    "김 민준",
    LONG_NAME,
    "W" * 201,
]
CONTENT = CertificateContent(
    issuer="Learn with Roko",
    serial="LWR-2026-3467-9CDF",
    code="3467-9CDF-GHJK-MNPQ-RTVW",
    title="Certificate of Completion: Go",
    learner_name="Jane Learner",
    course_title="Go",
    instructor_name="John Instructor",
    issued_at=START,
    expires_at=None,
    verification_url="https://learn.example.com/verify/3467-9CDF-GHJK-MNPQ-RTVW",
)


def content(**changes: Any) -> CertificateContent:
    return CONTENT._replace(**changes)


def pdf_text(pdf: bytes) -> str:
    (page,) = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return page.extract_text()


def without_whitespace(text: str) -> str:
    """Return the text without white space, so that line breaks do not matter."""
    return "".join(unicodedata.normalize("NFC", text).split())


def get_pdf(client: Client, code: str, **options: Any) -> httpx.Response:
    return client.get(f"/certificates/{code}.pdf", **options)


@pytest.fixture
def certificate(make: Factories) -> Certificate:
    learner = make.user(first_name="Nguyễn Văn", last_name="Bình")
    instructor = make.user(Role.INSTRUCTOR, first_name="Екатерина", last_name="Иваненко")
    return make.certificate(learner, make.course("Πρώτα βήματα", instructor=instructor))


def test_pdf_is_served_to_anyone_with_the_code(client: Client, certificate: Certificate, service: Service) -> None:
    response = get_pdf(client, certificate.verification_code)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/pdf"
    assert response.headers["content-disposition"] == f'inline; filename="certificate-{certificate.serial}.pdf"'
    assert response.headers["cache-control"] == "private, no-cache"
    assert response.headers["x-content-type-options"] == "nosniff"
    text = without_whitespace(pdf_text(response.content))
    for expected in ("Nguyễn Văn Bình", "Πρώτα βήματα", "Екатерина Иваненко", "1 January 2026"):
        assert without_whitespace(expected) in text
    assert certificate.serial in text
    assert certificate.verification_code in text
    host = service.resources.settings.public_url.removeprefix("http://")
    assert f"{host}/verify" in text
    assert failed_attempts(service) == 0


def test_pdf_is_served_at_pdf_url(
    client: Client, make: Factories, certificate: Certificate, service: Service
) -> None:
    document = "{ users { nodes { certificates { nodes { pdfUrl } } } } }"
    users = client.execute(document, as_=make.actor(make.user(Role.SUPER_ADMIN)))["users"]["nodes"]
    (url,) = [certificate["pdfUrl"] for user in users for certificate in user["certificates"]["nodes"]]
    path = url.removeprefix(service.resources.settings.service_url.rstrip("/"))
    assert client.get(path).status_code == 200


def test_code_in_url_ignores_case_and_dashes(client: Client, certificate: Certificate) -> None:
    code = certificate.verification_code
    pdfs = {get_pdf(client, spelling).content for spelling in (code, code.lower(), code.replace("-", ""))}
    assert len(pdfs) == 1


@pytest.mark.parametrize("code", ["x", "%00", "é", "0" * 20, "3" * 2_000, "..", "3467-9CDF-GHJK-MNPQ-RTVW"])
def test_unknown_code_is_not_found(client: Client, certificate: Certificate, code: str) -> None:
    response = get_pdf(client, code)
    assert response.status_code == 404
    assert response.headers["content-type"].startswith("text/plain")


def test_revoked_certificate_is_gone(client: Client, make: Factories) -> None:
    revoked = make.certificate(make.user(), make.course(), revoked_at=START)
    response = get_pdf(client, revoked.verification_code)
    assert (response.status_code, response.text) == (410, "This certificate was revoked.\n")
    assert response.headers["cache-control"] == "no-store"


def test_expired_certificate_shows_its_expiry_date(client: Client, make: Factories) -> None:
    expired = make.certificate(make.user(), make.course(), expires_at=START + timedelta(days=31))
    response = get_pdf(client, expired.verification_code)
    assert response.status_code == 200
    assert "1January2026–1February2026" in without_whitespace(pdf_text(response.content))


def test_matching_etag_returns_not_modified(client: Client, certificate: Certificate) -> None:
    first = get_pdf(client, certificate.verification_code)
    not_modified = get_pdf(client, certificate.verification_code, headers={"if-none-match": first.headers["etag"]})
    assert (not_modified.status_code, not_modified.content) == (304, b"")
    other = get_pdf(client, certificate.verification_code, headers={"if-none-match": '"another"'})
    assert (other.status_code, other.content) == (200, first.content)


def test_unknown_codes_are_rate_limited(client: Client, certificate: Certificate, service: Service) -> None:
    assert get_pdf(client, codes.new_code()).status_code == 404
    assert failed_attempts(service) == 1
    exhaust_rate_limit(service, client)
    response = get_pdf(client, codes.new_code())
    assert response.status_code == 429
    assert int(response.headers["retry-after"]) == service.resources.settings.login_window_minutes * 60
    assert get_pdf(client, certificate.verification_code).status_code == 200


def test_endpoint_accepts_get_and_head_only(client: Client, certificate: Certificate) -> None:
    path = f"/certificates/{certificate.verification_code}.pdf"
    assert client.send("HEAD", path).headers["content-type"] == "application/pdf"
    assert client.send("POST", path).status_code == 405


@pytest.mark.slow
def test_concurrent_requests_get_pdf_or_503(client: Client, certificate: Certificate) -> None:
    code = certificate.verification_code
    with ThreadPoolExecutor(40) as threads:
        responses = list(threads.map(lambda _: get_pdf(client, code), range(40)))
        assert client.get("/health/live").status_code == 200
    assert {response.status_code for response in responses} <= {200, 503}
    assert len({response.content for response in responses if response.status_code == 200}) == 1
    assert all("retry-after" in response.headers for response in responses if response.status_code == 503)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_names_in_covered_scripts_are_printed(name: str) -> None:
    text = pdf_text(render_pdf(content(learner_name=name, instructor_name=name, course_title=name[:200])))
    assert without_whitespace(text).count(without_whitespace(name[:200])) == 3
    assert document.NO_NAME not in text


@pytest.mark.parametrize("name", ["𐤀𐤁", "🎉", "\u3164"])
def test_name_without_printable_letter_is_replaced(name: str) -> None:
    text = pdf_text(render_pdf(content(learner_name=name)))
    assert document.NO_NAME in " ".join(text.split())


@pytest.mark.parametrize("name", [*SCRIPTS, "i" * 201, "W W " * 50, "漢" * 201])
@pytest.mark.parametrize(("width", "height"), [(640, 36), (210, 18)])
def test_fitted_text_stays_within_bounds(name: str, width: float, height: float) -> None:
    name = name.strip()
    for font in (fonts.DISPLAY, fonts.ITALIC):
        text = typography.fit_text(name, font, width, 42, 27, height)
        assert all(typography.text_width(line, font, text.size) <= width + 0.01 for line in text.lines)
        assert text.height <= height
        assert without_whitespace("".join(text.lines)) == without_whitespace(name)


def test_same_content_gives_same_bytes() -> None:
    first = render_pdf(CONTENT)
    render_pdf(content(learner_name="佐藤"))
    assert render_pdf(CONTENT) == first


def test_pdf_embeds_fonts_and_has_metadata() -> None:
    reader = pypdf.PdfReader(io.BytesIO(render_pdf(CONTENT)))
    (page,) = reader.pages
    fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]  # type: ignore[index]
    assert fonts
    assert all("/FontFile2" in font["/FontDescriptor"] for font in fonts)
    assert (round(float(page.mediabox.width)), round(float(page.mediabox.height))) == (842, 595)
    assert reader.metadata is not None
    assert reader.metadata.title == "Certificate of Completion: Go"
    assert reader.metadata.author == CONTENT.issuer
    assert str(reader.metadata["/Keywords"]) == CONTENT.serial
    assert str(reader.trailer["/Root"]["/Lang"]) == "en"  # type: ignore[index]


def test_qr_code_contains_verification_url(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[str] = []
    make_qr = segno.make_qr

    def record(text: str, **options: Any) -> segno.QRCode:
        encoded.append(text)
        return make_qr(text, **options)

    monkeypatch.setattr(segno, "make_qr", record)
    render_pdf(CONTENT)
    assert encoded == [CONTENT.verification_url]


def test_date_is_the_day_in_utc() -> None:
    assert format_date(datetime(2026, 11, 2, 23, 59, tzinfo=UTC)) == "2 November 2026"
