"""`verifyCertificate`: its result, the spellings of codes, and the rate limit of unknown codes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from lms_graphql.accounts.models import RateLimitCounter
from lms_graphql.core import codes
from lms_graphql.core.actor import ANONYMOUS, Role
from tests.factories import Factories, global_id
from tests.live_service import Client, Service, StatementRecorder

VERIFY = """query V($code: String!) { verifyCertificate(code: $code) {
  status serial learnerName courseTitle instructorName issuedAt expiresAt
} }"""
NULL_FIELDS = dict.fromkeys(("serial", "learnerName", "courseTitle", "instructorName", "issuedAt", "expiresAt"))
UNKNOWN = {"status": "NOT_FOUND", **NULL_FIELDS}


def verify(client: Client, code: str, **options: Any) -> Any:
    return client.execute(VERIFY, code=code, **options)["verifyCertificate"]


def failed_attempts(service: Service) -> int:
    return service.database.read_sync(
        lambda session: session.scalar(select(func.sum(RateLimitCounter.failures))) or 0
    )


def exhaust_rate_limit(service: Service, client: Client) -> None:
    """Use up all failed attempts that one IP address has."""
    client.execute(VERIFY, code=codes.new_code())
    limit = service.resources.settings.login_failures_per_address

    def set_failures(session: Any) -> None:
        session.query(RateLimitCounter).update({RateLimitCounter.failures: limit})

    service.database.write_sync(set_failures)


def test_verification_shows_facts_of_certificate(client: Client, make: Factories) -> None:
    certificate = make.certificate(
        make.user(first_name="Αλέξανδρος", last_name="Παππάς"),
        make.course("Go", instructor=make.user(Role.INSTRUCTOR, first_name="Ольга", last_name="Белых")),
    )
    assert verify(client, certificate.verification_code) == {
        "status": "VALID",
        "serial": certificate.serial,
        "learnerName": "Αλέξανδρος Παππάς",
        "courseTitle": "Go",
        "instructorName": "Ольга Белых",
        "issuedAt": "2026-01-01T12:00:00Z",
        "expiresAt": None,
    }


def test_verification_is_the_same_for_all_actors(client: Client, make: Factories) -> None:
    holder, course = make.user(), make.course()
    code = make.certificate(holder, course).verification_code
    actors = (ANONYMOUS, *map(make.actor, (holder, course.instructor, make.user(), make.user(Role.SUPER_ADMIN))))
    assert len({str(verify(client, code, as_=actor)) for actor in actors}) == 1


@pytest.mark.parametrize(
    ("expires_in", "is_revoked", "status"),
    [
        (None, False, "VALID"),
        (1, False, "VALID"),
        (-1, False, "EXPIRED"),
        (None, True, "REVOKED"),
        (1, True, "REVOKED"),
        (-1, True, "REVOKED"),
    ],
)
def test_verification_status_follows_expiry_and_revocation(
    client: Client, make: Factories, expires_in: int | None, is_revoked: bool, status: str
) -> None:
    now = datetime.now(UTC)
    state: dict[str, Any] = {"revoked_at": now} if is_revoked else {}
    expires_at = None if expires_in is None else now + timedelta(minutes=expires_in)
    certificate = make.certificate(make.user(), make.course(), expires_at=expires_at, **state)
    result = verify(client, certificate.verification_code)
    assert (result["status"], result["serial"]) == (status, certificate.serial)
    assert (result["expiresAt"] is None) is (expires_in is None)


@pytest.mark.parametrize(
    "typed",
    [
        "{code}",
        "  {code}\n",
        "{lower}",
        "{bare}",
        "{spaced}",
        "{dashed}",
        "\t{lower} ",
    ],
)
def test_code_ignores_case_spaces_and_dashes(client: Client, make: Factories, typed: str) -> None:
    code = make.certificate(make.user(), make.course()).verification_code
    spellings = {
        "code": code,
        "lower": code.lower(),
        "bare": code.replace("-", ""),
        "spaced": code.replace("-", " "),
        "dashed": code.replace("-", " – "),
    }
    assert verify(client, typed.format(**spellings))["status"] == "VALID"


@pytest.mark.sqlite_only
@pytest.mark.query_budget
@pytest.mark.parametrize(
    "code",
    [
        "",
        " ",
        "-",
        "x",
        "é" * 20,
        "\u0000",
        "' OR 1=1 --",
        "%",
        "Ａ" * 20,
        "3" * 19,
        "3" * 21,
        "0" * 20,
        "3" * 10_240,
        "3-" * 5_000,
        "🎓" * 20,
    ],
)
def test_malformed_code_is_not_found_without_statements(
    client: Client, make: Factories, statements: StatementRecorder, code: str
) -> None:
    make.certificate(make.user(), make.course())
    with statements:
        assert verify(client, code) == UNKNOWN
    assert statements.count == 0


def test_serial_and_id_are_not_codes(client: Client, make: Factories) -> None:
    certificate = make.certificate(make.user(), make.course())
    for text in (certificate.serial, global_id("Certificate", certificate), certificate.verification_code[:-1] + "3"):
        if text != certificate.verification_code:
            assert verify(client, text) == UNKNOWN


def test_document_with_two_verifications_is_rejected(client: Client) -> None:
    document = '{ a: verifyCertificate(code: "x") { status } b: verifyCertificate(code: "y") { status } }'
    assert client.error_codes(document) == ["QUERY_TOO_COMPLEX"]


@pytest.mark.query_budget
def test_existing_code_takes_one_read_without_rate_limit(
    client: Client, make: Factories, service: Service, statements: StatementRecorder
) -> None:
    code = make.certificate(make.user(), make.course()).verification_code
    with statements:
        assert verify(client, code)["status"] == "VALID"
    assert [text.split()[0] for text in statements.texts] == ["SELECT"]
    assert failed_attempts(service) == 0


def test_unknown_codes_are_counted_and_limited(client: Client, make: Factories, service: Service) -> None:
    code = make.certificate(make.user(), make.course()).verification_code
    for number in range(3):
        assert verify(client, codes.new_code()) == UNKNOWN
        assert failed_attempts(service) == number + 1
    exhaust_rate_limit(service, client)
    body = client.graphql(VERIFY, code=codes.new_code())
    assert body["data"] is None
    assert [error["extensions"]["code"] for error in body["errors"]] == ["RATE_LIMITED"]
    assert verify(client, code)["status"] == "VALID", "existing codes are not limited"
    assert verify(client, "") == UNKNOWN


def test_verification_limit_is_separate_from_login_limit(client: Client, make: Factories, service: Service) -> None:
    exhaust_rate_limit(service, client)
    login = """mutation { login(input: {email: "a@example.com", password: "not this one"}) { errors { code } } }"""
    assert client.execute(login)["login"]["errors"] == [{"code": "INVALID_CREDENTIALS"}]
    service.database.write_sync(lambda session: session.execute(delete(RateLimitCounter)) and None)
    assert verify(client, codes.new_code()) == UNKNOWN


@given(st.text(max_size=60))
def test_normalized_code_has_the_typed_characters(text: str) -> None:
    code = codes.normalize_code(text)
    if code is not None:
        characters = code.replace("-", "")
        assert [char for char in text.upper() if char in codes.ALPHABET] == list(characters)


def test_codes_are_unique_and_have_80_random_bits() -> None:
    drawn = {codes.new_code() for _ in range(2_000)}
    assert len(drawn) == 2_000
    used = set("".join(drawn))
    assert used == {*codes.ALPHABET, "-"}
    assert not used & set("0O1IL2Z5S8BUAE")
    assert len(codes.ALPHABET) ** (codes.GROUP_COUNT * codes.GROUP_LENGTH) >= 2**80
    assert all(codes.normalize_code(code) == code for code in drawn)
