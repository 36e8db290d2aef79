"""The command `benchmarks/profile`: profile of a request, from parsing its body to the bytes of the response."""

import asyncio
import cProfile
import logging
import pstats
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import structlog
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.types import Message, Scope

from benchmarks.commands import NameList, run_command
from benchmarks.mariadb import private_database
from benchmarks.processes import BenchmarkError
from benchmarks.seed import fill
from benchmarks.workloads import WORKLOADS, Workload
from lms_graphql import settings
from lms_graphql.app import create_app
from lms_graphql.core.database import Database

T = TypeVar("T")

WARM_UP = 20
HEADERS = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json"), (b"accept", b"application/json")]


@click.command()
@click.option("--workload", type=NameList(WORKLOADS), default="tree", show_default=True)
@click.option("--requests", type=click.IntRange(1, 100_000), default=200, show_default=True)
@click.option("--sort", type=click.Choice(["tottime", "cumulative"]), default="tottime", show_default=True)
@click.option("--lines", type=click.IntRange(1, 1000), default=40, show_default=True)
def run(workload: tuple[Workload, ...], requests: int, sort: str, lines: int) -> None:
    """Profile requests to this API inside one process and thread, without HTTP."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name, private_database(Path(name)) as database:
        fill(database)
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
        app = create_app(settings.load_settings({"LMS_DATABASE_URL": database.url}))
        for selected_workload in workload:
            asyncio.run(_profile(app, selected_workload, requests, sort, lines))
        app.state.resources.database.dispose()


async def _profile(app: Starlette, workload: Workload, requests: int, sort: str, lines: int) -> None:
    _read_in_this_thread(app.state.resources.database)
    for _ in range(WARM_UP):
        await _send(app, workload)
    started = time.perf_counter()
    for _ in range(requests):
        await _send(app, workload)
    milliseconds = (time.perf_counter() - started) / requests * 1000
    profile = cProfile.Profile()
    with profile:
        for _ in range(requests):
            await _send(app, workload)
    print(f"\n{workload.title}\n{milliseconds:.2f} ms a request without the profiler\n")
    pstats.Stats(profile).strip_dirs().sort_stats(sort).print_stats(lines)


def _read_in_this_thread(database: Database) -> None:
    """Make the database read in the event loop's thread, because the profiler sees only one thread."""

    async def read(work: Callable[[Session], T], *, is_large: bool = False, is_causal: bool = True) -> T:
        return database.read_sync(work, is_causal=is_causal)

    database.read = read  # type: ignore[method-assign]


async def _send(app: Starlette, workload: Workload) -> None:
    scope: Scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/graphql",
        "query_string": b"",
        "headers": [*HEADERS, (b"content-length", b"%d" % len(workload.body))],
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": workload.body}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    if sent[0]["status"] != 200:
        raise BenchmarkError(f"The service does not answer the workload {workload.name}: {sent[1]['body'][:1000]!r}")


if __name__ == "__main__":
    run_command(run, "benchmarks/profile")
