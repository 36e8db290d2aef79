"""Validation of single settings. Each function raises ValueError with what is wrong and how to write it."""

import re
import unicodedata
from email.utils import parseaddr
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from lms_graphql.core.money import ACTIVE_CURRENCIES

MAX_PORT = 65535
DATABASE_EXAMPLE = "mysql+pymysql://user:password@host:3306/name"
_ORIGIN = re.compile(r"(?P<scheme>https?)://(\[[0-9a-f:]+\]|[a-z0-9._-]+)(:(?P<port>[0-9]{1,5}))?")
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def split_list(text: Any) -> Any:
    """Split a text at its commas; return anything else unchanged."""
    return [part.strip() for part in text.split(",") if part.strip()] if isinstance(text, str) else text


def split_lines(text: Any) -> Any:
    """Split a text at its semicolons; return anything else unchanged."""
    return [line.strip() for line in text.split(";") if line.strip()] if isinstance(text, str) else text


def printed_line(text: str) -> str:
    line = unicodedata.normalize("NFC", text.strip())
    if not line.isprintable() or not line:
        raise ValueError("not a printable line. Separate lines by semicolons")
    return line


def origin(text: str) -> str:
    """Return the origin as a browser sends it, because it is compared with the header character by character."""
    match = _ORIGIN.fullmatch(text.lower())
    if match is None or not 0 < int(match["port"] or 1) <= MAX_PORT:
        raise ValueError(f"{text} is not an origin. Write it as https://learn.example.com, without a path or *")
    is_default_port = match["port"] == _DEFAULT_PORTS[match["scheme"]]
    return text.lower().removesuffix(f":{match['port']}") if is_default_port else text.lower()


def header_name(text: str) -> str:
    """Return the name in lower case, as it is compared. `*` is rejected, because it would allow every header."""
    if not re.fullmatch(r"[a-z0-9_-]+", text.lower()):
        raise ValueError(f"{text} is not the name of a header. Write for example x-client-version")
    return text.lower()


def network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError:
        raise ValueError(f"{text} is not an IP address or network. Write for example 127.0.0.1, 10.0.0.0/8") from None
    return text


def base_url(url: str) -> str:
    if not re.fullmatch(r"https?://[^/\s]+(/[^\s]*)?", url):
        raise ValueError("not a URL. Write it as https://learn.example.com")
    return url


def api_url(url: str) -> str:
    """Return the URL without a slash at its end. Only https may leave this machine, because secrets are sent."""
    parts = urlsplit(base_url(url))
    if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "::1", "localhost"}:
        raise ValueError("not a URL with https. Write it as https://api.example.com")
    return url.rstrip("/")


def stripe_secret_key(key: str) -> str:
    if not re.fullmatch(r"[sr]k_\w+", key):
        raise ValueError("not a secret key of Stripe. It begins with sk_ or rk_")
    return key


def stripe_webhook_secret(secret: str) -> str:
    if not re.fullmatch(r"whsec_\S+", secret):
        raise ValueError("not a signing secret of Stripe. It begins with whsec_, and the webhook's page shows it")
    return secret


def site_name(text: str) -> str:
    name = unicodedata.normalize("NFC", text.strip())
    if not name.isprintable() or not any(char.isalnum() for char in name):
        raise ValueError("not a name. Write it on one line, with letters or digits, as Learn with Roko")
    return name


def currency(code: str) -> str:
    if code not in ACTIVE_CURRENCIES:
        raise ValueError("not an ISO 4217 currency code. Write for example USD")
    return code


def mail_server(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in {"smtp", "smtps"} and parts.hostname and parts.port != 0
    except ValueError:  # the port is not a number
        is_valid = False
    if not is_valid or parts.path.strip("/") or parts.query:
        raise ValueError("not a mail server. Write it as smtp://user:password@mail.example.com:587")
    return url


def sender(text: str) -> str:
    if not text.isprintable() or not re.fullmatch(r"[^@\s]+@[^@\s]+", parseaddr(text)[1]):
        raise ValueError("not a sender. Write it as Learn with Roko <no-reply@example.com>")
    return text


def database(text: str) -> str:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # ValueError: the port is not a number
        raise ValueError(f"not a database URL. Write it as {DATABASE_EXAMPLE}") from None
    if url.get_backend_name() not in {"sqlite", "mysql", "mariadb"}:
        raise ValueError("the database must be SQLite, MySQL or MariaDB")
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise ValueError("the file is missing. Write it as sqlite:///lms.db")
    if not url.database:
        raise ValueError(f"the database name is missing. Write it as {DATABASE_EXAMPLE}")
    if url.port is not None and not 0 < url.port <= MAX_PORT:
        raise ValueError(f"the port must be between 1 and {MAX_PORT}")
    _require_driver(url)
    return text


def database_server(text: str) -> str:
    if make_url(database(text)).get_backend_name() == "sqlite":
        raise ValueError(f"the database must be on a server. Write it as {DATABASE_EXAMPLE}")
    return text


def _require_driver(url: URL) -> None:
    """Raise ValueError for a driver that is missing or for asyncio, because statements run in threads."""
    driver = url.drivername.partition("+")[2] or "mysqldb"
    supported = "sqlite:///" if url.get_backend_name() == "sqlite" else "mysql+pymysql://"
    try:
        dialect = url.get_dialect()
        if dialect.is_async:
            raise ValueError(f"{driver} is a driver for asyncio. Use {supported}")
        dialect.import_dbapi()
    except (ArgumentError, ImportError):
        raise ValueError(f"the driver {driver} is not installed. Install it, or use {supported}") from None
