"""Several real service processes on one database, as in a deployment with more than one process."""

import contextlib
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx

from lms_graphql import settings
from lms_graphql.accounts.models import User
from lms_graphql.core.database import Database
from lms_graphql.core.signing import Signer
from lms_graphql.operations import migrations
from lms_graphql.operations.database_access import open_database
from tests.auth import SessionIssuer
from tests.cli import NO_SETTINGS
from tests.live_service import delete_all_rows
from tests.mariadb import free_port

SECRET = "a secret of the tests, long enough and random: 6f1d"
START_SECONDS = 120


class ServiceProcess:
    """A process of `lms-graphql serve`, whose stdout and stderr go to a file in the folder."""

    def __init__(
        self, folder: Path, environment: dict[str, str], *options: str, working_folder: Path | None = None
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder / f"serve-{self.port}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lms_graphql", "serve", "--port", str(self.port), *options],
                cwd=working_folder or folder,
                env={
                    **{key: value for key, value in os.environ.items() if key not in NO_SETTINGS},
                    "LMS_DRAIN_SECONDS": "0",  # so that no test waits for its own idle connections
                    **environment,
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def output(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_until_it_serves(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/health/ready").status_code == 200:
                    return
            time.sleep(0.05)
        raise RuntimeError(self.output)

    @property
    def pid(self) -> int:
        return self._process.pid

    def limit_open_files(self, number: int) -> None:
        resource.prlimit(self._process.pid, resource.RLIMIT_NOFILE, (number, number))

    def max_memory_kilobytes(self) -> int:
        """Return the most memory that the process has used so far."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1])

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(25)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


class Cluster:
    """Processes of the service, with access to their database and with sessions signed like theirs.

    `variables` are the settings of the processes, and `start` starts another one with them.
    """

    def __init__(
        self,
        processes: list[ServiceProcess],
        variables: dict[str, str],
        start: Callable[[], ServiceProcess],
        database: Database,
        session_issuer: SessionIssuer,
    ) -> None:
        self.processes = processes
        self.variables = variables
        self.start_process = start
        self.database = database
        self.session_issuer = session_issuer
        self.settings = session_issuer.auth.settings

    @property
    def urls(self) -> list[str]:
        return [process.url for process in self.processes]

    def kill(self, number: int = 0) -> None:
        """Kill a process (SIGKILL)."""
        self.processes[number].kill()

    def restart(self, number: int = 0) -> None:
        """Start a process in the place of one that was killed."""
        self.processes[number] = self.start_process()
        self.processes[number].wait_until_it_serves()

    def delete_all_rows(self) -> None:
        delete_all_rows(self.database)

    def access_token(self, user: User) -> str:
        """Return an access token of a new session of the user."""
        return self.session_issuer.sign_in(user).access_token


@contextlib.contextmanager
def run_cluster(folder: Path, url: str, processes: int = 2, **environment: str) -> Iterator[Cluster]:
    """Migrate the database, and run this many processes on it. `environment` has further settings."""
    variables = {"LMS_DATABASE_URL": url, "LMS_SECRET_KEY": SECRET, **environment}
    loaded = settings.load_settings(variables, dotenv=Path("/nowhere"))
    with open_database(loaded) as database:
        migrations.migrate(database.engine)
    database = Database(loaded.url)
    start, started = partial(ServiceProcess, folder, variables), list[ServiceProcess]()
    try:
        started.extend(start() for _ in range(processes))
        for process in started:
            process.wait_until_it_serves()
        yield Cluster(started, variables, start, database, SessionIssuer(database, loaded, Signer(SECRET)))
    finally:
        for process in started:
            process.stop()
        database.dispose()
