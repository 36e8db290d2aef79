"""The servers that are compared. Each is one process with production settings, on the same database."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.mariadb import BenchmarkDatabase
from benchmarks.processes import ROOT, BenchmarkError, run_process
from lms_graphql.http_protocol import PROTOCOL
from tests.mariadb import HOST, free_port

PEERS = ROOT / "benchmarks" / "peers"
UVICORN = (sys.executable, "-m", "uvicorn", "--host", HOST, "--workers", "1")
UVICORN_OPTIONS = ("--log-level", "warning", "--no-access-log", "--no-server-header")
"""The same options that `lms-graphql serve` uses."""


@dataclass(frozen=True)
class ServerSpec:
    """A server that can be started and measured."""

    name: str
    title: str
    command: tuple[str, ...]

    @property
    def is_node(self) -> bool:
        return self.command[0] == "node"


@dataclass(frozen=True)
class RunningServer:
    """A server that listens on `port`."""

    spec: ServerSpec
    pid: int
    port: int


SERVERS = (
    ServerSpec(
        "ours", "this API", (*UVICORN, *UVICORN_OPTIONS, "--http", PROTOCOL, "--factory", "lms_graphql.asgi:app")
    ),
    ServerSpec("apollo", "Apollo Server", ("node", str(PEERS / "apollo.js"))),
    ServerSpec("yoga", "GraphQL Yoga", ("node", str(PEERS / "yoga.js"))),
    ServerSpec("baseline", "hand-written", (*UVICORN, *UVICORN_OPTIONS, "benchmarks.baseline:app")),
)


@contextmanager
def run_servers(
    specs: Sequence[ServerSpec], database: BenchmarkDatabase, folder: Path
) -> Iterator[list[RunningServer]]:
    """Run all these servers, each idle until it gets requests."""
    if any(spec.is_node for spec in specs):
        _install_peers()
    with ExitStack() as stack:
        servers = []
        for spec in specs:
            port = free_port()
            command = spec.command if spec.is_node else (*spec.command, "--port", str(port))
            environment = {**_environment(database), "PORT": str(port)}
            process = run_process(command, folder / f"{spec.name}.log", port, environment)
            servers.append(RunningServer(spec, stack.enter_context(process), port))
        yield servers


def _environment(database: BenchmarkDatabase) -> dict[str, str]:
    """Return the service's settings for production. The peers and the baseline read DB_… of them."""
    return {
        **database.environment,
        "LMS_DATABASE_URL": database.url,
        "LMS_ENV": "production",
        "LMS_SECRET_KEY": "only-for-the-benchmark-" * 3,
        # Other load would turn large responses into 503 and 504.
        "LMS_LIMIT_QUEUE_MILLISECONDS": "10000",
        "LMS_LIMIT_SECONDS": "60",
        "NODE_ENV": "production",
    }


def _install_peers() -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise BenchmarkError("Node is not installed. Install it, or use `--only ours,baseline`.")
    lock, installed = PEERS / "package-lock.json", PEERS / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    print("Installing the peers' packages …", flush=True)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    result = subprocess.run(command, cwd=PEERS, env=os.environ, capture_output=True, text=True, check=False)
    if result.returncode:
        raise BenchmarkError(f"npm ci failed:\n{result.stdout}{result.stderr}")
