"""Several processes of the real service against one database, as it is run where one is not enough."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx

from lms_graphql import settings
from lms_graphql.accounts.models import User
from lms_graphql.core.database import Database
from lms_graphql.core.signing import Signer
from lms_graphql.operations import migrations
from lms_graphql.operations.database_access import open_database
from tests.auth import Reception
from tests.cli import CLEAN
from tests.live_service import empty
from tests.mariadb import free_port

SECRET = "a secret of the tests, which nobody else knows: 6f1d"
START_SECONDS = 60


class Process:
    """`lms-graphql serve`, with what it says on its two streams in a file."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._said = folder / f"serve-{self.port}.log"
        with self._said.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lms_graphql", "serve", "--port", str(self.port)],
                cwd=folder,
                env={key: value for key, value in os.environ.items() if key not in CLEAN} | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self._said.read_text(errors="replace")

    def wait_until_it_serves(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/health/ready").status_code == 200:
                    return
            time.sleep(0.05)
        raise RuntimeError(self.said)

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(25)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Fleet:
    """Processes of the service and, for the test, the way to their database and the keys they sign with."""

    def __init__(self, processes: Sequence[Process], database: Database, reception: Reception) -> None:
        self.processes = processes
        self.urls = [process.url for process in processes]
        self.database = database
        self.reception = reception
        self.settings = reception.desk.settings

    def empty(self) -> None:
        empty(self.database)

    def token(self, user: User) -> str:
        """The bearer of somebody who has just signed in."""
        return self.reception.sign_in(user).access_token


@contextlib.contextmanager
def fleet(folder: Path, url: str, processes: int = 2, **environment: str) -> Iterator[Fleet]:
    """On a migrated database. `environment`: more settings."""
    variables = {"LMS_DATABASE_URL": url, "LMS_SECRET_KEY": SECRET, **environment}
    read = settings.load_settings(variables, dotenv=Path("/nowhere"))
    with open_database(read) as database:
        migrations.migrate(database.engine)
    database = Database(read.url)
    started: list[Process] = []
    try:
        started.extend(Process(folder, variables) for _ in range(processes))
        for process in started:
            process.wait_until_it_serves()
        yield Fleet(started, database, Reception(database, read, Signer(SECRET)))
    finally:
        for process in started:
            process.stop()
        database.dispose()
