"""The load: so many clients, each asking again as soon as it has its answer, over connections that stay open."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import uvloop

from benchmarks.processes import HOST, BenchmarkError

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"
REQUEST_HEAD = (
    "POST /graphql HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
    "accept: application/json\r\ncontent-length: {length}\r\n\r\n"
)


@dataclass(frozen=True)
class Load:
    clients: int
    warm_up: float
    """Seconds before anything is counted."""
    seconds: float


def press(port: int, body: bytes, load: Load, mark: Callable[[], None]) -> tuple[float, list[float]]:
    """How long it was counted, and how long each answer took, shortest first; all in seconds.

    `mark` is called when counting begins and when it ends, for what else is to be counted meanwhile.
    """
    return uvloop.run(_press(port, body, load, mark))


async def _press(port: int, body: bytes, load: Load, mark: Callable[[], None]) -> tuple[float, list[float]]:
    loop = asyncio.get_running_loop()
    message = REQUEST_HEAD.format(host=HOST, length=len(body)).encode() + body
    failed: asyncio.Future[None] = loop.create_future()
    waits: list[float] = []
    clients = [Client(message, waits, failed) for _ in range(load.clients)]
    for client in clients:
        await loop.create_connection(lambda client=client: client, HOST, port)  # type: ignore[misc]
    await asyncio.wait([failed], timeout=load.warm_up)
    waits.clear()
    mark()
    began = time.perf_counter()
    await asyncio.wait([failed], timeout=load.seconds)
    seconds, counted = time.perf_counter() - began, sorted(waits)
    mark()
    for client in clients:
        client.leave()
    if failed.done():
        failed.result()
    if not counted:
        raise BenchmarkError(f"Not one answer in {load.seconds} seconds.")
    return seconds, counted


class Client(asyncio.Protocol):
    """One connection. An answer that is not 200, or not as long as the one before, ends the run."""

    def __init__(self, message: bytes, waits: list[float], failed: "asyncio.Future[None]") -> None:
        self._message = message
        self._waits = waits
        self._failed = failed
        self._leaving = False
        self._began = 0.0
        self._head = b""
        self._length = 0
        self._missing: int | None = None
        """Bytes of the answer still to come; None until its head is here."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
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
            self._waits.append(time.perf_counter() - self._began)
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._leaving:
            self._fail("The server closed a connection.")

    def leave(self) -> None:
        self._leaving = True
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
        if not self._failed.done():
            self._failed.set_exception(BenchmarkError(message))
