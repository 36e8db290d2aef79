"""Metrics of the processes that `lms-graphql serve` starts: their shared folder, and a port of their own."""

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import uvicorn
from starlette.applications import Starlette

from lms_graphql.core.database import Database
from lms_graphql.core.errors import OperatorError
from lms_graphql.metrics_endpoint import MetricsEndpoint
from lms_graphql.metrics_files import FOLDER_VARIABLE
from lms_graphql.settings import Settings


@contextmanager
def shared_metrics(settings: Settings, has_several_processes: bool) -> Iterator[None]:
    """Open `LMS_METRICS_PORT`. Processes that are started in this context store their metrics in one folder."""
    with ExitStack() as stack:
        folder = None
        if has_several_processes:
            folder = os.environ.get(FOLDER_VARIABLE) or _temporary_folder(stack)
            os.environ[FOLDER_VARIABLE] = folder
        if settings.metrics_port is not None:
            stack.enter_context(_metrics_port(settings, settings.metrics_port, folder))
        yield


def _temporary_folder(stack: ExitStack) -> str:
    """Create the folder for the metrics of several processes. Raise OperatorError if no folder is writable."""
    try:
        return stack.enter_context(tempfile.TemporaryDirectory("-metrics"))
    except OSError as error:
        raise OperatorError(
            f"Workers cannot store their metrics: {error.strerror}. "
            f"Make /tmp writable, or set {FOLDER_VARIABLE} to a writable, empty folder."
        ) from None


@contextmanager
def _metrics_port(settings: Settings, port: int, folder: str | None) -> Iterator[None]:
    """Serve the metrics on a port of their own, in a thread of this process."""
    database = Database(settings.url, pool_size=1, threads=1, mysql_reader=settings.mysql_reader)
    app = Starlette(routes=[MetricsEndpoint(settings, database, folder).route()])
    config = uvicorn.Config(app, settings.metrics_host, port, log_level="warning", access_log=False, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(2.0)
        database.dispose()
