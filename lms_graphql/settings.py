"""The environment and the .env file, read once, checked, immutable."""

import os
import re
from collections.abc import Mapping
from decimal import Decimal
from email.utils import parseaddr
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, AliasChoices, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session

from lms_graphql.core.errors import OperatorError
from lms_graphql.core.money import DECIMALS

PREFIX = "LMS_"
DATABASE_VARIABLES = ("DB_NAME", "DB_USER", "DB_PASSWORD", "DB_HOST", "DB_PORT")
LAST_PORT = 65535
_ORIGIN = re.compile(r"(?P<scheme>https?)://(\[[0-9a-f:]+\]|[a-z0-9._-]+)(:(?P<port>[0-9]{1,5}))?")


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Gateway(StrEnum):
    FAKE = "fake"
    BANK_TRANSFER = "bank_transfer"
    STRIPE = "stripe"


class ExecutorChoice(StrEnum):
    """Executors of GraphQL operations: our fast one, and graphql-core's own standard one."""

    FAST = "fast"
    STANDARD = "standard"


def _words(text: Any) -> Any:
    return [word.strip() for word in text.split(",") if word.strip()] if isinstance(text, str) else text


def _origin(text: str) -> str:
    """As a browser sends it, to which it is compared letter by letter."""
    found = _ORIGIN.fullmatch(text.lower())
    if found is None or not 0 < int(found["port"] or 1) <= LAST_PORT:
        raise ValueError(f"name each origin as https://learn.example.com, without a path or *, unlike {text}")
    usual = found["port"] == {"http": "80", "https": "443"}[found["scheme"]]
    return text.lower().removesuffix(f":{found['port']}") if usual else text.lower()


def _plain_name(name: str) -> Any:
    return Field(default=None, validation_alias=AliasChoices(name))


class Settings(BaseSettings):
    """Every name of the README's table, in its order. In the environment: upper case, with LMS_ before it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", populate_by_name=True)

    db_name: str | None = _plain_name("DB_NAME")
    db_user: str | None = _plain_name("DB_USER")
    db_password: str | None = _plain_name("DB_PASSWORD")
    db_host: str | None = _plain_name("DB_HOST")
    db_port: Annotated[int, Field(ge=1, le=65535)] | None = _plain_name("DB_PORT")
    database_url: str | None = None

    env: Environment = Environment.DEVELOPMENT
    secret_key: str | None = None
    seed_password: Annotated[str, Field(min_length=10, max_length=256)] | None = None
    public_url: Annotated[str, Field(pattern=r"^https?://[^/\s]+(/[^\s]*)?$")] = "http://127.0.0.1:8000"
    cors_origins: Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], NoDecode] = ()
    smtp_url: Annotated[str, Field(pattern=r"^smtps?://")] | None = None
    mail_from: str = "Learn with Roko <no-reply@learnwithroko.com>"
    payment_gateways: Annotated[tuple[Gateway, ...], NoDecode] = (Gateway.FAKE, Gateway.BANK_TRANSFER)
    stripe_secret_key: str | None = None
    stripe_webhook_secret: str | None = None
    commission_rate: Annotated[Decimal, Field(ge=0, le=100)] = Decimal(70)
    earnings_hold_days: Annotated[int, Field(ge=0, le=365)] = 30
    payout_minimum: Annotated[Decimal, Field(ge=0, le=1_000_000)] = Decimal("50.00")
    refund_days: Annotated[int, Field(ge=0, le=3650)] = 30
    refund_max_progress: Annotated[int, Field(ge=0, le=100)] = 30
    currency: str = "USD"
    certificate_months: Annotated[int, Field(ge=1, le=1200)] | None = None
    completion_watched_percent: Annotated[int, Field(ge=1, le=100)] = 90
    attempt_grace_seconds: Annotated[int, Field(ge=0, le=300)] = 5
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    access_token_minutes: Annotated[int, Field(ge=1, le=1440)] = 15
    refresh_token_days: Annotated[int, Field(ge=1, le=365)] = 30
    graphiql: bool | None = None
    introspection: bool | None = None
    login_failures_per_account: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    login_failures_per_address: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    registrations_per_address: Annotated[int, Field(ge=1, le=1_000_000)] = 300
    login_window_minutes: Annotated[int, Field(ge=1, le=1440)] = 15
    pool_size: Annotated[int, Field(ge=1, le=100)] = 5
    worker_threads: Annotated[int, Field(ge=1, le=100)] = 4
    executor: ExecutorChoice = ExecutorChoice.FAST
    limit_body_bytes: Annotated[int, Field(ge=1_000, le=10_000_000)] = 800_000
    limit_json_depth: Annotated[int, Field(ge=4, le=500)] = 64
    limit_json_values: Annotated[int, Field(ge=100, le=1_000_000)] = 20_000
    limit_document_characters: Annotated[int, Field(ge=1_000, le=1_000_000)] = 100_000
    limit_tokens: Annotated[int, Field(ge=100, le=100_000)] = 1_000
    limit_depth: Annotated[int, Field(ge=3, le=100)] = 12
    limit_aliases: Annotated[int, Field(ge=0, le=1_000)] = 30
    limit_root_fields: Annotated[int, Field(ge=1, le=1_000)] = 10
    limit_directives: Annotated[int, Field(ge=0, le=1_000)] = 20
    limit_fragments: Annotated[int, Field(ge=0, le=1_000)] = 100
    limit_cost: Annotated[int, Field(ge=100, le=100_000_000)] = 50_000
    limit_cost_anonymous: Annotated[int, Field(ge=100, le=100_000_000)] = 10_000
    limit_in_flight: Annotated[int, Field(ge=1, le=100_000)] = 64
    limit_queue_milliseconds: Annotated[int, Field(ge=10, le=60_000)] = 500
    limit_seconds: Annotated[int, Field(ge=1, le=300)] = 10

    split_words = field_validator("cors_origins", "payment_gateways", "trusted_proxies", mode="before")(_words)

    @field_validator("trusted_proxies")
    @classmethod
    def known_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            try:
                ip_network(network)
            except ValueError:
                raise ValueError("lists addresses or networks, e.g. 127.0.0.1, 10.0.0.0/8") from None
        return networks

    @field_validator("currency")
    @classmethod
    def known_currency(cls, code: str) -> str:
        if code not in DECIMALS:
            raise ValueError("is no ISO 4217 currency")
        return code

    @field_validator("smtp_url")
    @classmethod
    def known_mail_server(cls, address: str | None) -> str | None:
        if address is not None and not _is_server(address):
            raise ValueError("is no mail server, e.g. smtp://user:password@mail.example.com:587")
        return address

    @field_validator("mail_from")
    @classmethod
    def known_sender(cls, sender: str) -> str:
        if not sender.isprintable() or not re.fullmatch(r"[^@\s]+@[^@\s]+", parseaddr(sender)[1]):
            raise ValueError("is no sender, e.g. Learn with Roko <no-reply@example.com>")
        return sender

    @field_validator("database_url")
    @classmethod
    def known_database(cls, address: str | None) -> str | None:
        if address is not None:
            _checked_url(address)
        return address

    @model_validator(mode="after")
    def whole_database(self) -> "Settings":
        if self.db_name is None and any((self.db_user, self.db_password, self.db_host, self.db_port)):
            raise ValueError("DB_NAME is missing: DB_USER, DB_PASSWORD, DB_HOST and DB_PORT go with it")
        return self

    @property
    def url(self) -> URL:
        """The database's address: DB_… where DB_NAME is set, unless LMS_DATABASE_URL is; else a file here."""
        if self.database_url is not None:
            return make_url(self.database_url)
        if self.db_name is None:
            return make_url("sqlite:///lms.db")
        return URL.create(
            "mysql+pymysql",
            username=self.db_user,
            password=self.db_password,
            host=self.db_host or "127.0.0.1",
            port=self.db_port or 3306,
            database=self.db_name,
        )

    @property
    def is_production(self) -> bool:
        return self.env is Environment.PRODUCTION

    @property
    def shows_graphiql(self) -> bool:
        return not self.is_production if self.graphiql is None else self.graphiql

    @property
    def allows_introspection(self) -> bool:
        return not self.is_production if self.introspection is None else self.introspection

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load_settings` hands in: it has merged the environment over the file by then."""
        return (init_settings,)


SESSION_SETTINGS_KEY = "settings"
"""In `Session.info`: those of the service that has opened the session."""


def settings_of(session: Session) -> Settings:
    """For effects of a change whose author knows nothing of them. The usual ones, where nobody has said others."""
    settings = session.info.get(SESSION_SETTINGS_KEY)
    return settings if isinstance(settings, Settings) else Settings()


def load_settings(environment: Mapping[str, str] | None = None, dotenv: Path = Path(".env")) -> Settings:
    """The settings. OperatorError, in one line that names the setting, where one is unknown or out of range."""
    given = _in_file(dotenv)
    given |= os.environ if environment is None else environment
    ours = {key: value for key, value in given.items() if key.startswith(PREFIX) or key in DATABASE_VARIABLES}
    ours = {key: value for key, value in ours.items() if value != ""}
    names = {f"{PREFIX}{name.upper()}": name for name in Settings.model_fields if not name.startswith("db_")}
    names |= {name: name.lower() for name in DATABASE_VARIABLES}
    if unknown := sorted(ours.keys() - names.keys()):
        raise OperatorError(f"{unknown[0]} is not a setting. The README lists those there are.")
    try:
        return Settings(**{names[key]: value for key, value in ours.items()})  # type: ignore[arg-type]
    except ValidationError as error:
        raise OperatorError(_first_fault(error, names)) from None


def _in_file(dotenv: Path) -> dict[str, str]:
    """
    Every name is ours to check here, also one that begins with DB_: in the environment that may be another program's.
    A password is taken as it stands, whatever it has of $ and braces.
    """
    try:
        given = dotenv_values(dotenv, interpolate=False, encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise OperatorError(f"The file {dotenv} is not UTF-8 text. Save it as such.") from None
    except OSError as error:
        raise OperatorError(f"The file {dotenv} cannot be read: {error.strerror}.") from None
    if unknown := sorted(key for key in given if key.startswith("DB_") and key not in DATABASE_VARIABLES):
        raise OperatorError(f"{unknown[0]} in {dotenv} is not a setting: there are {', '.join(DATABASE_VARIABLES)}.")
    return {key: value for key, value in given.items() if value is not None}


def _first_fault(error: ValidationError, names: Mapping[str, str]) -> str:
    fault = error.errors(include_url=False, include_input=False)[0]
    message = fault["msg"].removeprefix("Value error, ").rstrip(".")
    if not fault["loc"]:
        return f"{message}."
    name = str(fault["loc"][0])
    setting = next((key for key, value in names.items() if name in (value, key)), name)
    return f"{setting}: {message[0].lower()}{message[1:]}."


def _is_server(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and parts.port != 0 and not (parts.path.strip("/") or parts.query)
    except ValueError:  # a port that is no number
        return False


def _checked_url(address: str) -> None:
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        raise ValueError("is no database address, e.g. mysql+pymysql://user:password@host:3306/name") from None
    if url.get_backend_name() not in {"sqlite", "mysql", "mariadb"}:
        raise ValueError("names a database that is neither SQLite, MySQL nor MariaDB")
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise ValueError("names no file: sqlite:///lms.db")
    if not url.database:
        raise ValueError("names no database: mysql+pymysql://user:password@host:3306/name")
    if url.port is not None and not 0 < url.port <= LAST_PORT:
        raise ValueError(f"names a port that is not between 1 and {LAST_PORT}")
    _check_driver(url)


def _check_driver(url: URL) -> None:
    """Every statement waits in a thread for its answer, so a driver for asyncio is of no use."""
    driver = url.drivername.partition("+")[2] or "mysqldb"
    instead = "sqlite:///" if url.get_backend_name() == "sqlite" else "mysql+pymysql://"
    try:
        dialect = url.get_dialect()
        if dialect.is_async:
            raise ValueError(f"names {driver}, a driver for asyncio; use {instead}")
        dialect.import_dbapi()
    except (ArgumentError, ImportError):
        raise ValueError(f"needs the driver {driver}, which is not installed; use {instead}, or install it") from None
