"""Registration: validation, uniqueness, spellings of email addresses, limits."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from lms_graphql.accounts.models import User
from lms_graphql.mail.models import Mail
from lms_graphql.settings import Settings
from tests.accounts.session_client import (
    ME,
    REGISTRATION,
    audit_actions,
    error_code,
    login_as,
    register,
    user_errors,
)
from tests.factories import Factories
from tests.live_service import Client, Service, run_service
from tests.mail_servers import Mailbox


def test_registration_returns_session_of_learner(client: Client, service: Service) -> None:
    payload = register(client)
    assert payload["errors"] == []
    session = payload["session"]
    assert session["user"] == {"username": "Jane.Doe", "role": "LEARNER", "email": "Jane@example.com"}
    assert client.execute(ME, bearer=session["accessToken"])["me"]["username"] == "Jane.Doe"
    access_expires_in = datetime.fromisoformat(session["accessTokenExpiresAt"]) - datetime.now(UTC)
    assert timedelta(minutes=14) < access_expires_in <= timedelta(minutes=15)
    refresh_expires_in = datetime.fromisoformat(session["refreshTokenExpiresAt"]) - datetime.now(UTC)
    assert timedelta(days=29, hours=23) < refresh_expires_in <= timedelta(days=30)
    assert "account.registered" in audit_actions(service)


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("email", "", "REQUIRED"),
        ("email", "nobody", "INVALID"),
        ("email", "a@b@c.de", "INVALID"),
        ("email", "a b@example.com", "INVALID"),
        ("email", "jane@example.com\nbcc: x@example.com", "INVALID"),
        ("email", "x" * 250 + "@example.com", "TOO_LONG"),
        ("username", "", "REQUIRED"),
        ("username", "ab", "TOO_SHORT"),
        ("username", "a" * 31, "TOO_LONG"),
        ("username", "jane doe", "INVALID"),
        ("username", "jäne", "INVALID"),
        ("username", "deleted~1", "INVALID"),
        ("firstName", "  ", "REQUIRED"),
        ("firstName", "\u3164", "REQUIRED"),
        ("lastName", "x" * 101, "TOO_LONG"),
        ("lastName", "Doe\r\nBcc: x", "INVALID"),
        ("password", "", "REQUIRED"),
        ("password", "123456789", "TOO_SHORT"),
        ("password", "x" * 257, "TOO_LONG"),
        ("password", "password123", "WEAK_PASSWORD"),
        ("password", "Qwertyuiop", "WEAK_PASSWORD"),
        ("password", "aaaaaaaaaaaa", "WEAK_PASSWORD"),
        ("password", "JANE@example.com", "WEAK_PASSWORD"),
    ],
)
def test_invalid_field_is_reported_with_its_path(
    client: Client, service: Service, field: str, value: str, code: str
) -> None:
    payload = register(client, **{field: value})
    assert payload["session"] is None
    assert user_errors(payload) == [(code, ["input", field])]
    assert not service.database.read_sync(lambda session: session.scalar(select(User.id)))


def test_all_invalid_fields_are_reported_at_once(client: Client) -> None:
    invalid = {"email": "x", "username": "y", "password": "z", "firstName": "", "lastName": ""}
    payload = register(client, **invalid)
    assert {path[1] for _, path in user_errors(payload) if path} == set(invalid)


def test_password_equal_to_username_is_weak(client: Client) -> None:
    payload = register(client, username="jane.doe.long", password="Jane.Doe.Long")
    assert user_errors(payload) == [("WEAK_PASSWORD", ["input", "password"])]


def test_email_and_username_are_unique_regardless_of_case(client: Client) -> None:
    register(client)
    payload = register(client, email=" jane@EXAMPLE.com ", username="JANE.DOE")
    assert user_errors(payload) == [("ALREADY_EXISTS", ["input", "email"]), ("ALREADY_EXISTS", ["input", "username"])]


def test_domains_that_case_fold_alike_are_different(client: Client, mailbox: Mailbox) -> None:
    """straße.example and strasse.example may belong to different users."""
    assert register(client, email="bob@straße.example")["errors"] == []
    assert register(client, email="bob@strasse.example", username="other.bob")["errors"] == []
    mailbox.token_sent_to("bob@xn--strae-oqa.example", "/verify-email")
    mailbox.token_sent_to("bob@strasse.example", "/verify-email")
    for spelling in ("Bob@STRAßE.example", "bob@xn--strae-oqa.example"):
        session = login_as(client, spelling, REGISTRATION["password"])["session"]
        assert session["user"]["username"] == REGISTRATION["username"]


def test_login_accepts_any_unicode_form_of_email(client: Client) -> None:
    composed, decomposed = "jos\u00e9@example.com", "jose\u0301@example.com"
    for number, (registered, others) in enumerate(
        ((decomposed, [composed, decomposed]), ("x@xn--bcher-kva.example", ["x@b\u00fccher.example"]))
    ):
        assert register(client, email=registered, username=f"spelled{number}")["errors"] == []
        for spelling in (registered, *others):
            assert login_as(client, spelling, REGISTRATION["password"])["errors"] == [], spelling


def test_email_that_grows_when_case_folded_is_valid(client: Client) -> None:
    email = "\u0390" * 63 + "@" + "a" * 63 + "." + "b" * 40 + ".com"
    assert register(client, email=email)["errors"] == []


def test_mails_to_one_mailbox_are_limited(client: Client, service: Service) -> None:
    for number in range(7):
        assert register(client, email=f"Victim+{number}@example.com", username=f"victim{number}")["errors"] == []
    mails = service.database.read_sync(lambda session: len(list(session.scalars(select(Mail.id)))))
    assert mails == 5


def test_accounts_from_one_client_are_limited(service_settings: Settings) -> None:
    with run_service(service_settings.model_copy(update={"registrations_per_address": 3})) as service:
        service.delete_all_rows()
        client = Client(service)
        errors = [
            user_errors(register(client, email=f"p{number}@example.com", username=f"person{number}"))
            for number in range(5)
        ]
        client.close()
    assert errors == [[]] * 3 + [[("RATE_LIMITED", None)]] * 2


def test_lookups_of_registered_emails_are_limited(client: Client, make: Factories) -> None:
    email = make.user_with_password().email
    codes = [error_code(register(client, email=email, username="another.user")) for _ in range(102)]
    assert codes == ["ALREADY_EXISTS"] * 100 + ["RATE_LIMITED"] * 2


@pytest.mark.slow
def test_concurrent_registrations_from_one_client_succeed(service: Service) -> None:
    def errors_of(number: int) -> list[tuple[str, list[str] | None]]:
        client = Client(service)
        payload = register(client, email=f"crowd{number}@example.com", username=f"crowd{number}")
        client.close()
        return user_errors(payload)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(errors_of, range(40))) == [[]] * 40
