"""`GET /metrics`: the metrics of all processes of this host, for Prometheus."""

import asyncio
import os
from collections.abc import Callable, Iterator
from hmac import compare_digest
from pathlib import Path
from typing import NamedTuple

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from lms_graphql.core import clock
from lms_graphql.core.database import Database
from lms_graphql.mail.outbox_status import waiting_mails
from lms_graphql.metrics_files import FOLDER_VARIABLE, shared_registry
from lms_graphql.settings import Settings

PATH = "/metrics"
DATABASE_TIMEOUT_SECONDS = 2.0


class DatabaseMetrics(NamedTuple):
    """Metrics that are read from the database. Without `outbox`, it does not answer."""

    outbox: tuple[int, float] | None
    """Number of mails that wait, and the age of the oldest in seconds."""

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("lms_database_up", "Whether the database answers.", value=self.outbox is not None)
        if self.outbox is not None:
            waiting, seconds = self.outbox
            yield GaugeMetricFamily("lms_outbox_mails", "Mails that wait in the outbox.", value=waiting)
            yield GaugeMetricFamily("lms_outbox_oldest_seconds", "Age of the oldest mail that waits.", value=seconds)


class MetricsEndpoint:
    """The endpoint. With `LMS_METRICS_TOKEN` set, it needs this bearer token."""

    def __init__(self, settings: Settings, database: Database, folder: str | None = None) -> None:
        self._token = settings.metrics_token
        self._database = database
        self._folder = folder or os.environ.get(FOLDER_VARIABLE)

    def route(self) -> Route:
        return Route(PATH, self.handle, methods=["GET"])

    async def handle(self, request: Request) -> Response:
        if self._token is not None and not self._is_authorized(request):
            headers = {"www-authenticate": "Bearer"}
            return PlainTextResponse("Send the token of LMS_METRICS_TOKEN as a bearer token.\n", 401, headers)
        encode, content_type = _encoder(request.headers.get("accept", ""))
        database_metrics = await self._database_metrics()
        # In a thread, because it reads the files of all processes.
        body = await asyncio.to_thread(self._body, encode, database_metrics)
        return Response(body, headers={"content-type": content_type, "cache-control": "no-store"})

    def _is_authorized(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and compare_digest(token.strip().encode(), (self._token or "").encode())

    async def _database_metrics(self) -> DatabaseMetrics:
        try:
            async with asyncio.timeout(DATABASE_TIMEOUT_SECONDS):
                waiting, oldest = await self._database.probe(waiting_mails)
        except (SQLAlchemyError, TimeoutError):
            return DatabaseMetrics(None)
        return DatabaseMetrics((waiting, 0.0 if oldest is None else (clock.now() - oldest).total_seconds()))

    def _body(self, encode: Callable[[Collector], bytes], database_metrics: DatabaseMetrics) -> bytes:
        """Return these metrics and those of this process, or of all processes if they store them in a folder."""
        if self._folder is not None:
            with shared_registry(Path(self._folder), database_metrics) as registry:
                return encode(registry)
        registry = CollectorRegistry()
        registry.register(database_metrics)
        registry.register(REGISTRY)
        return encode(registry)


def _encoder(accept: str) -> tuple[Callable[[Collector], bytes], str]:
    """Return the encoder that the header chooses, and its media type. A malformed header chooses plain text."""
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError):  # a version that is no number
        return choose_encoder("")
