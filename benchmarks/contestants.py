"""Who is measured, and how each is started: one process, production settings, the same database."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.mariadb import MariaDB
from benchmarks.processes import HOST, ROOT, BenchmarkError, free_port, running

PEERS = ROOT / "benchmarks" / "peers"
UVICORN = (sys.executable, "-m", "uvicorn", "--host", HOST, "--workers", "1")
AS_SERVED = ("--log-level", "warning", "--no-access-log", "--no-server-header")
"""As `lms-graphql serve` has it."""


@dataclass(frozen=True)
class Contestant:
    name: str
    title: str
    command: tuple[str, ...]

    @property
    def is_node(self) -> bool:
        return self.command[0] == "node"


@dataclass(frozen=True)
class Server:
    """A contestant at work."""

    contestant: Contestant
    pid: int
    port: int


CONTESTANTS = (
    Contestant("ours", "this API", (*UVICORN, *AS_SERVED, "--factory", "lms_graphql.asgi:app")),
    Contestant("apollo", "Apollo Server", ("node", str(PEERS / "apollo.js"))),
    Contestant("yoga", "GraphQL Yoga", ("node", str(PEERS / "yoga.js"))),
    Contestant("floor", "by hand (floor)", (*UVICORN, *AS_SERVED, "benchmarks.floor:app")),
)


@contextmanager
def serving(chosen: Sequence[Contestant], database: MariaDB, folder: Path) -> Iterator[list[Server]]:
    """All of them up, each idle until it is asked."""
    if any(contestant.is_node for contestant in chosen):
        _install_peers()
    with ExitStack() as stack:
        servers = []
        for contestant in chosen:
            port = free_port()
            started = running(
                contestant.command if contestant.is_node else (*contestant.command, "--port", str(port)),
                folder / f"{contestant.name}.log",
                port,
                {**_environment(database), "PORT": str(port)},
            )
            servers.append(Server(contestant, stack.enter_context(started), port))
        yield servers


def _environment(database: MariaDB) -> dict[str, str]:
    """The service's own names; the peers and the floor read DB_… of them. Every server in production."""
    return {
        **database.environment,
        "LMS_DATABASE_URL": database.url,
        "LMS_ENV": "production",
        "LMS_SECRET_KEY": "only-for-the-benchmark-" * 3,
        "NODE_ENV": "production",
    }


def _install_peers() -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise BenchmarkError("Node is not installed: ask for `--only ours,floor`.")
    lock, installed = PEERS / "package-lock.json", PEERS / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    print("Installing the peers' packages …", flush=True)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=PEERS, env=os.environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"npm ci failed:\n{done.stdout}{done.stderr}")
