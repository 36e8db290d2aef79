"""The command `benchmarks/size`: statements and response times of operations with a small and a large database."""

import asyncio
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

import click
import orjson

from benchmarks.commands import run_command
from benchmarks.growth import SERVICE_SETTINGS, fill, prepare_operations, send
from benchmarks.growth_operations import Operation
from benchmarks.service import Connection, run_service
from tests.mariadb import free_port, private_server

SERVER_OPTIONS = ("--innodb-buffer-pool-size=2G", "--innodb-log-file-size=1G")
MAX_RATIO = 1.3
"""An operation is flat if its p99 in the large database is at most so many times that in the small one."""


class Size(NamedTuple):
    """A size of the database. A course has about 100 lectures."""

    courses: int
    enrollments: int


SIZES = (Size(100, 10_000), Size(10_000, 1_000_000))


class Measured(NamedTuple):
    """A round of an operation: SQL statements of a request, and percentiles of its response times in milliseconds."""

    statements: int
    p50: float
    p99: float


class Comparison(NamedTuple):
    """The medians of all rounds in the small and in the large database, and that of the ratios of their p99."""

    small: Measured
    large: Measured
    ratio: float


class MeasuredService:
    """A service on one database, with a connection for each of the users of its operations."""

    def __init__(self, port: int, log: Path, operations: Sequence[Operation], tokens: Mapping[int, str]) -> None:
        self.operations = {operation.name: operation for operation in operations}
        self._log = log
        self._connections = {key: Connection(port, tokens.get(key or 0)) for key in (None, *tokens)}
        self._seconds: list[float] = []

    async def send(self, name: str) -> None:
        operation = self.operations[name]
        started = time.perf_counter()
        await send(self._connections[operation.user_key], operation)
        self._seconds.append(time.perf_counter() - started)

    def take_measured(self) -> Measured:
        """Return what was measured since the last call. Statements are those that the service has logged last."""
        seconds, self._seconds = self._seconds, []
        percentiles = quantiles(seconds, n=100, method="inclusive")
        return Measured(self._logged_statements(), percentiles[49] * 1000, percentiles[98] * 1000)

    def _logged_statements(self) -> int:
        lines = self._log.read_bytes().splitlines()
        logged = next(line for line in reversed(lines) if b'"event":"operation"' in line)
        return int(orjson.loads(logged)["statements"])


async def measure(services: Sequence[MeasuredService], requests: int, rounds: int) -> dict[str, Comparison]:
    """Return the comparison of each operation, and print it as a row of a table.

    The services take turns at each request, so that a slower phase of the machine affects both.
    """
    comparisons = {}
    for name in services[0].operations:
        for service in (*services, *services):  # plans, statements and pages of the database become warm
            await service.send(name)
        for service in services:
            service.take_measured()
        measured = []
        for _ in range(rounds):
            for _ in range(requests):
                for service in services:
                    await service.send(name)
            measured.append([service.take_measured() for service in services])
        comparisons[name] = compare(measured)
        print(format_row(name, comparisons[name]), flush=True)
    return comparisons


def compare(rounds: Sequence[Sequence[Measured]]) -> Comparison:
    small, large = (Measured(*map(median, zip(*values, strict=True))) for values in zip(*rounds, strict=True))
    return Comparison(small, large, median(of_large.p99 / of_small.p99 for of_small, of_large in rounds))


def format_row(name: str, comparison: Comparison) -> str:
    """Return a row of a table in Markdown."""
    small, large, ratio = comparison
    is_equal = small.statements == large.statements
    statements = f"{small.statements:.0f}" if is_equal else f"**{small.statements:.0f} → {large.statements:.0f}**"
    times = f"{small.p50:.0f}, {small.p99:.0f} | {large.p50:.0f}, {large.p99:.0f}"
    return f"| {name} | {statements} | {times} | {ratio:.1f}{'' if ratio <= MAX_RATIO else ' **grows**'} |"


@contextmanager
def run_services(urls: Sequence[str], folder: Path) -> Iterator[list[MeasuredService]]:
    """Run a service on each of these databases."""
    with ExitStack() as stack:
        services = []
        for number, url in enumerate(urls):
            operations, tokens = prepare_operations(url)
            port, own_folder = free_port(), folder / str(number)
            own_folder.mkdir()
            stack.enter_context(run_service(url, own_folder, port, **SERVICE_SETTINGS))
            services.append(MeasuredService(port, own_folder / "serve-1.log", operations, tokens))
        yield services


@click.command()
@click.option(
    "--requests", type=click.IntRange(10, 100_000), default=100, show_default=True, help="Requests a round."
)
@click.option("--rounds", type=click.IntRange(1, 100), default=5, show_default=True)
def run(requests: int, rounds: int) -> None:
    """Measure each list, search and dashboard on MariaDB with about 10,000 and 1,000,000 lectures and enrollments."""
    with tempfile.TemporaryDirectory(prefix="size-") as name, private_server(Path(name), *SERVER_OPTIONS) as server:
        urls = [server.new_database(f"lms_{size.courses}") for size in SIZES]
        for url, size in zip(urls, SIZES, strict=True):
            print(f"{size.courses:,} courses, {size.enrollments:,} enrollments …", flush=True)
            fill(url, *size)
        print("| operation | statements | p50, p99 small | p50, p99 large | ratio of p99 |\n|---|---|---|---|---|")
        with run_services(urls, Path(name)) as services:
            asyncio.run(measure(services, requests, rounds))


if __name__ == "__main__":
    run_command(run, "benchmarks/size")
