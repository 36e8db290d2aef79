"""A real server on a real port, with an HTTP client and recorders of its log and its SQL statements."""

import contextlib
import io
import json
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import uvicorn
from sqlalchemy import Connection, Engine
from starlette.requests import Request

from lms_graphql.all_models import metadata
from lms_graphql.app import create_app
from lms_graphql.authentication import authenticate
from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.database import Database
from lms_graphql.graph.context import AppResources
from lms_graphql.graph.documents import DocumentCache
from lms_graphql.http_protocol import PROTOCOL
from lms_graphql.settings import Settings
from tests.mariadb import free_port
from tests.statement_events import listen_to_statements

ACTOR_HEADER = "x-test-actor"


async def authenticate_test(resources: AppResources, request: Request) -> Actor:
    """Return the actor that a test names in a header; without the header, authenticate as in production."""
    header = request.headers.get(ACTOR_HEADER)
    if header is None:
        return await authenticate(resources, request)
    key, role = header.split(":")
    return Actor(int(key), Role(role))


class Service:
    """A running service."""

    def __init__(self, url: str, resources: AppResources, documents: DocumentCache) -> None:
        self.url = url
        self.resources = resources
        self.database = resources.database
        self.documents = documents

    @property
    def engine(self) -> Engine:
        return self.database.engine

    def delete_all_rows(self) -> None:
        delete_all_rows(self.database)


_TABLES = [table.name for table in reversed(metadata.sorted_tables)]
"""Table names. A table comes before those that it refers to."""
_FILLED_TABLES = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in _TABLES)
"""Selects the tables that have rows. This is faster than emptying all, because most are empty after most tests."""


def delete_all_rows(database: Database) -> None:
    """Delete all rows, so that each test starts with an empty database."""
    with database.engine.connect() as connection:
        filled = {name for (name,) in connection.exec_driver_sql(_FILLED_TABLES)}
        if not database.is_sqlite:
            # End the snapshot of the SELECT. MariaDB rejects a DELETE of rows that were changed after a snapshot.
            connection.rollback()
        switch = "PRAGMA defer_foreign_keys = ON" if database.is_sqlite else "SET SESSION foreign_key_checks = 0"
        connection.exec_driver_sql(switch)
        for table in _TABLES:
            if table in filled:
                connection.exec_driver_sql(f"DELETE FROM {table}")
        if not database.is_sqlite:
            connection.exec_driver_sql("SET SESSION foreign_key_checks = 1")
        connection.commit()


@contextlib.contextmanager
def run_service(settings: Settings, port: int | None = None) -> Iterator[Service]:
    """Run the service in a thread of this process, on this port or a free one."""
    app = create_app(settings, authenticate_test)
    port = free_port() if port is None else port
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        http=PROTOCOL,
        ws="none",
        timeout_keep_alive=settings.keep_alive_seconds,
        log_level="warning",
        access_log=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("The server does not start.")
        time.sleep(0.01)
    try:
        yield Service(f"http://127.0.0.1:{port}", app.state.resources, app.state.documents)
    finally:
        server.should_exit = True
        thread.join(20)


_NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def plain_http(url: str, local_address: str | None = None) -> httpx.Client:
    """Return an HTTP client that loads no CA certificates, because that takes longer than most tests.

    The service sees `local_address` as the client IP. On Linux, each of 127.0.0.0/8 is an address of the machine.
    """
    transport = httpx.HTTPTransport(verify=_NO_CERTIFICATES, local_address=local_address)
    return httpx.Client(base_url=url, timeout=30, transport=transport)


class Client:
    """HTTP client of a service, with methods for GraphQL. `as_` is the actor; `bearer` is an access token."""

    def __init__(self, service: Service, local_address: str | None = None) -> None:
        self._http = plain_http(service.url, local_address)

    def execute(self, document: str, as_: Actor | None = None, bearer: str | None = None, **variables: Any) -> Any:
        """Return `data`. Top-level errors fail the test."""
        body = self.graphql(document, as_, bearer, **variables)
        assert "errors" not in body, json.dumps(body["errors"], indent=1)
        return body["data"]

    def error_codes(
        self, document: str, as_: Actor | None = None, bearer: str | None = None, **variables: Any
    ) -> list[str]:
        """Return the codes of the top-level errors."""
        body = self.graphql(document, as_, bearer, **variables)
        return [error["extensions"]["code"] for error in body.get("errors", ())]

    def graphql(self, document: str, as_: Actor | None = None, bearer: str | None = None, **variables: Any) -> Any:
        """Return the whole response body."""
        headers = {} if as_ is None or as_.key is None else {ACTOR_HEADER: f"{as_.key}:{as_.role}"}
        if bearer is not None:
            headers["authorization"] = f"Bearer {bearer}"
        return self.post({"query": document, "variables": variables}, headers=headers).json()

    def post(self, body: Any, **options: Any) -> httpx.Response:
        return self._http.post("/graphql", json=body, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self._http.get(path, **options)

    def wait_until_ready(self, seconds: float = 10) -> None:
        """Wait until the service is ready. On a busy machine a single check may time out."""
        deadline = time.monotonic() + seconds
        while (response := self.get("/health/ready")).status_code != 200:
            assert time.monotonic() < deadline, response.text
            time.sleep(0.05)

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._http.request(method, path, **options)

    def close(self) -> None:
        self._http.close()


@contextlib.contextmanager
def client_with(settings: Settings, **changes: object) -> Iterator[Client]:
    """Run a service with changed settings, and yield a client of it."""
    with run_service(settings.model_copy(update=changes)) as service:
        client = Client(service)
        yield client
        client.close()


class LogCapture(io.StringIO):
    """The log of the service: recorded for tests, and also written to stderr, where it helps to explain failures."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, line: str) -> int:
        self.lines.append(line)
        sys.stderr.write(line)
        return len(line)

    @property
    def text(self) -> str:
        return "".join(self.lines)


class StatementRecorder:
    """Records the SQL statements that are executed inside a `with` block."""

    def __init__(self, database: Database) -> None:
        self._engines = (database.engine, database.read_engine)
        self._listening = contextlib.ExitStack()
        self.texts: list[str] = []
        self.parameters: list[Any] = []

    def __enter__(self) -> "StatementRecorder":
        self.texts, self.parameters = [], []
        self._listening.enter_context(listen_to_statements(self._engines, self._record))
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()

    def _record(self, _connection: Connection, text: str, parameters: Any) -> None:
        self.texts.append(text)
        self.parameters.append(parameters)

    @property
    def count(self) -> int:
        return len(self.texts)
