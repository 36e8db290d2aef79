"""An HTTP connection that sends any bytes, valid or not."""

import contextlib
import socket
import time
from typing import Self
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 20.0
GET = b"GET /health/live HTTP/1.1\r\nhost: x\r\n"
"""A request without the empty line that ends its headers."""
LIVE = (200, b'{"status":"live"}')


class RawConnection:
    """A TCP connection to a server. It is closed at the end of a `with` block."""

    def __init__(self, url: str, receive_buffer: int | None = None) -> None:
        address = urlsplit(url)
        self._socket = socket.socket()
        self._socket.settimeout(TIMEOUT_SECONDS)
        if receive_buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.connect((address.hostname, address.port))
        self._input = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._input.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def send_until_closed(self, data: bytes, pause: float = 0.0, repetitions: int = 100_000) -> int:
        """Send the data again and again until the server closes the connection. Return the number of sent bytes."""
        sent = 0
        with contextlib.suppress(ConnectionError):
            for _ in range(repetitions):
                self.send(data)
                sent += len(data)
                if pause:
                    time.sleep(pause)
                if self._has_input():
                    break
        return sent

    def read_response(self) -> tuple[int, bytes]:
        """Return the status and the body of the next response."""
        status = int(self._input.readline().split()[1])
        headers = {}
        while line := self._input.readline().strip():
            name, _, value = line.partition(b":")
            headers[name.lower()] = value.strip()
        return status, self._input.read(int(headers[b"content-length"]))

    def count_input(self, pause: float = 0.0) -> int:
        """Return the number of bytes that arrive until the server closes the connection."""
        received = 0
        with contextlib.suppress(ConnectionError):
            while data := self._socket.recv(400_000):
                received += len(data)
                time.sleep(pause)
        return received

    def is_closed(self, within: float = TIMEOUT_SECONDS) -> bool:
        """Return whether the server closes the connection in time. Other input counts as open."""
        self._socket.settimeout(within)
        try:
            return self._socket.recv(1) == b""
        except TimeoutError:
            return False
        except ConnectionError:
            return True
        finally:
            self._socket.settimeout(TIMEOUT_SECONDS)

    def _has_input(self) -> bool:
        """Return whether a response or the end of the connection has arrived."""
        self._socket.setblocking(False)
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        finally:
            self._socket.settimeout(TIMEOUT_SECONDS)
        return True
