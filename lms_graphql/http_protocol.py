"""HTTP/1.1 connections of uvicorn, with the limits that uvicorn lacks.

uvicorn bounds neither the headers nor the time in which they arrive, and it has no limit of idle connections. This
module, `draining_server` and `worker_processes` use its undocumented parts. `docs/architecture.md` lists them.
"""

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from lms_graphql.connection_limits import STATE_KEY, WaitingConnections

PROTOCOL = "lms_graphql.http_protocol:LimitedHttpProtocol"
"""Import path for uvicorn's option `http`. A path, because worker processes import the class themselves."""
MAX_PIPELINED_REQUESTS = 100
"""Requests of a connection that wait for their turn. uvicorn has no limit: 14,000 fit into one read."""
HEADER_SEPARATOR_BYTES = 4
"""Bytes of a header besides its name and value: a colon, a space and the end of the line."""
LINGER_SECONDS = 2.0
"""Time in which a rejected client can read the response. Closing at once would reset what it has not read."""


class RequestRejectedError(Exception):
    """A request that exceeds a limit. Raised in a callback, it stops the parser."""


class LimitedHttpProtocol(HttpToolsProtocol):
    """A connection whose headers, pipelined requests and waiting times are limited."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.ws_protocol_class = None  # because the application has no WebSockets
        self._waiting: WaitingConnections = app_state[STATE_KEY]
        self._limits = self._waiting.limits
        self._in_headers = False
        self._in_body = False
        self._read_bytes = 0
        """Size of the data that was received last."""
        self._later_bytes = 0
        """Bytes received after the data with which the request, or the last part of its body, came."""
        self._are_headers_too_large = False
        self._is_rejected = False
        self._request_timer: asyncio.TimerHandle | None = None
        self._send_timer: asyncio.TimerHandle | None = None

    # Connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._waiting.add(self)
        self._start_request_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._waiting.discard(self)
        self._unset_keepalive_if_required()
        self._stop_request_timer()
        self._stop_send_timer()

    def data_received(self, data: bytes) -> None:
        if self._is_rejected:
            return
        self._read_bytes = len(data)
        self._later_bytes += len(data)
        super().data_received(data)
        if self._is_rejected:
            return
        if self._later_bytes > self._limits.header_bytes:
            self._are_headers_too_large = True
            self._reject()
        elif self._in_body:
            self._waiting.add(self)
        elif self._request_timer is None and (self._in_headers or self._later_bytes):
            self._waiting.add(self)
            self._start_request_timer()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._waiting.add(self)
        self._watch_sending()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_send_timer()
        if self._is_responding():
            self._waiting.discard(self)

    def shutdown(self) -> None:
        """End the connection with its next response, or after `drain_seconds`. uvicorn calls this when it stops.

        uvicorn alone closes idle connections at once. A proxy may be sending a request into one of them, and does not
        repeat a POST.
        """
        if not self._waiting.is_draining:
            super().shutdown()
            return
        self._announce_close()
        self.loop.call_later(self._limits.drain_seconds, self._end_draining)

    def _announce_close(self) -> None:
        """Send `Connection: close` with the response, if its headers are not sent yet."""
        if self.cycle is not None and not self.cycle.response_started:
            self.cycle.keep_alive = False

    def _end_draining(self) -> None:
        if self._is_responding():
            self.cycle.keep_alive = False
        elif not (self._in_headers or self._in_body or self._later_bytes):
            self.transport.close()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._watch_sending()

    # Callbacks of the parser

    def on_message_begin(self) -> None:
        self._in_headers = True
        self._later_bytes = 0
        if len(self.pipeline) >= MAX_PIPELINED_REQUESTS:
            raise RequestRejectedError
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._check_headers()
        super().on_headers_complete()  # which may reject the URL
        if self._waiting.is_draining:
            self._announce_close()
        self._in_headers, self._in_body = False, True
        self._later_bytes = 0
        self._stop_request_timer()

    def _check_headers(self) -> None:
        limit = self._limits.header_bytes
        # Most headers come with one read, which shows their size without a look at each of them.
        is_small = not self._later_bytes and self._read_bytes <= limit
        if len(self.headers) > self._limits.headers or not (is_small or self._header_bytes() <= limit):
            self._are_headers_too_large = True
            raise RequestRejectedError

    def _header_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + HEADER_SEPARATOR_BYTES for name, value in self.headers)

    def on_body(self, body: bytes) -> None:
        self._later_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_body = False
        self._later_bytes = 0
        self._stop_request_timer()
        super().on_message_complete()
        if self._is_responding():
            self._waiting.discard(self)
        else:
            self._start_keep_alive_timer()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._watch_sending()
        elif self.timeout_keep_alive_task is not None:  # no pipelined request follows
            self._waiting.add(self)
            if self._in_body:
                self._start_request_timer()

    def _unsupported_upgrade_warning(self) -> None:
        """Ignore the wish for another protocol. uvicorn logs two lines for each request of some HTTP/2 clients."""

    # Rejected requests

    def send_400_response(self, msg: str) -> None:
        """Reject the request. uvicorn calls this if the parser fails."""
        self._reject()

    def _reject(self) -> None:
        """Respond and close. If earlier requests of the connection still run, they are answered instead."""
        self._is_rejected = True
        self._stop_request_timer()
        if not self._in_body and self._is_responding():
            self.cycle.keep_alive = False
            return
        if self._in_body and (self.cycle.response_started or self.pipeline):
            self.transport.abort()  # because another response has begun
            return
        self.transport.write(self._rejection())
        if self._in_body:
            self.transport.close()  # so that the running request notices it
        else:
            self.transport.write_eof()
            self._request_timer = self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def _rejection(self) -> bytes:
        status, message = HTTPStatus.BAD_REQUEST, "The request is not valid HTTP. Correct it."
        if self._are_headers_too_large:
            limits = self._limits
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            message = (
                f"The headers are too large. Send at most {limits.headers} with {limits.header_bytes:,} bytes in all."
            )
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"%d" % len(message)),
            (b"x-content-type-options", b"nosniff"),
            (b"connection", b"close"),
        ]
        lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode(), *(b"%b: %b" % header for header in headers)]
        return b"\r\n".join([*lines, b"", message.encode()])

    # Timers

    def _is_responding(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _start_request_timer(self) -> None:
        """Limit the time for complete headers, or for the rest of a body whose response is complete."""
        self._request_timer = self.loop.call_later(self._limits.header_seconds, self._end_waiting)

    def _stop_request_timer(self) -> None:
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None

    def _end_waiting(self) -> None:
        """Close the connection, unless it is the service that takes long to answer an earlier request."""
        if self._is_responding():
            self._start_request_timer()
        else:
            self._request_timer = None
            self.transport.abort()

    def _start_keep_alive_timer(self) -> None:
        """Start uvicorn's timer. uvicorn stops it when the rest of a body arrives after the response."""
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _watch_sending(self) -> None:
        """Abort the connection if its client accepts nothing for `send_seconds`."""
        self._stop_send_timer()
        unsent = self.transport.get_write_buffer_size()
        if unsent:
            self._send_timer = self.loop.call_later(self._limits.send_seconds, self._check_sending, unsent)

    def _check_sending(self, previous: int) -> None:
        if self.transport.get_write_buffer_size() >= previous:
            self.transport.abort()
        else:
            self._watch_sending()

    def _stop_send_timer(self) -> None:
        if self._send_timer is not None:
            self._send_timer.cancel()
            self._send_timer = None
