"""The load: so many clients, each asking again as soon as it has its answer, over connections that stay open."""

import asyncio
import time
from dataclasses import dataclass
from typing import cast

import uvloop

from benchmarks.processes import HOST, BenchmarkError

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"
REQUEST_HEAD = (
    "POST /graphql HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
    "accept: application/json\r\ncontent-length: {length}\r\n\r\n"
)
PATIENCE_SECONDS = 120
"""For the answers that are still to come when the time is up."""


@dataclass(frozen=True)
class Load:
    clients: int
    warm_up: float
    """Seconds before anything is counted."""
    seconds: float


def press(port: int, body: bytes, clients: int, seconds: float) -> tuple[float, list[float]]:
    """How long it took, and how long each answer took, shortest first; all in seconds.

    Nobody asks any more when the time is up, but every answer is waited for: whatever the server spends between
    call and return it has spent on the answers counted, neither more nor less.
    """
    return uvloop.run(_press(port, body, clients, seconds))


async def _press(port: int, body: bytes, number: int, seconds: float) -> tuple[float, list[float]]:
    loop = asyncio.get_running_loop()
    message = REQUEST_HEAD.format(host=HOST, length=len(body)).encode() + body
    waits: list[float] = []
    clients = [Client(message, waits) for _ in range(number)]
    for client in clients:
        await loop.create_connection(lambda client=client: client, HOST, port)  # type: ignore[misc]
    began = time.perf_counter()
    for client in clients:
        client.begin(began + seconds)
    try:
        async with asyncio.timeout(seconds + PATIENCE_SECONDS):
            await asyncio.gather(*(client.finished for client in clients))
    except TimeoutError:
        raise BenchmarkError(f"The server has not answered for {PATIENCE_SECONDS} seconds.") from None
    taken = time.perf_counter() - began
    for client in clients:
        client.leave()
    return taken, sorted(waits)


class Client(asyncio.Protocol):
    """One connection. An answer that is not 200, or not as long as the one before, ends the run."""

    def __init__(self, message: bytes, waits: list[float]) -> None:
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._message = message
        self._waits = waits
        self._until = 0.0
        self._began = 0.0
        self._head = b""
        self._length = 0
        self._missing: int | None = None
        """Bytes of the answer still to come; None until its head is here."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class

    def begin(self, until: float) -> None:
        self._until = until
        self._ask()

    def data_received(self, data: bytes) -> None:
        if self._missing is None:
            self._head += data
            head, found, data = self._head.partition(HEAD_END)
            if not found:
                return
            self._missing = self._length_of(head)
        self._missing -= len(data)
        if self._missing == 0:
            now = time.perf_counter()
            self._waits.append(now - self._began)
            if now < self._until:
                self._ask()
            elif not self.finished.done():
                self.finished.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        self._fail("The server closed a connection.")

    def leave(self) -> None:
        self._transport.abort()

    def _ask(self) -> None:
        self._head, self._missing = b"", None
        self._began = time.perf_counter()
        self._transport.write(self._message)

    def _length_of(self, head: bytes) -> int:
        status, *lines = head.lower().split(b"\r\n")
        length = next((int(line[len(LENGTH) :]) for line in lines if line.startswith(LENGTH)), 0)
        if not status.startswith(b"http/1.1 200") or length != (self._length or length) or not length:
            self._fail(f"An answer is not like the ones before:\n{head.decode(errors='replace')}")
        self._length = length
        return length

    def _fail(self, message: str) -> None:
        if not self.finished.done():
            self.finished.set_exception(BenchmarkError(message))
