"""What takes a message away: to a mail server, or in development to a file."""

import contextlib
import os
import secrets
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit

import structlog

from lms_graphql.core import clock
from lms_graphql.settings import Settings

log = structlog.get_logger()

SOCKET_TIMEOUT_SECONDS = 10
SEND_TIMEOUT_SECONDS = 40
"""Below the shortest pause between two tries, so that no second try begins while a slow first one still goes on."""
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
PORTS = {"smtp": 25, "smtps": 465}


class Transport(Protocol):
    def send(self, message: EmailMessage) -> None:
        """Returns when the message is no longer ours to keep; raises where it is."""

    def stop(self) -> None:
        """From another thread: whatever is under way ends now, and nothing more is carried."""


class InsecureTransportError(Exception):
    """A name and a password would go over the network in the clear."""


class TransportStoppedError(Exception):
    """The service stops, and nothing of this message has left."""


class FileTransport:
    """Each message a file that mail programs open. Only whoever runs the service may look into the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: EmailMessage) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{clock.now():%Y%m%dT%H%M%S}-{secrets.token_hex(8)}.eml"
        part = path.with_suffix(".part")
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(message.as_bytes())
        part.rename(path)
        log.info("mail_written", path=str(path))

    def stop(self) -> None:
        """A file is written in no time."""


class SmtpTransport:
    """A mail server: `smtp://` (encrypted where it offers that) or `smtps://`, name and password percent-encoded."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._host = self._url.hostname or "localhost"
        self._stopped = False
        self._current: _Connection | None = None

    def send(self, message: EmailMessage) -> None:
        if self._stopped:
            raise TransportStoppedError
        connection = self._current = _Connection(self._url, self._host)
        try:
            with connection.within(SEND_TIMEOUT_SECONDS):
                if self._stopped:  # between the first look and now
                    raise TransportStoppedError
                connection.send(message)
        finally:
            self._current = None

    def stop(self) -> None:
        self._stopped = True
        if (connection := self._current) is not None:
            connection.cut(TransportStoppedError())


class _Connection:
    """One message's way to the server. `cut` may come from any thread at any time."""

    def __init__(self, url: SplitResult, host: str) -> None:
        self._url = url
        self._host = host
        self._cut: Exception | None = None
        self._smtp: smtplib.SMTP | None = None

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """A server that sends a byte now and then keeps no time-out of single answers, but this one."""
        timer = threading.Timer(seconds, self.cut, [TimeoutError()])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def cut(self, reason: Exception) -> None:
        self._cut = reason
        opened = None if self._smtp is None else self._smtp.sock
        if opened is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(opened, socket.SHUT_RDWR)  # below TLS, which would wait for the other side

    def send(self, message: EmailMessage) -> None:
        smtp = self._smtp = self._made()
        try:
            self._open(smtp)
            smtp.send_message(message)
        finally:
            # The message is taken or refused by now: how the server says good-bye changes nothing.
            smtp.close()

    def _open(self, smtp: smtplib.SMTP) -> None:
        smtp.connect(self._host, self._url.port or PORTS[self._url.scheme])
        self._go_on()
        smtp.ehlo_or_helo_if_needed()
        is_encrypted = isinstance(smtp, smtplib.SMTP_SSL)
        if not is_encrypted and smtp.has_extn("starttls"):
            smtp.starttls(context=_encryption(self._host))
            is_encrypted = True
            self._go_on()
        if self._url.username:
            if not is_encrypted and self._host not in LOOPBACK:
                raise InsecureTransportError
            smtp.login(unquote(self._url.username), unquote(self._url.password or ""))

    def _go_on(self) -> None:
        """After each step that changes the socket: `cut` may have come while there was none to shut."""
        if self._cut is not None:
            raise self._cut

    def _made(self) -> smtplib.SMTP:
        name = _own_name()
        smtp = (
            smtplib.SMTP_SSL(local_hostname=name, timeout=SOCKET_TIMEOUT_SECONDS, context=_encryption(self._host))
            if self._url.scheme == "smtps"
            else smtplib.SMTP(local_hostname=name, timeout=SOCKET_TIMEOUT_SECONDS)
        )
        # What the certificate must name. The constructor takes it, but connects at once, where `cut` finds no socket.
        smtp._host = self._host  # type: ignore[attr-defined]
        return smtp


def _own_name() -> str:
    """What we call ourselves. smtplib itself would ask the DNS, which may take longer than everything else."""
    name = socket.gethostname()
    return name if "." in name else "[127.0.0.1]"


def _encryption(host: str) -> ssl.SSLContext:
    """Certificates are checked, but for this very machine's: its mail server often has one that nobody signed."""
    context = ssl.create_default_context()
    if host in LOOPBACK:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def create_transport(settings: Settings) -> Transport | None:
    """None in production without a mail server: mail stays in the outbox until there is one."""
    if settings.smtp_url is not None:
        return SmtpTransport(settings.smtp_url)
    return None if settings.is_production else FileTransport(_folder_beside(settings))


def _folder_beside(settings: Settings) -> Path:
    """`mail/` beside SQLite's file; in the current folder where the database is no file."""
    is_file = settings.url.get_backend_name() == "sqlite" and settings.url.database
    return (Path(settings.url.database).parent if is_file and settings.url.database else Path()) / "mail"
