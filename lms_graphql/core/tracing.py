"""Spans of OpenTelemetry. They are off until `start` is called, and then cost a function call each.

OpenTelemetry is an optional extra, so only `opentelemetry_spans` imports it. No attribute has a value of a client:
there are no variables, no parameters of statements, no paths, no messages of errors and no client IPs.
"""

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType, TracebackType
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

from sqlalchemy import Dialect, Engine, event

from lms_graphql.core.errors import OperatorError

SPANS_MODULE = "lms_graphql.core.opentelemetry_spans"
MAX_STATEMENT_LENGTH = 2_000
"""Longer texts are cut. They have lists of thousands of parameters."""
MAX_NAME_LENGTH = 100
HTTP_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
FAILURES = {"INTERNAL_ERROR", "TIMEOUT", "UNAVAILABLE"}
"""Error codes that make the span of a request an error. All others are results of the client's own request."""
_TARGET = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+[`\"]?(\w+)")

AttributeValue = str | int | list[str]
Attributes = Mapping[str, AttributeValue]


class Span(Protocol):
    """A span, which is current inside its `with` block. An exception that leaves the block makes it an error."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def set(self, attributes: Attributes) -> None: ...

    def rename(self, name: str) -> None: ...

    def fail(self, error_type: str) -> None: ...


class Spans(Protocol):
    """Where spans come from: the SDK of OpenTelemetry."""

    def root(self, name: str, attributes: Attributes, headers: Mapping[str, str] | None) -> Span:
        """Return a span that continues the trace of these headers or begins one."""

    def child(self, name: str, attributes: Attributes, is_outgoing: bool) -> Span | None:
        """Return a span in the current one; None if that is missing or not sampled."""

    def current(self) -> Span | None:
        """Return the current span; None if it is missing or not sampled."""

    def stop(self) -> None:
        """Send what is not sent yet."""


class _NoSpan:
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def set(self, attributes: Attributes) -> None:
        pass

    def rename(self, name: str) -> None:
        pass

    def fail(self, error_type: str) -> None:
        pass


NO_SPAN: Span = _NoSpan()


class _Process:
    spans: Spans | None = None


_process = _Process()


def require_package() -> ModuleType:
    """Import OpenTelemetry. Raise OperatorError if it is missing or rejects its variables."""
    try:
        return import_module(SPANS_MODULE)
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("opentelemetry"):
            raise
        message = "LMS_TRACING needs OpenTelemetry. Install it: pip install 'lms-graphql[tracing]'"
        raise OperatorError(message) from None
    except ValueError as error:
        raise _rejected_variables(error) from None


def start() -> None:
    """Begin to trace in this process. Raise OperatorError if OpenTelemetry is missing or its variables are wrong."""
    module = require_package()
    try:
        _process.spans = module.OpenTelemetrySpans()
    except ValueError as error:
        raise _rejected_variables(error) from None


def _rejected_variables(error: ValueError) -> OperatorError:
    return OperatorError(f"OpenTelemetry rejects a variable that begins with OTEL_: {error}")


def stop() -> None:
    """Send the spans that are not sent yet, and trace no more."""
    spans, _process.spans = _process.spans, None
    if spans is not None:
        spans.stop()


def request_span(method: str, scheme: str, headers: Mapping[str, str]) -> Span:
    """Return the span of a request, in the trace of its `traceparent`."""
    if (spans := _process.spans) is None:
        return NO_SPAN
    method = method if method in HTTP_METHODS else "_OTHER"
    return spans.root(method, {"http.request.method": method, "url.scheme": scheme}, headers)


def task_span(name: str) -> Span:
    """Return the span of background work, which begins a trace."""
    return NO_SPAN if (spans := _process.spans) is None else spans.root(name, {}, None)


def span(name: str) -> Span:
    return _child(name, {})


def operation_span(kind: str, name: str | None) -> Span:
    """Return the span of an operation's execution."""
    return NO_SPAN if _process.spans is None else _child(kind, _operation_attributes(kind, name))


def read_span(read: Callable[..., Any], keys: int) -> Span:
    """Return the span of a read for so many keys. Reads that are lambdas have none: what they call has its own."""
    if _process.spans is None:
        return NO_SPAN
    name = getattr(read, "__name__", type(read).__name__)
    return NO_SPAN if name == "<lambda>" else _child(name, {"lms.read.keys": keys})


def statement_span(text: str, dialect: Dialect) -> Span:
    """Return the span of an SQL statement. Its text has places for parameters, and not their values."""
    if _process.spans is None:
        return NO_SPAN
    system = "mariadb" if getattr(dialect, "is_mariadb", False) else dialect.name
    operation, target = text.split(None, 1)[0], _TARGET.search(text)
    summary = operation if target is None else f"{operation} {target[1]}"
    attributes = {"db.system.name": system, "db.query.summary": summary, "db.query.text": text[:MAX_STATEMENT_LENGTH]}
    return _child(summary, attributes, is_outgoing=True)


def call_span(name: str, url: str) -> Span:
    """Return the span of a call of the server of this URL. Only its host and port are recorded."""
    if _process.spans is None:
        return NO_SPAN
    server = urlsplit(url)
    attributes: dict[str, AttributeValue] = {"server.address": server.hostname or ""}
    if server.port is not None:
        attributes["server.port"] = server.port
    if name in HTTP_METHODS:
        attributes["http.request.method"] = name
    return _child(name, attributes, is_outgoing=True)


def record_operation(kind: str, name: str | None, error_codes: list[str]) -> None:
    """Add the operation and the codes of its errors to the current span, which is that of the request."""
    if (spans := _process.spans) is None or (current := spans.current()) is None:
        return
    current.set({**_operation_attributes(kind, name), "lms.error_codes": error_codes})
    for code in FAILURES.intersection(error_codes):
        current.fail(code)


def install(engine: Engine) -> None:
    """Trace the statements of this engine, if tracing is on."""
    if _process.spans is None:
        return

    @event.listens_for(engine, "before_cursor_execute")
    def begin(connection: Any, cursor: Any, text: str, parameters: Any, context: Any, is_many: bool) -> None:
        context.lms_span = statement_span(text, engine.dialect)
        context.lms_span.__enter__()

    @event.listens_for(engine, "after_cursor_execute")
    def end(connection: Any, cursor: Any, text: str, parameters: Any, context: Any, is_many: bool) -> None:
        context.lms_span.__exit__(None, None, None)

    @event.listens_for(engine, "handle_error")
    def fail(failure: Any) -> None:
        span = getattr(failure.execution_context, "lms_span", NO_SPAN)
        error = failure.original_exception
        span.__exit__(type(error), error, None)


def _child(name: str, attributes: Attributes, is_outgoing: bool = False) -> Span:
    spans = _process.spans
    found = None if spans is None else spans.child(name, attributes, is_outgoing)
    return NO_SPAN if found is None else found


def _operation_attributes(kind: str, name: str | None) -> dict[str, AttributeValue]:
    attributes: dict[str, AttributeValue] = {"graphql.operation.type": kind}
    if name is not None:
        attributes["graphql.operation.name"] = name[:MAX_NAME_LENGTH]
    return attributes
