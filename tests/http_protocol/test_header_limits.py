"""Limits of request headers and pipelined requests: what exceeds them is rejected, and the connection is closed."""

from collections.abc import Iterator

import pytest

from tests.http_protocol.raw_connection import GET, LIVE, RawConnection
from tests.live_service import Client, Service
from tests.processes import ServiceProcess

pytestmark = pytest.mark.sqlite_only

TOO_LARGE = (431, b"The headers are too large. Send at most 200 with 65,536 bytes in all.")
CHUNKED_POST = (
    b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
)


@pytest.fixture
def connection(service: Service) -> Iterator[RawConnection]:
    with RawConnection(service.url) as connection:
        yield connection


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(GET + b"x-large: " + b"a" * 65_536 + b"\r\n\r\n", id="header value"),
        pytest.param(GET + b"a" * 65_536 + b": x\r\n\r\n", id="header name"),
        pytest.param(
            GET + b"".join(b"x-%d: %s\r\n" % (n, b"a" * 1_000) for n in range(66)) + b"\r\n", id="sum of headers"
        ),
        pytest.param(b"GET /health/live?" + b"a" * 65_536 + b" HTTP/1.1\r\nhost: x\r\n\r\n", id="URL"),
        pytest.param(GET + b"x: y\r\n" * 200 + b"\r\n", id="201 headers"),
        pytest.param(GET + b"x:\r\n" * 200 + b"\r\n", id="201 headers without values"),
    ],
)
def test_large_headers_are_rejected(connection: RawConnection, request_bytes: bytes) -> None:
    connection.send(request_bytes)
    assert connection.read_response() == TOO_LARGE
    assert connection.is_closed()


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(b"x-large: " + b"a" * 65_000 + b"\r\n", id="65,000 bytes"),
        pytest.param(b"x: y\r\n" * 199, id="200 headers"),
    ],
)
def test_headers_within_the_limits_are_accepted(connection: RawConnection, headers: bytes) -> None:
    for _ in range(2):
        connection.send(GET + headers + b"\r\n")
        assert connection.read_response() == LIVE


@pytest.mark.parametrize(
    ("start", "repeated"),
    [
        pytest.param(b"GET /", b"a" * 1_000, id="request line"),
        pytest.param(GET + b"x: ", b"a" * 1_000, id="header value"),
        pytest.param(GET, b"a" * 1_000, id="header name"),
        pytest.param(GET, b"x: y\r\n", id="headers"),
        pytest.param(b"", b"\r\n" * 100, id="empty lines"),
        pytest.param(CHUNKED_POST + b"0\r\nx: ", b"a" * 1_000, id="trailer"),
        pytest.param(CHUNKED_POST + b"0\r\n", b"x: y\r\n", id="trailers"),
        pytest.param(CHUNKED_POST + b"1;", b"a" * 1_000, id="chunk extension"),
    ],
)
def test_endless_headers_are_rejected(connection: RawConnection, start: bytes, repeated: bytes) -> None:
    connection.send(start)
    connection.send_until_closed(repeated)
    assert connection.read_response() == TOO_LARGE


def test_client_reads_the_rejection_after_sending_everything(connection: RawConnection) -> None:
    connection.send(GET + b"x: " + b"a" * 5_000_000 + b"\r\n\r\n")
    assert connection.read_response() == TOO_LARGE


def test_requests_before_a_rejected_one_are_answered(connection: RawConnection) -> None:
    connection.send((GET + b"\r\n") * 3 + GET + b"x: " + b"a" * 70_000 + b"\r\n\r\n")
    assert [connection.read_response() for _ in range(3)] == [LIVE] * 3
    assert connection.is_closed()


@pytest.mark.parametrize("line", [b"no HTTP", b"CONNECT a:1 HTTP/1.1", b"PRI * HTTP/2.0\r\n\r\nSM"])
def test_invalid_request_is_rejected(connection: RawConnection, line: bytes) -> None:
    connection.send(line + b"\r\n\r\n")
    assert connection.read_response() == (400, b"The request is not valid HTTP. Correct it.")
    assert connection.is_closed()


def test_pipelined_requests_are_answered_in_order(connection: RawConnection) -> None:
    connection.send(b"".join(b"%s /health/live HTTP/1.1\r\nhost: x\r\n\r\n" % word for word in [b"GET", b"PUT"] * 25))
    assert [connection.read_response()[0] for _ in range(50)] == [200, 405] * 25
    connection.send(GET + b"\r\n")
    assert connection.read_response() == LIVE


def test_endless_pipelined_requests_are_cut_off(connection: RawConnection) -> None:
    connection.send((GET + b"\r\n") * 1_000)
    for _ in range(101):  # one that runs, and 100 that wait
        assert connection.read_response() == LIVE
    assert connection.is_closed()


def test_headers_may_arrive_in_parts(connection: RawConnection) -> None:
    for _ in range(2):
        for part in (b"GE", b"T /health/live HT", b"TP/1.1\r\nho", b"st: x\r\n", b"\r", b"\n"):
            connection.send(part)
        assert connection.read_response() == LIVE


def test_upgrade_to_a_websocket_is_ignored(connection: RawConnection) -> None:
    headers = b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: eA==\r\nsec-websocket-version: 13\r\n"
    connection.send(GET + headers + b"\r\n")
    assert connection.read_response() == LIVE


def test_graphql_requests_reuse_their_connection(client: Client) -> None:
    for _ in range(5):
        assert client.execute("{ categories { id } }") == {"categories": []}


@pytest.mark.slow
def test_header_of_300_megabytes_takes_no_memory(process: ServiceProcess) -> None:
    before = process.max_memory_kilobytes()
    with RawConnection(process.url) as connection:
        connection.send(GET + b"x: ")
        connection.send_until_closed(b"a" * 1_000_000, repetitions=300)
        assert connection.read_response() == TOO_LARGE
    assert process.max_memory_kilobytes() - before < 20_000
