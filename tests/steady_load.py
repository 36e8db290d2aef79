"""Requests at a steady rate on connections that stay open, as a proxy sends them to one or several processes."""

import asyncio
import threading
from collections import Counter
from collections.abc import Sequence

BODY = b'{"query": "{ __typename }"}'
REQUEST = (
    b"POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
) % (len(BODY), BODY)
CONNECTIONS = 8
RESPONSE_SECONDS = 60

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class SteadyLoad:
    """Sends requests while a `with` block runs. A connection that is refused is opened to the next process.

    A request is never repeated, because a proxy repeats no POST. A connection is used again unless its last response
    had `Connection: close`. Without `keep_alive`, each request has a connection of its own.
    """

    def __init__(self, ports: Sequence[int], requests_per_second: int = 50, *, keep_alive: bool = True) -> None:
        self._ports = ports
        self._keep_alive = keep_alive
        self._interval = CONNECTIONS / requests_per_second
        self._ends = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._send_all()))
        self.results: Counter[str] = Counter()
        """Numbers of requests by the first line of their response, or by the error."""

    def __enter__(self) -> "SteadyLoad":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    async def _send_all(self) -> None:
        await asyncio.gather(*map(self._send_on_one_connection, range(CONNECTIONS)))

    async def _send_on_one_connection(self, number: int) -> None:
        streams: Streams | None = None
        await asyncio.sleep(self._interval * number / CONNECTIONS)
        while not self._ends.is_set():
            next_request = asyncio.create_task(asyncio.sleep(self._interval))
            try:
                if streams is None:
                    streams = await self._connect(number)
                async with asyncio.timeout(RESPONSE_SECONDS):
                    status, stays_open = await self._send(*streams)
            except (OSError, EOFError, TimeoutError) as error:
                status, stays_open = repr(error), False
            self.results[status] += 1
            if not stays_open and streams is not None:
                streams[1].close()
                streams = None
            await next_request
        if streams is not None:
            streams[1].close()

    async def _connect(self, number: int) -> Streams:
        for port in (self._ports[(number + shift) % len(self._ports)] for shift in range(len(self._ports))):
            try:
                return await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                continue
        raise ConnectionRefusedError("by all processes")

    async def _send(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[str, bool]:
        """Return the first line of the response, and whether the connection stays open."""
        writer.write(REQUEST)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
        await reader.readexactly(length)
        return head.split(b"\r\n", 1)[0].decode(), self._keep_alive and b"\r\nconnection: close\r\n" not in head
