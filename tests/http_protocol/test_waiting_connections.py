"""Connections that wait for their clients: how long they stay open, and which are closed if there are too many."""

import contextlib
import resource
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from lms_graphql.connection_limits import STATE_KEY, ConnectionLimits, WaitingConnections
from lms_graphql.http_protocol import PROTOCOL
from lms_graphql.settings import Settings
from tests.http_protocol.raw_connection import GET, LIVE, RawConnection
from tests.live_service import LogCapture, Service, run_service
from tests.mariadb import free_port
from tests.processes import ServiceProcess

pytestmark = pytest.mark.sqlite_only

MANY_CONNECTIONS = 1_100
"""More than a process may have open at the usual limit of 1,024 files."""


@pytest.fixture
def strict_service(service_settings: Settings) -> Iterator[Service]:
    """Run a service with small limits of time."""
    limits = {"limit_header_seconds": 2, "keep_alive_seconds": 2}
    with run_service(service_settings.model_copy(update=limits)) as service:
        yield service


@pytest.mark.slow
def test_connection_without_complete_headers_is_closed(strict_service: Service) -> None:
    with contextlib.ExitStack() as stack:
        connections = {}
        for sent in (b"", b"GET /heal", GET, b"\r\n"):
            connections[sent] = stack.enter_context(RawConnection(strict_service.url))
            connections[sent].send(sent)
        assert [sent for sent, connection in connections.items() if not connection.is_closed()] == []


@pytest.mark.slow
def test_slow_headers_do_not_keep_a_connection_open(strict_service: Service) -> None:
    cases = [(previous, repeated) for previous in (b"", GET + b"\r\n") for repeated in (b"a", b"\r\n", b"x: y\r\n")]
    with ThreadPoolExecutor(len(cases)) as threads:
        sent = dict(
            zip(cases, threads.map(lambda case: send_slow_headers(strict_service, *case), cases), strict=True)
        )
    repetitions = {case: number / len(case[1]) for case, number in sent.items()}
    assert {case: number for case, number in repetitions.items() if number >= 200} == {}, "10 seconds of 20"


def send_slow_headers(service: Service, previous: bytes, repeated: bytes) -> int:
    """Send a request before, and then headers without an end. Return the number of bytes until the server closes."""
    with RawConnection(service.url) as connection:
        if previous:
            connection.send(previous)
            assert connection.read_response() == LIVE
        connection.send(b"" if repeated == b"\r\n" else GET)
        return connection.send_until_closed(repeated, pause=0.05, repetitions=400)


@pytest.mark.slow
def test_slow_rest_of_an_answered_request_does_not_keep_a_connection_open(strict_service: Service) -> None:
    with RawConnection(strict_service.url) as connection:
        connection.send(GET + b"content-length: 1000000\r\n\r\n")
        assert connection.read_response() == LIVE
        sent = connection.send_until_closed(b"a", pause=0.05, repetitions=400)
    assert sent < 200, "10 seconds of 20"


@pytest.mark.slow
def test_connection_is_closed_if_idle_after_the_rest_of_an_answered_request(strict_service: Service) -> None:
    with RawConnection(strict_service.url) as connection:
        connection.send(GET + b"content-length: 5\r\n\r\n")
        assert connection.read_response() == LIVE
        connection.send(b"12345" + GET + b"\r\n")
        assert connection.read_response() == LIVE
        connection.send(GET + b"content-length: 5\r\n\r\n")
        assert connection.read_response() == LIVE
        connection.send(b"12345")
        assert connection.is_closed()


@pytest.mark.slow
def test_idle_connection_is_closed_after_the_setting(strict_service: Service) -> None:
    with RawConnection(strict_service.url) as connection:
        for _ in range(3):
            connection.send(GET + b"\r\n")
            assert connection.read_response() == LIVE
            assert not connection.is_closed(within=0.5)
        assert connection.is_closed()


@pytest.mark.slow
def test_oldest_waiting_connections_are_closed_first(service_settings: Settings, captured_log: LogCapture) -> None:
    settings = service_settings.model_copy(update={"limit_waiting_connections": 10})
    with run_service(settings) as service, contextlib.ExitStack() as stack:
        connections: list[RawConnection] = []
        for number in range(15):
            connections.append(stack.enter_context(RawConnection(service.url)))
            for connection in (connections[-1], connections[0]) if number == 9 else (connections[-1],):
                connection.send(GET + b"\r\n")
                assert connection.read_response() == LIVE
        assert all(connection.is_closed() for connection in connections[1:6])
        for connection in (connections[0], *connections[6:]):
            connection.send(GET + b"\r\n")
            assert connection.read_response() == LIVE
    assert "waiting_connections_closed" in captured_log.text


INCOMPLETE_BODY = b"POST /graphql HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"


@pytest.mark.slow
@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /heal", GET + b"\r\n", INCOMPLETE_BODY],
    ids=["silent", "incomplete headers", "idle", "incomplete body"],
)
def test_client_is_served_beside_many_waiting_connections(process: ServiceProcess, sent: bytes) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * MANY_CONNECTIONS), hard))
    process.limit_open_files(1_024)
    with contextlib.ExitStack() as stack, httpx.Client(base_url=process.url, timeout=20) as client:
        for _ in range(MANY_CONNECTIONS):
            connection = stack.enter_context(RawConnection(process.url))
            connection.send(sent)
        for _ in range(5):
            assert client.get("/health/ready").status_code == 200
            response = client.post("/graphql", json={"query": "{ categories { id } }"})
            assert response.json()["data"] == {"categories": []}


@pytest.mark.slow
def test_served_connection_outlives_idle_times_of_proxies(process: ServiceProcess) -> None:
    with RawConnection(process.url) as connection:
        connection.send(GET + b"\r\n")
        assert connection.read_response() == LIVE
        assert not connection.is_closed(within=6), "uvicorn's default is 5 seconds"
        connection.send(GET + b"\r\n")
        assert connection.read_response() == LIVE


LARGE_RESPONSE = b"x" * 20_000_000
"""More than the operating system buffers."""


@contextlib.contextmanager
def run_large_responses(limits: ConnectionLimits) -> Iterator[str]:
    """Run a server of which each response is large. Yield its URL."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            scope["state"][STATE_KEY] = WaitingConnections(limits)
            for phase in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{phase}.complete"})
            return
        headers = [(b"content-length", b"%d" % len(LARGE_RESPONSE))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": LARGE_RESPONSE})

    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, http=PROTOCOL, ws="none", log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.mark.slow
def test_client_that_does_not_read_its_response_is_disconnected() -> None:
    limits = ConnectionLimits(65_536, 200, header_seconds=10, waiting_connections=800, send_seconds=1)
    with run_large_responses(limits) as url, contextlib.ExitStack() as stack:
        connections = []
        for last_header in (b"", b"connection: close\r\n"):
            connections.append(stack.enter_context(RawConnection(url, receive_buffer=4_096)))
            connections[-1].send(GET + last_header + b"\r\n")
        time.sleep(3)
        assert all(connection.count_input() < len(LARGE_RESPONSE) for connection in connections)


@pytest.mark.slow
def test_client_that_reads_slowly_gets_its_response() -> None:
    limits = ConnectionLimits(65_536, 200, header_seconds=10, waiting_connections=800, send_seconds=2)
    with run_large_responses(limits) as url, RawConnection(url) as connection:
        connection.send(GET + b"connection: close\r\n\r\n")
        assert connection.count_input(pause=0.1) > len(LARGE_RESPONSE)
