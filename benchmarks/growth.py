"""The command `benchmarks/growth`: what each operation costs the database with a small and with a large catalog."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import click
import orjson
from sqlalchemy.orm import Session

from benchmarks.commands import run_command
from benchmarks.growth_operations import Operation, growth_operations
from benchmarks.processes import ROOT, BenchmarkError, cpu_seconds
from benchmarks.service import Connection, auth_context, new_database, run_service
from lms_graphql.accounts.models import User
from lms_graphql.accounts.services.sessions import create_session
from lms_graphql.core.database import Database
from tests.mariadb import free_port

LEARNERS = 200
MAX_RATIO = 1.5
MAX_GROWTH_MILLISECONDS = 2.0
"""An operation is flat if a large catalog costs at most `MAX_RATIO` times a small one, or so much more."""
MEASURED_SECONDS = 1.5
"""Time of one measurement. The kernel counts CPU time in steps of 10 ms."""
SERVICE_SETTINGS = {"LMS_LIMIT_SECONDS": "60", "LMS_LIMIT_QUEUE_MILLISECONDS": "10000"}


class Cost(NamedTuple):
    """Cost of one request in milliseconds: CPU time of MariaDB (0 for SQLite) and of the service, and wall time."""

    database: float
    service: float
    wall: float


def fill(url: str, courses: int, enrollments: int = 0) -> None:
    """Migrate the database, and fill it with the demo's courses and so many enrollments without progress."""
    environment = {**os.environ, "LMS_DATABASE_URL": url, "LMS_SEED_PASSWORD": "a password of the benchmark"}
    sizes = {"--courses": courses, "--learners": LEARNERS, "--enrollments": enrollments}
    options = [text for option, size in sizes.items() for text in (option, str(size))]
    for command in (("db", "init"), ("db", "demo", *options)):
        arguments = (sys.executable, "-m", "lms_graphql", *command)
        result = subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if result.returncode:
            raise BenchmarkError(f"`{' '.join(command)}` failed:\n{result.stderr}")


def measure_all(url: str, folder: Path, server: int | None, rounds: int) -> dict[str, Cost]:
    """Run the service on this database. Return the median cost of each operation, by its name."""
    operations, tokens = prepare_operations(url)
    port = free_port()
    with run_service(url, folder, port, **SERVICE_SETTINGS) as pid:
        return asyncio.run(_measure_all(port, operations, tokens, pid, server, rounds))


def prepare_operations(url: str) -> tuple[list[Operation], Mapping[int, str]]:
    """Return the operations for this database, and the access tokens of their users by key."""
    database = Database(url)

    def prepare(session: Session) -> tuple[list[Operation], Mapping[int, str]]:
        operations = list(growth_operations(session))
        keys = {operation.user_key for operation in operations if operation.user_key is not None}
        users = [session.get_one(User, key) for key in keys]
        auth = auth_context(url)
        tokens = {user.id: create_session(session, auth, user.id, user.role).access_token for user in users}
        return operations, tokens

    prepared = database.write_sync(prepare)
    database.dispose()
    return prepared


async def _measure_all(
    port: int,
    operations: Sequence[Operation],
    tokens: Mapping[int, str],
    pid: int,
    server: int | None,
    rounds: int,
) -> dict[str, Cost]:
    costs: dict[str, Cost] = {}
    for operation in operations:
        connection = Connection(port, tokens.get(operation.user_key or 0))
        await send(connection, operation)
        measured = [await _measure(connection, operation, pid, server) for _ in range(rounds)]
        costs[operation.name] = Cost(*map(median, zip(*measured, strict=True)))
        connection.close()
    return costs


async def _measure(connection: Connection, operation: Operation, pid: int, server: int | None) -> Cost:
    started, requests = time.perf_counter(), 0
    service_before, database_before = cpu_seconds(pid), cpu_seconds(server) if server else 0.0
    while time.perf_counter() - started < MEASURED_SECONDS:
        await send(connection, operation)
        requests += 1
    wall = time.perf_counter() - started
    database = cpu_seconds(server) - database_before if server else 0.0
    used = (database, cpu_seconds(pid) - service_before, wall)
    return Cost(*(seconds / requests * 1000 for seconds in used))


async def send(connection: Connection, operation: Operation) -> None:
    """Send the operation. Raise BenchmarkError if the response has errors."""
    status, body = await connection.send(operation.document, **operation.variables)
    if status != 200 or "errors" in orjson.loads(body):
        raise BenchmarkError(f"{operation.name} failed with status {status}: {body.decode()[:300]}")


def format_growth(costs: Mapping[int, Mapping[str, Cost]], kind: str) -> str:
    """Return a table of the operations: their cost for each number of courses, and whether they are flat."""
    column = "database" if kind == "mariadb" else "wall"
    small, *_, large = sorted(costs)
    lines = [f"{'':44}" + "".join(f"{count:>12,}" for count in sorted(costs)) + "   ratio"]
    for name, cost in costs[small].items():
        values = [getattr(costs[count][name], column) for count in sorted(costs)]
        first, last = getattr(cost, column), getattr(costs[large][name], column)
        is_flat = last <= first * MAX_RATIO or last - first <= MAX_GROWTH_MILLISECONDS
        ratio = f"{last / max(first, 0.01):8.1f}{'' if is_flat else '  grows'}"
        lines.append(f"{name:44}" + "".join(f"{value:12.2f}" for value in values) + ratio)
    return "\n".join(lines)


@click.command()
@click.option("--database", type=click.Choice(("mariadb", "sqlite")), multiple=True, default=("mariadb", "sqlite"))
@click.option("--courses", type=click.IntRange(10, 100_000), multiple=True, default=(100, 10_000), show_default=True)
@click.option("--rounds", type=click.IntRange(1, 20), default=3, show_default=True)
def run(database: tuple[str, ...], courses: tuple[int, ...], rounds: int) -> None:
    """Measure each list, search and dashboard with catalogs of several sizes (100 lectures a course).

    MariaDB's column is its CPU time for one request, SQLite's the response time, in milliseconds.
    """
    for kind in database:
        costs: dict[int, dict[str, Cost]] = {}
        for count in sorted(courses):
            print(f"{kind}: {count:,} courses …", flush=True)
            with (
                tempfile.TemporaryDirectory(prefix="growth-") as name,
                new_database(kind, Path(name)) as (url, server),
            ):
                fill(url, count)
                costs[count] = measure_all(url, Path(name), server, rounds)
        print(f"\n{kind}\n{format_growth(costs, kind)}\n", flush=True)


if __name__ == "__main__":
    run_command(run, "benchmarks/growth")
