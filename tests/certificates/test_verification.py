"""A stranger checks a certificate: told what is on it and nothing else, for as long as they do not only guess."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from lms_graphql.accounts.models import RateLimitCounter
from lms_graphql.certificates import codes
from lms_graphql.core.actor import ANONYMOUS, Role
from tests.factories import Factories, global_id
from tests.live_service import Client, Service, Statements

VERIFY = """query V($code: String!) { verifyCertificate(code: $code) {
  status serial learnerName courseTitle instructorName issuedAt expiresAt
} }"""
NOTHING = dict.fromkeys(("serial", "learnerName", "courseTitle", "instructorName", "issuedAt", "expiresAt"))
UNKNOWN = {"status": "NOT_FOUND", **NOTHING}


def verify(client: Client, code: str, **who: Any) -> Any:
    return client.execute(VERIFY, code=code, **who)["verifyCertificate"]


def misses(service: Service) -> int:
    return service.database.read_sync(
        lambda session: session.scalar(select(func.sum(RateLimitCounter.failures))) or 0
    )


def spend(service: Service, client: Client) -> None:
    """All misses that are borne from one address."""
    client.execute(VERIFY, code=codes.new_code())
    most = service.resources.settings.login_failures_per_address

    def use_up(session: Any) -> None:
        session.query(RateLimitCounter).update({RateLimitCounter.failures: most})

    service.database.write_sync(use_up)


def test_a_stranger_is_told_what_is_on_the_certificate(client: Client, make: Factories) -> None:
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


def test_everyone_is_told_the_same(client: Client, make: Factories) -> None:
    holder, course = make.user(), make.course()
    code = make.certificate(holder, course).verification_code
    people = (ANONYMOUS, *map(make.actor, (holder, course.instructor, make.user(), make.user(Role.SUPER_ADMIN))))
    assert len({str(verify(client, code, as_=person)) for person in people}) == 1


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
def test_it_is_told_whether_the_certificate_is_good_today(
    client: Client, make: Factories, expires_in: int | None, is_revoked: bool, status: str
) -> None:
    now = datetime.now(UTC)
    state: dict[str, Any] = {"revoked_at": now} if is_revoked else {}
    expires_at = None if expires_in is None else now + timedelta(minutes=expires_in)
    certificate = make.certificate(make.user(), make.course(), expires_at=expires_at, **state)
    told = verify(client, certificate.verification_code)
    assert (told["status"], told["serial"]) == (status, certificate.serial)
    assert (told["expiresAt"] is None) is (expires_in is None)


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
def test_a_code_is_known_however_it_is_typed(client: Client, make: Factories, typed: str) -> None:
    code = make.certificate(make.user(), make.course()).verification_code
    spellings = {
        "code": code,
        "lower": code.lower(),
        "bare": code.replace("-", ""),
        "spaced": code.replace("-", " "),
        "dashed": code.replace("-", " – "),
    }
    assert verify(client, typed.format(**spellings))["status"] == "VALID"


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
def test_what_cannot_be_a_code_is_not_found_without_a_statement(
    client: Client, make: Factories, statements: Statements, code: str
) -> None:
    make.certificate(make.user(), make.course())
    with statements:
        assert verify(client, code) == UNKNOWN
    assert statements.count == 0


def test_neither_a_serial_nor_an_id_is_a_code(client: Client, make: Factories) -> None:
    certificate = make.certificate(make.user(), make.course())
    for text in (certificate.serial, global_id("Certificate", certificate), certificate.verification_code[:-1] + "3"):
        if text != certificate.verification_code:
            assert verify(client, text) == UNKNOWN


def test_one_document_checks_one_code(client: Client) -> None:
    document = '{ a: verifyCertificate(code: "x") { status } b: verifyCertificate(code: "y") { status } }'
    assert client.error_codes(document) == ["QUERY_TOO_COMPLEX"]


def test_a_right_code_costs_one_read_and_counts_nowhere(
    client: Client, make: Factories, service: Service, statements: Statements
) -> None:
    code = make.certificate(make.user(), make.course()).verification_code
    with statements:
        assert verify(client, code)["status"] == "VALID"
    assert [text.split()[0] for text in statements.texts] == ["SELECT"]
    assert misses(service) == 0


def test_codes_that_nobody_has_are_counted_until_there_were_too_many(
    client: Client, make: Factories, service: Service
) -> None:
    code = make.certificate(make.user(), make.course()).verification_code
    for number in range(3):
        assert verify(client, codes.new_code()) == UNKNOWN
        assert misses(service) == number + 1
    spend(service, client)
    answer = client.graphql(VERIFY, code=codes.new_code())
    assert answer["data"] is None
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["RATE_LIMITED"]
    assert verify(client, code)["status"] == "VALID", "who holds a code pays for nobody's guesses"
    assert verify(client, "") == UNKNOWN


def test_the_window_passes_and_guesses_do_not_keep_anyone_from_signing_in(
    client: Client, make: Factories, service: Service
) -> None:
    spend(service, client)
    login = """mutation { login(input: {email: "a@example.com", password: "not this one"}) { errors { code } } }"""
    assert client.execute(login)["login"]["errors"] == [{"code": "INVALID_CREDENTIALS"}]
    service.database.write_sync(lambda session: session.execute(delete(RateLimitCounter)) and None)
    assert verify(client, codes.new_code()) == UNKNOWN


@for_any(st.text(max_size=60))
def test_no_text_is_read_as_a_code_that_it_is_not(text: str) -> None:
    found = codes.normalize_code(text)
    if found is not None:
        bare = found.replace("-", "")
        assert [char for char in text.upper() if char in codes.ALPHABET] == list(bare)


def test_codes_hold_eighty_random_bits_in_letters_that_are_not_mistaken() -> None:
    made = {codes.new_code() for _ in range(2_000)}
    assert len(made) == 2_000
    used = set("".join(made))
    assert used == {*codes.ALPHABET, "-"}
    assert not used & set("0O1IL2Z5S8BUAE")
    assert len(codes.ALPHABET) ** (codes.GROUP_COUNT * codes.GROUP_LENGTH) >= 2**80
    assert all(codes.normalize_code(code) == code for code in made)
