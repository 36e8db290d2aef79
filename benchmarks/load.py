"""Load generator: clients on persistent connections. Each sends its next request as soon as it has the response."""

import asyncio
import time
from dataclasses import dataclass
from typing import cast

import uvloop

from benchmarks.processes import BenchmarkError
from tests.mariadb import HOST

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"
REQUEST_HEAD = (
    "POST /graphql HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
    "accept: application/json\r\ncontent-length: {length}\r\n\r\n"
)
RESPONSE_TIMEOUT_SECONDS = 120
"""Time limit for the responses that are outstanding when the measured time is over."""


@dataclass(frozen=True)
class Load:
    """Number of clients, and the duration of warm-up and measurement in seconds."""

    clients: int
    warm_up: float
    seconds: float


def generate_load(port: int, body: bytes, clients: int, seconds: float) -> tuple[float, list[float]]:
    """Return how long the load took, and the response times in ascending order, all in seconds.

    When the time is over, no more requests are sent, but all outstanding responses are awaited. So all that the
    server spends between call and return belongs to the counted responses.
    """
    return uvloop.run(_generate_load(port, body, clients, seconds))


async def _generate_load(port: int, body: bytes, number: int, seconds: float) -> tuple[float, list[float]]:
    loop = asyncio.get_running_loop()
    message = REQUEST_HEAD.format(host=HOST, length=len(body)).encode() + body
    response_times: list[float] = []
    clients = [Client(message, response_times) for _ in range(number)]
    for client in clients:
        await loop.create_connection(lambda client=client: client, HOST, port)  # type: ignore[misc]
    started = time.perf_counter()
    for client in clients:
        client.start(started + seconds)
    try:
        async with asyncio.timeout(seconds + RESPONSE_TIMEOUT_SECONDS):
            await asyncio.gather(*(client.finished for client in clients))
    except TimeoutError:
        raise BenchmarkError(f"The server has not responded for {RESPONSE_TIMEOUT_SECONDS} seconds.") from None
    duration = time.perf_counter() - started
    for client in clients:
        client.abort()
    return duration, sorted(response_times)


class Client(asyncio.Protocol):
    """One connection. A response that is not 200, or whose length changes, ends the run."""

    def __init__(self, message: bytes, response_times: list[float]) -> None:
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._message = message
        self._response_times = response_times
        self._deadline = 0.0
        self._started = 0.0
        self._head = b""
        self._length = 0
        self._missing: int | None = None
        """Bytes of the response that have not arrived; None until the head is complete."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's transport is not a subclass

    def start(self, deadline: float) -> None:
        self._deadline = deadline
        self._send()

    def data_received(self, data: bytes) -> None:
        if self._missing is None:
            self._head += data
            head, separator, data = self._head.partition(HEAD_END)
            if not separator:
                return
            self._missing = self._length_of(head)
        self._missing -= len(data)
        if self._missing == 0:
            now = time.perf_counter()
            self._response_times.append(now - self._started)
            if now < self._deadline:
                self._send()
            elif not self.finished.done():
                self.finished.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        self._fail("The server closed a connection.")

    def abort(self) -> None:
        self._transport.abort()

    def _send(self) -> None:
        self._head, self._missing = b"", None
        self._started = time.perf_counter()
        self._transport.write(self._message)

    def _length_of(self, head: bytes) -> int:
        status, *lines = head.lower().split(b"\r\n")
        length = next((int(line[len(LENGTH) :]) for line in lines if line.startswith(LENGTH)), 0)
        if not status.startswith(b"http/1.1 200") or length != (self._length or length) or not length:
            self._fail(f"A response differs from the previous ones:\n{head.decode(errors='replace')}")
        self._length = length
        return length

    def _fail(self, message: str) -> None:
        if not self.finished.done():
            self.finished.set_exception(BenchmarkError(message))
