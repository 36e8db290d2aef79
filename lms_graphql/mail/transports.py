"""Mail transports: SMTP, and files in development."""

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

from lms_graphql.core import clock, tracing
from lms_graphql.settings import Settings

log = structlog.get_logger()

SOCKET_TIMEOUT_SECONDS = 10
SEND_TIMEOUT_SECONDS = 40
"""Shorter than the shortest retry delay, so that no retry begins while a slow attempt is still running."""
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
PORTS = {"smtp": 25, "smtps": 465}


class Transport(Protocol):
    """A way to send messages."""

    def send(self, message: EmailMessage) -> None:
        """Return when the receiver has accepted the message. Raise an error otherwise, so that it is sent again."""

    def stop(self) -> None:
        """Abort the message being sent and refuse all others. May be called from another thread."""


class InsecureTransportError(Exception):
    """The user name and password of the mail server would be sent unencrypted."""


class TransportStoppedError(Exception):
    """The process is shutting down. Nothing of this message was sent."""


class FileTransport:
    """A transport that writes each message to an `.eml` file, readable only by the user who runs the service."""

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
        """Do nothing, because writing a file takes no time."""


class SmtpTransport:
    """A transport to a mail server.

    The URL is `smtp://`, with STARTTLS if the server offers it, or `smtps://`. User name and password are
    percent-encoded.
    """

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
            with connection.time_limit(SEND_TIMEOUT_SECONDS), tracing.call_span("SMTP", self._url.geturl()):
                if self._stopped:  # `stop` may have missed `_current` just before it was set
                    raise TransportStoppedError
                connection.send(message)
        finally:
            self._current = None

    def stop(self) -> None:
        self._stopped = True
        if (connection := self._current) is not None:
            connection.abort(TransportStoppedError())


class _Connection:
    """A connection for one message. `abort` may be called from any thread at any time."""

    def __init__(self, url: SplitResult, host: str) -> None:
        self._url = url
        self._host = host
        self._abort_reason: Exception | None = None
        self._smtp: smtplib.SMTP | None = None

    @contextlib.contextmanager
    def time_limit(self, seconds: float) -> Iterator[None]:
        """Abort after these seconds. The socket's timeout does not stop a server that sends a byte now and then."""
        timer = threading.Timer(seconds, self.abort, [TimeoutError()])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def abort(self, reason: Exception) -> None:
        self._abort_reason = reason
        open_socket = None if self._smtp is None else self._smtp.sock
        if open_socket is not None:
            with contextlib.suppress(OSError):
                # Below TLS, whose own shutdown would wait for the server.
                socket.socket.shutdown(open_socket, socket.SHUT_RDWR)

    def send(self, message: EmailMessage) -> None:
        smtp = self._smtp = self._create_client()
        try:
            self._open(smtp)
            smtp.send_message(message)
        finally:
            # Without QUIT: the server has accepted or rejected the message, and its reply would change nothing.
            smtp.close()

    def _open(self, smtp: smtplib.SMTP) -> None:
        smtp.connect(self._host, self._url.port or PORTS[self._url.scheme])
        self._raise_if_aborted()
        smtp.ehlo_or_helo_if_needed()
        is_encrypted = isinstance(smtp, smtplib.SMTP_SSL)
        if not is_encrypted and smtp.has_extn("starttls"):
            smtp.starttls(context=_tls_context(self._host))
            is_encrypted = True
            self._raise_if_aborted()
        if self._url.username:
            if not is_encrypted and self._host not in LOOPBACK:
                raise InsecureTransportError
            smtp.login(unquote(self._url.username), unquote(self._url.password or ""))

    def _raise_if_aborted(self) -> None:
        """Raise the reason if `abort` was called while there was no socket to shut down.

        Called after each step that replaces the socket.
        """
        if self._abort_reason is not None:
            raise self._abort_reason

    def _create_client(self) -> smtplib.SMTP:
        name = _client_hostname()
        smtp = (
            smtplib.SMTP_SSL(local_hostname=name, timeout=SOCKET_TIMEOUT_SECONDS, context=_tls_context(self._host))
            if self._url.scheme == "smtps"
            else smtplib.SMTP(local_hostname=name, timeout=SOCKET_TIMEOUT_SECONDS)
        )
        # The name that the certificate must have. A constructor with a host would connect before `abort` can work.
        smtp._host = self._host  # type: ignore[attr-defined]
        return smtp


def _client_hostname() -> str:
    """Return our name for EHLO. smtplib would ask the DNS for it, which may take longer than everything else."""
    name = socket.gethostname()
    return name if "." in name else "[127.0.0.1]"


def _tls_context(host: str) -> ssl.SSLContext:
    """Return a context that checks certificates, except on this machine: local servers are often self-signed."""
    context = ssl.create_default_context()
    if host in LOOPBACK:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def create_transport(settings: Settings) -> Transport | None:
    """Return the transport of the settings, or None in production without a mail server: mail stays in the outbox."""
    if settings.smtp_url is not None:
        return SmtpTransport(settings.smtp_url)
    return None if settings.is_production else FileTransport(_mail_folder(settings))


def _mail_folder(settings: Settings) -> Path:
    """Return `mail/` in the folder of the SQLite file, or in the current folder for other databases."""
    is_file = settings.url.get_backend_name() == "sqlite" and settings.url.database
    return (Path(settings.url.database).parent if is_file and settings.url.database else Path()) / "mail"
