"""The servers that are compared. Each is one process with production settings, on the same database."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
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
    environment: Mapping[str, str] = field(default_factory=dict)
    """Settings that only this server has."""
    driver: str = "pymysql"
    """Driver of the database, as SQLAlchemy names it."""

    @property
    def is_node(self) -> bool:
        return self.command[0] == "node"


@dataclass(frozen=True)
class RunningServer:
    """A server that listens on `port`."""

    spec: ServerSpec
    pid: int
    port: int


BASELINE_TITLE = "hand-written"
OURS = (*UVICORN, *UVICORN_OPTIONS, "--http", PROTOCOL, "--factory", "lms_graphql.asgi:app")
UNCACHED = {"LMS_TREE_CACHE_BYTES": "0"}
SERVERS = (
    ServerSpec("ours", "this API", OURS),
    ServerSpec("ours-uncached", "this API, no tree cache", OURS, UNCACHED),
    ServerSpec("ours-mysqlclient", "the same, mysqlclient", OURS, UNCACHED, driver="mysqldb"),
    ServerSpec("apollo", "Apollo Server", ("node", str(PEERS / "apollo.js"))),
    ServerSpec("yoga", "GraphQL Yoga", ("node", str(PEERS / "yoga.js"))),
    ServerSpec("yoga-jit", "Yoga, graphql-jit", ("node", str(PEERS / "yoga-jit.js"))),
    ServerSpec("baseline", BASELINE_TITLE, (*UVICORN, *UVICORN_OPTIONS, "benchmarks.baseline:app")),
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
            if spec.driver == "mysqldb" and find_spec("MySQLdb") is None:
                print("mysqlclient is not installed, so this API is not measured with it.", flush=True)
                continue
            port = free_port()
            command = spec.command if spec.is_node else (*spec.command, "--port", str(port))
            environment = {**_environment(database, spec), "PORT": str(port)}
            process = run_process(command, folder / f"{spec.name}.log", port, environment)
            servers.append(RunningServer(spec, stack.enter_context(process), port))
        yield servers


def _environment(database: BenchmarkDatabase, spec: ServerSpec) -> dict[str, str]:
    """Return the service's settings for production. The peers and the baseline read DB_… of them."""
    return {
        **database.environment,
        "LMS_DATABASE_URL": database.url.replace("pymysql", spec.driver),
        "LMS_ENV": "production",
        "LMS_SECRET_KEY": "only-for-the-benchmark-" * 3,
        # Other load would turn large responses into 503 and 504.
        "LMS_LIMIT_QUEUE_MILLISECONDS": "10000",
        "LMS_LIMIT_SECONDS": "60",
        "NODE_ENV": "production",
        **spec.environment,
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
