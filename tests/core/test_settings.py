"""Settings from the environment and the .env file: accepted values, and messages for rejected ones."""

from pathlib import Path

import pytest

from lms_graphql import settings
from lms_graphql.core.errors import OperatorError
from lms_graphql.mail.messages import render, to_mime
from lms_graphql.settings import GatewayName

NOWHERE = Path("/nowhere")


def error_message(environment: dict[str, str], dotenv: Path = NOWHERE) -> str:
    with pytest.raises(OperatorError) as raised:
        settings.load_settings(environment, dotenv)
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mysql+pymysql://lms@localhost", "the database name is missing"),
        ("mysql+pymysql://lms@localhost:3306/", "the database name is missing"),
        ("mysql+pymysql://lms@localhost:port/lms", "not a database URL"),
        ("mysql+pymysql://lms@localhost:99999/lms", "port"),
        (
            "mysql+pyodbc://lms@localhost/lms",
            "the driver pyodbc is not installed. Install it, or use mysql+pymysql://",
        ),
        ("mysql+oursql://lms@localhost/lms", "the driver oursql is not installed"),
        ("mysql+aiomysql://lms@localhost/lms", "aiomysql is a driver for asyncio"),
        ("mysql+asyncmy://lms@localhost/lms", "asyncmy is a driver for asyncio"),
        ("sqlite+aiosqlite:///lms.db", "aiosqlite is a driver for asyncio"),
    ],
)
def test_unusable_database_url_is_rejected(url: str, expected: str) -> None:
    message = error_message({"LMS_DATABASE_URL": url})
    assert message.startswith("LMS_DATABASE_URL: ")
    assert expected in message


@pytest.mark.parametrize("url", ["mysql+pymysql://h/x", "mariadb+pymysql://u:p%40%25@h:3307/x", "sqlite:///x.db"])
def test_database_url_of_installed_driver_is_accepted(url: str) -> None:
    assert settings.load_settings({"LMS_DATABASE_URL": url}, NOWHERE).database_url == url


def test_dotenv_values_are_not_interpolated(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("\ufeffDB_NAME=lms\nDB_PASSWORD=a${HOME}$b{c}\n", encoding="utf-8")
    assert settings.load_settings({}, dotenv).url.password == "a${HOME}$b{c}"


def test_dotenv_file_must_be_utf8(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_bytes("DB_PASSWORD=Gr\xfc\xdfe\n".encode("latin-1"))
    assert f"{dotenv} is not UTF-8 text" in error_message({}, dotenv)


def test_unknown_database_variable_is_rejected_only_in_dotenv(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("DB_NAME=lms\nDB_HSOT=db.example.com\n")
    assert "DB_HSOT" in error_message({}, dotenv)
    settings.load_settings({"DB_HSOT": "set for another program"}, NOWHERE)


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "learn.example.com",
        "https://learn.example.com/",
        "https://learn.example.com/app",
        "https://*.example.com",
        "https://learn.example.com:99999",
        "https://learn.example.com:0",
        "https://someone@learn.example.com",
        "ftp://learn.example.com",
        "https://",
    ],
)
def test_invalid_cors_origin_is_rejected(origin: str) -> None:
    message = error_message({"LMS_CORS_ORIGINS": f"https://learn.example.com,{origin}"})
    assert message.startswith("LMS_CORS_ORIGINS: ")
    assert f": {origin} is not an origin. " in message


def test_cors_origins_are_normalized_as_browsers_send_them() -> None:
    origins = "https://Learn.Example.com, http://localhost:3000 ,https://a.example:443,http://[::1]:8080,http://b:80"
    assert settings.load_settings({"LMS_CORS_ORIGINS": origins}, NOWHERE).cors_origins == (
        "https://learn.example.com",
        "http://localhost:3000",
        "https://a.example",
        "http://[::1]:8080",
        "http://b",
    )


def test_cors_headers_are_names_in_lower_case() -> None:
    accepted = settings.load_settings({"LMS_CORS_HEADERS": "X-Client-Version, x_trace"}, NOWHERE)
    assert accepted.cors_headers == ("x-client-version", "x_trace")


@pytest.mark.parametrize("name", ["*", "x client", "x-client: 1", "é"])
def test_invalid_cors_header_is_rejected(name: str) -> None:
    assert "LMS_CORS_HEADERS: " in error_message({"LMS_CORS_HEADERS": name})


@pytest.mark.parametrize(
    ("environment", "sender"),
    [
        ({}, '"Learn with Roko" <no-reply@learnwithroko.com>'),
        ({"LMS_SITE_NAME": 'Łódź, "Inc"'}, '"Łódź, \\"Inc\\"" <no-reply@learnwithroko.com>'),
        ({"LMS_SITE_NAME": "Acme", "LMS_MAIL_FROM": "a@b.example"}, '"Acme" <a@b.example>'),
        ({"LMS_SITE_NAME": "Acme", "LMS_MAIL_FROM": "Post <a@b.example>"}, "Post <a@b.example>"),
    ],
)
def test_sender_has_the_site_name_unless_it_has_its_own(environment: dict[str, str], sender: str) -> None:
    loaded = settings.load_settings(environment, NOWHERE)
    assert loaded.sender == sender
    assert to_mime(render("jane@example.com", "Hi", "Hello,", []), loaded.sender)["From"].addresses


@pytest.mark.parametrize("name", ["  ", "Acme\nBcc: x", "\u200b", "---", "A" * 61])
def test_unusable_site_name_is_rejected(name: str) -> None:
    assert error_message({"LMS_SITE_NAME": name}).startswith("LMS_SITE_NAME: ")


@pytest.mark.parametrize("url", ["learn.example.com", "ftp://learn.example.com", "https://"])
def test_unusable_service_url_is_rejected(url: str) -> None:
    assert error_message({"LMS_SERVICE_URL": url}).startswith("LMS_SERVICE_URL: ")


def test_lines_of_the_operator_are_separated_by_semicolons() -> None:
    loaded = settings.load_settings({"LMS_BANK_ACCOUNT": " Roko GmbH; IBAN DE89 3704, Berlin ;; "}, NOWHERE)
    assert loaded.bank_account == ("Roko GmbH", "IBAN DE89 3704, Berlin")
    for value in ("a;" * 9, "a" * 81, "a\tb"):
        assert error_message({"LMS_OPERATOR_ADDRESS": value}).startswith("LMS_OPERATOR_ADDRESS: ")


SECRETS = {
    "LMS_STRIPE_SECRET_KEY": "sk_test_1",
    "LMS_STRIPE_WEBHOOK_SECRET": "whsec_1",
    "LMS_PAYPAL_CLIENT_ID": "client",
    "LMS_PAYPAL_CLIENT_SECRET": "secret",
    "LMS_PAYPAL_WEBHOOK_ID": "webhook",
    "LMS_PAYMENT_GATEWAYS": "stripe, paypal",
}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"LMS_STRIPE_SECRET_KEY": ""}, "LMS_STRIPE_SECRET_KEY is missing. The gateway stripe needs it."),
        ({"LMS_STRIPE_WEBHOOK_SECRET": ""}, "LMS_STRIPE_WEBHOOK_SECRET is missing. The gateway stripe needs it."),
        ({"LMS_PAYPAL_CLIENT_ID": ""}, "LMS_PAYPAL_CLIENT_ID is missing. The gateway paypal needs it."),
        ({"LMS_PAYPAL_CLIENT_SECRET": ""}, "LMS_PAYPAL_CLIENT_SECRET is missing. The gateway paypal needs it."),
        ({"LMS_PAYPAL_WEBHOOK_ID": ""}, "LMS_PAYPAL_WEBHOOK_ID is missing. The gateway paypal needs it."),
        ({"LMS_STRIPE_SECRET_KEY": "pk_live_secret"}, "LMS_STRIPE_SECRET_KEY: not a secret key of Stripe. It begins"),
        ({"LMS_STRIPE_WEBHOOK_SECRET": "we_1"}, "LMS_STRIPE_WEBHOOK_SECRET: not a signing secret of Stripe."),
        ({"LMS_PAYPAL_API_URL": "http://api.example.com"}, "LMS_PAYPAL_API_URL: not a URL with https."),
        ({"LMS_STRIPE_API_URL": "api.stripe.com"}, "LMS_STRIPE_API_URL: not a URL."),
        ({"LMS_PAYMENT_GATEWAYS": "stripe, sofort"}, "LMS_PAYMENT_GATEWAYS: input should be"),
    ],
)
def test_gateway_without_its_settings_is_rejected(changes: dict[str, str], expected: str) -> None:
    message = error_message({**SECRETS, **changes})
    assert message.startswith(expected)
    assert "pk_live_secret" not in message


def test_production_has_no_gateway_unless_it_is_named() -> None:
    production = {"LMS_ENV": "production"}
    named = {"LMS_PAYMENT_GATEWAYS": "fake"}
    cases = [
        ({}, (GatewayName.FAKE, GatewayName.BANK_TRANSFER)),
        (production, ()),
        ({**production, **named}, (GatewayName.FAKE,)),
    ]
    for environment, gateways in cases:
        assert settings.load_settings(environment, NOWHERE).enabled_gateways == gateways, environment


def test_test_accounts_are_recognized() -> None:
    sandbox = {"LMS_PAYPAL_API_URL": "https://api-m.sandbox.paypal.com/"}
    loaded = settings.load_settings({**SECRETS, **sandbox}, NOWHERE)
    assert loaded.enabled_gateways == (GatewayName.STRIPE, GatewayName.PAYPAL)
    assert loaded.test_account_settings == ["LMS_STRIPE_SECRET_KEY", "LMS_PAYPAL_API_URL"]
    assert loaded.paypal_api_url == "https://api-m.sandbox.paypal.com"
    live = settings.load_settings({**SECRETS, "LMS_STRIPE_SECRET_KEY": "rk_live_1"}, NOWHERE)
    assert live.test_account_settings == []
