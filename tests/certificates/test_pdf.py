"""The PDF of a certificate: for who has the code, readable, with a QR code, whatever the names."""

import io
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pypdf
import pytest
import segno

from lms_graphql.certificates import codes
from lms_graphql.certificates.models import Certificate
from lms_graphql.certificates.pdf import document, typography
from lms_graphql.certificates.pdf.document import CertificateContent, render_pdf
from lms_graphql.core.actor import Role
from tests.certificates.test_verification import misses, spend
from tests.factories import START, Factories
from tests.live_service import Client, Service

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
SAID = CertificateContent(
    serial="LWR-2026-3467-9CDF",
    code="3467-9CDF-GHJK-MNPQ-RTVW",
    title="Certificate of Completion: Go",
    learner_name="Jane Learner",
    course_title="Go",
    instructor_name="John Instructor",
    issued_at=START,
    expires_at=None,
    address="https://learn.example.com/verify/3467-9CDF-GHJK-MNPQ-RTVW",
)


def said(**changes: Any) -> CertificateContent:
    return SAID._replace(**changes)


def read(pdf: bytes) -> str:
    (only,) = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return only.extract_text()


def bare(text: str) -> str:
    """However it was broken into lines."""
    return "".join(unicodedata.normalize("NFC", text).split())


def get(client: Client, code: str, **options: Any) -> httpx.Response:
    return client.get(f"/certificates/{code}.pdf", **options)


@pytest.fixture
def certificate(make: Factories) -> Certificate:
    learner = make.user(first_name="Nguyễn Văn", last_name="Bình")
    teacher = make.user(Role.INSTRUCTOR, first_name="Екатерина", last_name="Иваненко")
    return make.certificate(learner, make.course("Πρώτα βήματα", instructor=teacher))


def test_whoever_has_the_code_gets_the_certificate(
    client: Client, certificate: Certificate, service: Service
) -> None:
    response = get(client, certificate.verification_code)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/pdf"
    assert response.headers["content-disposition"] == f'inline; filename="certificate-{certificate.serial}.pdf"'
    assert response.headers["cache-control"] == "private, no-cache"
    assert response.headers["x-content-type-options"] == "nosniff"
    text = bare(read(response.content))
    for shown in ("Nguyễn Văn Bình", "Πρώτα βήματα", "Екатерина Иваненко", "1 January 2026"):
        assert bare(shown) in text
    assert certificate.serial in text
    assert certificate.verification_code in text
    address = service.resources.settings.public_url.removeprefix("http://")
    assert f"{address}/verify" in text
    assert misses(service) == 0


def test_the_address_of_the_pdf_is_the_one_that_the_api_tells(
    client: Client, make: Factories, certificate: Certificate, service: Service
) -> None:
    document = "{ users { nodes { certificates { nodes { pdfUrl } } } } }"
    people = client.execute(document, as_=make.actor(make.user(Role.SUPER_ADMIN)))["users"]["nodes"]
    (told,) = [one["pdfUrl"] for person in people for one in person["certificates"]["nodes"]]
    path = told.removeprefix(service.resources.settings.public_url)
    assert client.get(path).status_code == 200


def test_a_code_is_known_without_case_and_dashes(client: Client, certificate: Certificate) -> None:
    code = certificate.verification_code
    found = {get(client, spelled).content for spelled in (code, code.lower(), code.replace("-", ""))}
    assert len(found) == 1


@pytest.mark.parametrize("code", ["x", "%00", "é", "0" * 20, "3" * 2_000, "..", "3467-9CDF-GHJK-MNPQ-RTVW"])
def test_an_unknown_code_is_not_found(client: Client, certificate: Certificate, code: str) -> None:
    response = get(client, code)
    assert response.status_code == 404
    assert response.headers["content-type"].startswith("text/plain")


def test_a_revoked_certificate_is_gone_and_an_expired_one_says_until_when_it_was_good(
    client: Client, make: Factories
) -> None:
    revoked = make.certificate(make.user(), make.course(), revoked_at=START)
    response = get(client, revoked.verification_code)
    assert (response.status_code, response.text) == (410, "This certificate was revoked.\n")
    assert response.headers["cache-control"] == "no-store"
    expired = make.certificate(make.user(), make.course(), expires_at=START + timedelta(days=31))
    response = get(client, expired.verification_code)
    assert response.status_code == 200
    assert "1January2026–1February2026" in bare(read(response.content))


def test_a_browser_that_has_it_is_told_that_it_still_holds(client: Client, certificate: Certificate) -> None:
    first = get(client, certificate.verification_code)
    again = get(client, certificate.verification_code, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = get(client, certificate.verification_code, headers={"if-none-match": '"another"'})
    assert (other.status_code, other.content) == (200, first.content)


def test_guesses_are_counted_as_those_of_the_api_are(
    client: Client, certificate: Certificate, service: Service
) -> None:
    assert get(client, codes.new_code()).status_code == 404
    assert misses(service) == 1
    spend(service, client)
    response = get(client, codes.new_code())
    assert response.status_code == 429
    assert int(response.headers["retry-after"]) == service.resources.settings.login_window_minutes * 60
    assert get(client, certificate.verification_code).status_code == 200


def test_only_reading_is_offered(client: Client, certificate: Certificate) -> None:
    path = f"/certificates/{certificate.verification_code}.pdf"
    assert client.send("HEAD", path).headers["content-type"] == "application/pdf"
    assert client.send("POST", path).status_code == 405


@pytest.mark.slow
def test_many_at_once_are_served_or_sent_away_and_nobody_waits_for_long(
    client: Client, certificate: Certificate
) -> None:
    code = certificate.verification_code
    with ThreadPoolExecutor(40) as threads:
        answers = list(threads.map(lambda _: get(client, code), range(40)))
        assert client.get("/health/live").status_code == 200
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert len({answer.content for answer in answers if answer.status_code == 200}) == 1
    assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 503)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_names_in_every_alphabet_that_the_fonts_have_and_of_every_length_can_be_read(name: str) -> None:
    text = read(render_pdf(said(learner_name=name, instructor_name=name, course_title=name[:200])))
    assert bare(text).count(bare(name[:200])) == 3
    assert document.NO_NAME not in text


@pytest.mark.slow
@pytest.mark.parametrize("name", ["أحمد منصور", "नमस्ते", "דוד", "ไทย", "\U00020000 𝒜da", "ሀሎ"])
def test_a_name_that_the_fonts_do_not_have_is_said_to_stand_where_it_is_verified(name: str) -> None:
    text = read(render_pdf(said(learner_name=name)))
    assert document.NO_NAME in " ".join(text.split())


def test_pictures_and_loose_accents_do_no_harm() -> None:
    text = read(render_pdf(said(learner_name="🎉 Ame\u0301lie 🎉", course_title="\u200dGo\ufe0f")))
    assert "Amélie" in text
    assert "🎉" not in text
    assert document.NO_NAME in read(render_pdf(said(learner_name="🎉"))).replace("\n", " ")


@pytest.mark.parametrize("name", [*SCRIPTS, "i" * 201, "W W " * 50, "漢" * 201])
@pytest.mark.parametrize(("room", "height"), [(640, 36), (210, 18)])
def test_every_text_goes_into_its_room(name: str, room: float, height: float) -> None:
    name = name.strip()
    for font in (typography.DISPLAY, typography.ITALIC):
        text = typography.fit_text(name, font, room, 42, 27, height)
        assert all(typography.width(line, font, text.size) <= room + 0.01 for line in text.lines)
        assert text.height <= height
        assert bare("".join(text.lines)) == bare(name)


def test_the_same_certificate_gives_the_same_bytes() -> None:
    first = render_pdf(SAID)
    render_pdf(said(learner_name="佐藤"))
    assert render_pdf(SAID) == first


def test_all_fonts_are_embedded_and_the_document_says_what_it_is() -> None:
    reader = pypdf.PdfReader(io.BytesIO(render_pdf(SAID)))
    (only,) = reader.pages
    fonts = [font.get_object() for font in only["/Resources"]["/Font"].values()]  # type: ignore[index]
    assert fonts
    assert all("/FontFile2" in font["/FontDescriptor"] for font in fonts)
    assert (round(float(only.mediabox.width)), round(float(only.mediabox.height))) == (842, 595)
    assert reader.metadata is not None
    assert reader.metadata.title == "Certificate of Completion: Go"
    assert reader.metadata.author == document.ISSUER
    assert str(reader.metadata["/Keywords"]) == SAID.serial
    assert str(reader.trailer["/Root"]["/Lang"]) == "en"  # type: ignore[index]


def test_the_qr_code_is_that_of_the_verification_address(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    make = segno.make_qr

    def noted(text: str, **options: Any) -> segno.QRCode:
        drawn.append(text)
        return make(text, **options)

    monkeypatch.setattr(segno, "make_qr", noted)
    render_pdf(SAID)
    assert drawn == [SAID.address]


def test_days_are_named_as_they_are_in_utc() -> None:
    assert document.day(datetime(2026, 11, 2, 23, 59, tzinfo=UTC)) == "2 November 2026"
