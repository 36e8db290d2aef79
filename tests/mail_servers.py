"""Mail servers that accept, reject, hang or abort; a kind of mail for tests; and processes that send mail."""

import asyncio
import contextlib
import email
import email.policy
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session as DatabaseSession

from lms_graphql.core import clock
from lms_graphql.core.database import Database
from lms_graphql.core.named_locks import NamedLock
from lms_graphql.mail.delivery import DeliveryResult, deliver_due
from lms_graphql.mail.messages import Button, RenderedMail, greeting_line, render
from lms_graphql.mail.models import Mail, MailStatus
from lms_graphql.mail.outbox import enqueue
from lms_graphql.mail.templates import SiteUrls
from lms_graphql.mail.transports import SmtpTransport
from lms_graphql.operations import database_check
from lms_graphql.settings import Settings
from tests.mariadb import find_program, free_port

SENDER = "Learn with Roko <no-reply@learnwithroko.com>"
SITE_URLS = SiteUrls("https://learn.example.com/", "https://api.example.com/")
ROOT = Path(__file__).parent.parent
TEST_MAIL_KIND = "greeting_of_the_tests"
TOKEN = "token-canary-1f9d"
REJECTED_EMAIL = "refused@canary.example"
ABORTING_EMAIL = "deadly@canary.example"
MARKER_EMAIL = "marker@canary.example"


def render_test_mail(session: DatabaseSession, mail: Mail, links: SiteUrls) -> RenderedMail | None:
    """Return a greeting; None if the mail has no address."""
    if mail.address is None:
        return None
    name = mail.data.get("name", "Jane")
    button = Button("Verify your address", links.to("/verify-email", token=TOKEN))
    return render(mail.address, f"Welcome, {name}", greeting_line(name), [f"{name} <b>is</b> welcome."], button)


class OutboxHarness:
    """A migrated database without mail, with helpers to enqueue, deliver and inspect mail."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.url = settings.url.render_as_string(hide_password=False)
        self.database = self.open_database()
        self.database.write_sync(
            lambda session: [session.execute(delete(model)) for model in (Mail, NamedLock)] and None
        )

    def open_database(self) -> Database:
        """Return another connection pool to the same database, as another process has."""
        return Database(self.settings.url, pool_size=1, threads=1)

    def enqueue(self, *emails: str | None, kind: str = TEST_MAIL_KIND, **data: Any) -> None:
        self.database.write_sync(
            lambda session: [enqueue(session, kind, email=recipient, **data) for recipient in emails] and None
        )

    def mails(self) -> list[Mail]:
        return self.database.read_sync(lambda session: list(session.scalars(select(Mail).order_by(Mail.id))))

    def mail(self) -> Mail:
        (mail,) = self.mails()
        return mail

    def deliver(self, url: str, database: Database | None = None) -> DeliveryResult:
        return deliver_due(database or self.database, SmtpTransport(url), SITE_URLS, SENDER)

    def make_mails_due(self) -> None:
        statement = update(Mail).values(next_attempt_at=clock.now() - timedelta(seconds=1))
        self.database.write_sync(lambda session: session.execute(statement) and None)

    def mail_check_output(self, settings: Settings | None = None) -> str:
        """Return the lines of `db check` about mail."""
        results = self.database.read_sync(
            lambda session: database_check.check_database(session, settings or self.settings)
        )
        return "\n".join(
            f"{'ok' if result.ok else 'FAIL'} {result.text}" for result in results if "mail" in result.text
        )

    def wait_until_sent(self) -> None:
        deadline = time.monotonic() + 30
        while any(mail.status is not MailStatus.SENT for mail in self.mails()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert {mail.status for mail in self.mails()} == {MailStatus.SENT}


class Mailbox:
    """Handler of a mail server that records received mails.

    It rejects `REJECTED_EMAIL`, and aborts the connection for `ABORTING_EMAIL`.
    """

    def __init__(self) -> None:
        self.received: list[EmailMessage] = []
        self.recipient_counts = Counter[str]()

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.recipient_counts[address] += 1
        if address == REJECTED_EMAIL:
            return f"550 5.1.1 <{address}> is unknown"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if ABORTING_EMAIL in envelope.rcpt_tos:
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
            return "250 not sent"
        content = envelope.content
        assert isinstance(content, bytes)
        self.received.append(email.message_from_bytes(content, policy=email.policy.default))
        return "250 OK"

    @property
    def recipients(self) -> list[str]:
        return sorted(str(message["To"]) for message in self.received)

    def wait_for(self, number: int, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while len(self.received) < number and time.monotonic() < deadline:
            time.sleep(0.02)

    def wait_for_recipient(self, recipient: str, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while recipient not in self.recipients:
            assert time.monotonic() < deadline, f"No mail to {recipient} has arrived."
            time.sleep(0.005)

    def token_sent_to(self, recipient: str, path: str, seconds: float = 30) -> str:
        """Wait for a mail to this address with a link to this path, and return the token in the link.

        The newest such mail is used, and removed.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for message in reversed(self.received):
                body = message.get_body(("plain",))
                match = body and re.search(path + r"\?token=([\w-]+)", body.get_content())
                if message["To"] == recipient and match:
                    self.received.remove(message)
                    return match[1]
            time.sleep(0.02)
        raise AssertionError(f"No mail with {path} arrived for {recipient}.")


@contextlib.contextmanager
def run_mail_server(**options: Any) -> Iterator[tuple[Mailbox, str]]:
    """Run a mail server. Yield its mailbox, and its URL for LMS_SMTP_URL."""
    mailbox = Mailbox()
    port = free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield mailbox, f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()


def server_tls_context(folder: Path) -> ssl.SSLContext:
    """Return a server's TLS context, with a self-signed certificate for 127.0.0.1."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    options = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-days", "2"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([find_program("openssl"), *options, *files], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


class SilentServer:
    """A server that accepts connections and never answers."""

    def __init__(self, listening: socket.socket) -> None:
        self.url = f"smtp://127.0.0.1:{listening.getsockname()[1]}"
        self.was_called = threading.Event()
        self._listening = listening
        self._connections: list[socket.socket] = []

    def accept_all(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._connections.append(self._listening.accept()[0])
                self.was_called.set()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        for open_socket in (self._listening, *self._connections):
            open_socket.close()


@contextlib.contextmanager
def run_silent_server() -> Iterator[SilentServer]:
    server = SilentServer(socket.create_server(("127.0.0.1", 0)))
    thread = threading.Thread(target=server.accept_all, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(5)


COMMAND = """
from lms_graphql.cli import main
from lms_graphql.mail.templates import TEMPLATES
from tests.mail_servers import TEST_MAIL_KIND, render_test_mail
TEMPLATES[TEST_MAIL_KIND] = render_test_mail
main()
"""


def start_cli_process(folder: Path, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
    """Start `lms-graphql` with these arguments as a process that knows the tests' kind of mail."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("LMS_", "DB_"))}
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments],
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def seconds_until_terminated(process: "subprocess.Popen[str]") -> float:
    """Terminate the process by SIGTERM, and return the seconds until it ends."""
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(20)
    return time.monotonic() - started
