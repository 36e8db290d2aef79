"""ASGI middleware of all routes: request ids, headers of every response, CORS and compression."""

import re
import secrets

import structlog
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lms_graphql.compression import compression
from lms_graphql.core import tracing
from lms_graphql.settings import Settings

REQUEST_ID_HEADER = "x-request-id"
REQUEST_ID = re.compile(r"[A-Za-z0-9._:=+/-]{1,64}")
"""Ids that clients and proxies may choose: UUIDs, hexadecimal and Base64 ids, but no free text."""
LOCAL_ORIGINS = r"https?://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?"
"""Origins of front ends on a developer's machine. They are allowed in development only."""
REQUEST_HEADERS = (
    "authorization",
    "apollo-require-preflight",
    "apollographql-client-name",
    "apollographql-client-version",
    "baggage",
    "idempotency-key",
    "sentry-trace",
    "traceparent",
    "tracestate",
    REQUEST_ID_HEADER,
)
"""Headers that common GraphQL and tracing clients send from browsers, beside those that CORS always allows."""
RESPONSE_HEADERS = ("retry-after", REQUEST_ID_HEADER)
"""Headers that browser front ends may read."""
PREFLIGHT_SECONDS = 3600
"""How long a browser may cache what a preflight request has allowed."""
UNTRACED_PATHS = ("/health/", "/metrics")
"""Beginnings of paths that load balancers and Prometheus request every few seconds."""


class ResponseHeadersMiddleware:
    """ASGI middleware that gives each request an id, and each response the headers that all have.

    The id is the client's `X-Request-Id` if it is well-formed, else a new one. All log lines of the request have it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope))
        headers = ((REQUEST_ID_HEADER.encode(), request_id.encode()), (b"x-content-type-options", b"nosniff"))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._app(scope, receive, send_with_headers)


class TracingMiddleware:
    """ASGI middleware that runs each request in a span. Paths are not recorded, because some have secret codes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(UNTRACED_PATHS):
            await self._app(scope, receive, send)
            return

        async def send_with_status(message: Message) -> None:
            if message["type"] == "http.response.start":
                span.set({"http.response.status_code": message["status"]})
                if message["status"] >= 500:
                    span.fail(str(message["status"]))
            await send(message)

        with tracing.request_span(scope["method"], scope["scheme"], Headers(scope=scope)) as span:
            try:
                await self._app(scope, receive, send_with_status)
            finally:
                if (route := scope.get("route")) is not None:
                    span.rename(f"{scope['method']} {route.path}")
                    span.set({"http.route": route.path})


def middleware(settings: Settings) -> list[Middleware]:
    """Return the middleware of the application, from the outermost to the innermost."""
    stack = [Middleware(TracingMiddleware)] if settings.tracing else []
    stack.append(Middleware(ResponseHeadersMiddleware))
    local_origins = None if settings.is_production else LOCAL_ORIGINS
    if settings.cors_origins or local_origins is not None:
        cors = Middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_origin_regex=local_origins,
            allow_methods=["GET", "POST"],
            allow_headers=[*REQUEST_HEADERS, *settings.cors_headers],
            expose_headers=RESPONSE_HEADERS,
            max_age=PREFLIGHT_SECONDS,
        )
        stack.append(cors)
    if settings.compression_min_bytes:
        stack.append(compression(settings.compression_min_bytes))
    # Starlette adds this one itself, but outermost: its responses to unexpected errors would lack the headers.
    stack.append(Middleware(ServerErrorMiddleware))
    return stack


def _request_id(headers: Headers) -> str:
    request_id = headers.get(REQUEST_ID_HEADER, "")
    return request_id if REQUEST_ID.fullmatch(request_id) else secrets.token_hex(16)
