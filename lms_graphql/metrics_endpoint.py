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
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from lms_graphql.core import clock
from lms_graphql.core.database import Database
from lms_graphql.mail.outbox_status import waiting_mails
from lms_graphql.settings import Settings

PATH = "/metrics"
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Variable of prometheus-client: the folder in which several processes store their values."""
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
        body = await asyncio.to_thread(lambda: encode(self._registry(database_metrics)))
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

    def _registry(self, database_metrics: DatabaseMetrics) -> CollectorRegistry:
        """Return these metrics and those of this process, or of all processes if they store them in a folder."""
        registry = CollectorRegistry()
        registry.register(database_metrics)
        if self._folder is None:
            registry.register(REGISTRY)
        else:
            _forget_dead_processes(Path(self._folder))
            MultiProcessCollector(registry, self._folder)  # type: ignore[no-untyped-call]
        return registry


def _encoder(accept: str) -> tuple[Callable[[Collector], bytes], str]:
    """Return the encoder that the header chooses, and its media type. A malformed header chooses plain text."""
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError):  # a version that is no number
        return choose_encoder("")


def _forget_dead_processes(folder: Path) -> None:
    """Remove gauges of processes that have ended, such as their requests in flight. Counters stay in the sums."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        if not _is_alive(pid):
            mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
