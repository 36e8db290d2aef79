"""Settings from the environment and the .env file: what is taken, and what is refused in which words."""

from pathlib import Path

import pytest

from lms_graphql import settings
from lms_graphql.core.errors import OperatorError

NOWHERE = Path("/nowhere")


def refusal(environment: dict[str, str], dotenv: Path = NOWHERE) -> str:
    with pytest.raises(OperatorError) as refused:
        settings.load_settings(environment, dotenv)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    ("address", "words"),
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
def test_an_address_that_cannot_be_used_is_refused_before_it_is(address: str, words: str) -> None:
    said = refusal({"LMS_DATABASE_URL": address})
    assert said.startswith("LMS_DATABASE_URL: ")
    assert words in said


@pytest.mark.parametrize("address", ["mysql+pymysql://h/x", "mariadb+pymysql://u:p%40%25@h:3307/x", "sqlite:///x.db"])
def test_an_address_of_what_is_installed_is_taken(address: str) -> None:
    assert settings.load_settings({"LMS_DATABASE_URL": address}, NOWHERE).database_url == address


def test_the_dotenv_files_values_are_taken_as_they_stand(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("\ufeffDB_NAME=lms\nDB_PASSWORD=a${HOME}$b{c}\n", encoding="utf-8")
    assert settings.load_settings({}, dotenv).url.password == "a${HOME}$b{c}"


def test_a_dotenv_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_bytes("DB_PASSWORD=Gr\xfc\xdfe\n".encode("latin-1"))
    assert f"{dotenv} is not UTF-8 text" in refusal({}, dotenv)


def test_an_unknown_database_name_is_refused_in_the_file_alone(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("DB_NAME=lms\nDB_HSOT=db.example.com\n")
    assert "DB_HSOT" in refusal({}, dotenv)
    settings.load_settings({"DB_HSOT": "of another program"}, NOWHERE)


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
def test_what_is_no_origin_is_refused(origin: str) -> None:
    said = refusal({"LMS_CORS_ORIGINS": f"https://learn.example.com,{origin}"})
    assert said.startswith("LMS_CORS_ORIGINS: ")
    assert f": {origin} is not an origin. " in said


def test_origins_are_kept_as_browsers_send_them() -> None:
    origins = "https://Learn.Example.com, http://localhost:3000 ,https://a.example:443,http://[::1]:8080,http://b:80"
    assert settings.load_settings({"LMS_CORS_ORIGINS": origins}, NOWHERE).cors_origins == (
        "https://learn.example.com",
        "http://localhost:3000",
        "https://a.example",
        "http://[::1]:8080",
        "http://b",
    )
