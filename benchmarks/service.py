"""One service process in production on a new database, and a client connection to it."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from benchmarks.mariadb import private_database
from benchmarks.processes import run_process
from lms_graphql.accounts.services.sessions import AuthContext
from lms_graphql.core.signing import Signer
from lms_graphql.settings import Settings
from tests.mariadb import HOST

SECRET = "a secret of the benchmark, long and random: 71c0"


class Connection:
    """A persistent connection that sends one GraphQL request after the other."""

    def __init__(self, port: int, bearer: str | None = None) -> None:
        self._port = port
        self._authorization = f"authorization: Bearer {bearer}\r\n" if bearer else ""
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, document: str, **variables: Any) -> tuple[int, bytes]:
        """Return the status and the body of the response."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(HOST, self._port)
        reader, writer = self._streams
        body = orjson.dumps({"query": document, "variables": variables})
        head = f"POST /graphql HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/json\r\n{self._authorization}"
        writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        response_head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(response_head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        return int(response_head[9:12]), await reader.readexactly(length)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


@contextmanager
def new_database(kind: str, folder: Path) -> Iterator[tuple[str, int | None]]:
    """Yield the URL of an empty database, and the process id of its server; None for SQLite."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/benchmark.db", None
        return
    with private_database(folder) as database:
        yield database.url, database.pid


@contextmanager
def run_service(url: str, folder: Path, port: int, workers: int = 1, /, **settings: str) -> Iterator[int]:
    """Run `lms-graphql serve` in production. Yield its process id, which is the supervisor's with several workers."""
    environment = {"LMS_DATABASE_URL": url, "LMS_ENV": "production", "LMS_SECRET_KEY": SECRET, **settings}
    command = (sys.executable, "-m", "lms_graphql", "serve", "--port", str(port), "--workers", str(workers))
    with run_process(command, folder / f"serve-{workers}.log", port, environment) as pid:
        yield pid


def auth_context(url: str) -> AuthContext:
    """Return a context for creating sessions that the service accepts."""
    return AuthContext(Signer(SECRET), Settings(database_url=url, access_token_minutes=60), HOST)
