"""Spans by the SDK of OpenTelemetry, sent by OTLP over HTTP. Needs the extra `tracing`.

The SDK reads its own variables: `OTEL_EXPORTER_OTLP_…`, `OTEL_SERVICE_NAME`, `OTEL_TRACES_SAMPLER` and others.
"""

import threading
from collections.abc import Mapping
from contextvars import Token
from types import TracebackType
from typing import Self

import structlog
from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract
from opentelemetry.propagators.textmap import DefaultGetter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode

from lms_graphql.core.tracing import Attributes

DEFAULT_SERVICE_NAME = "lms-graphql"
STOP_SECONDS = 3.0
"""Time for sending the last spans, so that a collector that does not answer does not delay the end of the process."""


class _TraceHeaders(DefaultGetter):
    """Access to the headers of a request, without baggage. No span has it, and the SDK logs it if it is malformed."""

    def get(self, carrier: Mapping[str, list[str] | str], key: str) -> list[str] | None:
        return None if key == "baggage" else super().get(carrier, key)


_HEADERS = _TraceHeaders()


class OpenTelemetrySpans:
    """Spans of this process, which a thread of the SDK sends in batches."""

    def __init__(self) -> None:
        self._exporter = OTLPSpanExporter()
        self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("lms_graphql")

    def root(self, name: str, attributes: Attributes, headers: Mapping[str, str] | None) -> "RootSpan":
        parent = Context() if headers is None else extract(headers, Context(), _HEADERS)
        kind = SpanKind.INTERNAL if headers is None else SpanKind.SERVER
        return RootSpan(self._tracer.start_span(name, parent, kind, attributes))

    def child(self, name: str, attributes: Attributes, is_outgoing: bool) -> "ActiveSpan | None":
        if not trace.get_current_span().is_recording():  # all samplers treat a child like its parent
            return None
        kind = SpanKind.CLIENT if is_outgoing else SpanKind.INTERNAL
        return ActiveSpan(self._tracer.start_span(name, None, kind, attributes))

    def current(self) -> "ActiveSpan | None":
        span = trace.get_current_span()
        return ActiveSpan(span) if span.is_recording() else None

    def stop(self) -> None:
        timer = threading.Timer(STOP_SECONDS, self._exporter.shutdown)
        timer.daemon = True
        timer.start()
        self._provider.shutdown()
        timer.cancel()


class ActiveSpan:
    """A span that ends with its `with` block. The SDK's own context managers would record messages of errors."""

    __slots__ = ("_span", "_token")

    def __init__(self, span: Span) -> None:
        self._span = span
        self._token: Token[Context] | None = None

    def __enter__(self) -> Self:
        self._token = attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._token is None:  # it has ended
            return
        detach(self._token)
        self._token = None
        if error_type is not None:
            self.fail(error_type.__name__)
        self._span.end()

    def set(self, attributes: Attributes) -> None:
        self._span.set_attributes(attributes)

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def fail(self, error_type: str) -> None:
        self._span.set_attribute("error.type", error_type)
        self._span.set_status(StatusCode.ERROR)


class RootSpan(ActiveSpan):
    """The first span of this process in a trace. All log lines inside it have the id of the trace."""

    __slots__ = ("_log_tokens",)

    def __enter__(self) -> Self:
        trace_id = trace.format_trace_id(self._span.get_span_context().trace_id)
        self._log_tokens = structlog.contextvars.bind_contextvars(trace_id=trace_id)
        return super().__enter__()

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        structlog.contextvars.reset_contextvars(**self._log_tokens)
        super().__exit__(error_type, error, traceback)


def _resource() -> Resource:
    """Return the description of the service, with a name if `OTEL_SERVICE_NAME` gives none."""
    resource = Resource.create()
    if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        return resource.merge(Resource({SERVICE_NAME: DEFAULT_SERVICE_NAME}))
    return resource
