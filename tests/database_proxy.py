"""A proxy between the service and MariaDB that cuts the connection before or after a COMMIT."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from enum import Enum

from tests.mariadb import HOST

COMMIT = b"\x07\x00\x00\x00\x03COMMIT"
"""The packet of a COMMIT: its length, its number, the command for a query, the text."""
CHUNK_BYTES = 65_536


class Cut(Enum):
    """A fault of the connection at the next COMMIT."""

    BEFORE_COMMIT = "the server does not receive it"
    AFTER_COMMIT = "the server commits, and the client does not receive the answer"
    AFTER_ANSWER = "the client receives the answer, and then no connection works"


class DatabaseProxy:
    """The running proxy. Set `next_cut` to cut one connection, at the next COMMIT or after some more."""

    def __init__(self, server_port: int) -> None:
        self.port = 0
        self.next_cut: Cut | None = None
        self.commits_before_cut = 0
        self.is_refusing = False
        self._server_port = server_port
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _serve(self, client_reader: asyncio.StreamReader, client_writer: asyncio.StreamWriter) -> None:
        if self.is_refusing:
            client_writer.close()
            return
        server_reader, server_writer = await asyncio.open_connection(HOST, self._server_port)
        pair = {client_writer, server_writer}
        self._writers |= pair
        cut: list[Cut] = []
        pumps = (
            self._pump_requests(client_reader, server_writer, cut),
            self._pump_answers(server_reader, client_writer, cut),
        )
        tasks = [asyncio.ensure_future(pump) for pump in pumps]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            for writer in pair:
                writer.close()
            self._writers -= pair

    async def _pump_requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: list[Cut]
    ) -> None:
        while data := await reader.read(CHUNK_BYTES):
            if data == COMMIT and self.next_cut is not None and self.commits_before_cut > 0:
                self.commits_before_cut -= 1
            elif data == COMMIT and self.next_cut is not None:
                cut.append(self.next_cut)
                self.next_cut = None
                if cut == [Cut.BEFORE_COMMIT]:
                    return
            writer.write(data)
            await writer.drain()

    async def _pump_answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: list[Cut]) -> None:
        while data := await reader.read(CHUNK_BYTES):
            if cut == [Cut.AFTER_COMMIT]:
                return
            if cut:
                self.is_refusing = True
                for other in self._writers - {writer}:
                    other.close()
            writer.write(data)
            await writer.drain()


@contextlib.contextmanager
def run_database_proxy(server_port: int) -> Iterator[DatabaseProxy]:
    """Run a proxy to the server at this port, in a thread."""
    proxy, started, loops = DatabaseProxy(server_port), threading.Event(), []
    stopped = asyncio.Event()

    async def serve() -> None:
        async with await proxy.start():
            loops.append(asyncio.get_running_loop())
            started.set()
            await stopped.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield proxy
    finally:
        loops[0].call_soon_threadsafe(stopped.set)
        thread.join(10)
