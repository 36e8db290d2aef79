"""HTTP servers that stand for gateways: they answer as these do, and fail as these do, on request."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import orjson

LONGER_THAN_ANY_TIMEOUT = 60.0


@dataclass(frozen=True)
class Fault:
    """A fault of one request: it is answered late, with a status of its own, or not at all.

    `acts` says whether the request has its effect before. Requests whose path does not end with `path` have no fault,
    and leave it to a later one.
    """

    status: int | None = None
    delay_seconds: float = 0.0
    drops: bool = False
    acts: bool = False
    body: bytes = b"upstream error"
    path: str = ""


class Request(NamedTuple):
    method: str
    path: str
    headers: Mapping[str, str]
    """Names are in lower case."""
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.path).query))


class Response(NamedTuple):
    status: int
    content: Any
    headers: Mapping[str, str] = {}


@dataclass
class HttpDouble:
    """A server on 127.0.0.1. `faults` apply to the next requests, one each; None lets a request pass."""

    url: str = ""
    faults: list[Fault | None] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _closing: threading.Event = field(default_factory=threading.Event)

    def answer(self, request: Request) -> Response:
        raise NotImplementedError

    def respond(self, request: Request) -> Response | None:
        """Return the response, or None to close the connection without one."""
        with self.lock:
            self.requests.append(request)
            fault = self._next_fault(request)
        if fault is None:
            return self._answer_alone(request)
        response = self._answer_alone(request) if fault.acts or (fault.status is None and not fault.drops) else None
        self._closing.wait(fault.delay_seconds)
        if fault.drops:
            return None
        return Response(fault.status, fault.body) if fault.status is not None else response

    def _next_fault(self, request: Request) -> Fault | None:
        if not self.faults:
            return None
        fault = self.faults[0]
        is_of_request = fault is None or request.path.endswith(fault.path)
        return self.faults.pop(0) if is_of_request else None

    def calls(self, method: str, path: str) -> list[Request]:
        """Return the requests so far whose path ends so."""
        return [request for request in self.requests if request.method == method and request.path.endswith(path)]

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._closing.set()
            server.shutdown()
            server.server_close()
            thread.join(10)

    def _answer_alone(self, request: Request) -> Response:
        with self.lock:
            return self.answer(request)


def _handler(double: HttpDouble) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            response = double.respond(Request(self.command, self.path, headers, body))
            if response is None:
                self.close_connection = True
                return
            content = response.content
            content = content if isinstance(content, bytes) else orjson.dumps(content)
            with contextlib.suppress(OSError):  # the client has not waited
                self.send_response(response.status)
                for name, value in {**response.headers, "content-type": "application/json"}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        do_GET = do_POST = handle_any  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            """Print nothing."""

    return Handler
