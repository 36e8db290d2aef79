"""The command `benchmarks/fairness`: response times of a small query while others send large ones."""

import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from multiprocessing.queues import Queue
from pathlib import Path
from statistics import median
from typing import Any

import click
import orjson

from benchmarks.commands import run_command
from benchmarks.load import generate_load
from benchmarks.mariadb import private_database
from benchmarks.processes import BenchmarkError
from benchmarks.seed import fill
from benchmarks.servers import OURS, UNCACHED, RunningServer, ServerSpec, run_servers
from benchmarks.service import Connection
from benchmarks.workloads import TREE_SLUG, WORKLOADS

SMALL = "query ($slug: String!) { course(slug: $slug) { id title } }"
LARGE = next(workload for workload in WORKLOADS if workload.name == "lectures")
PAUSE_SECONDS = 0.02
"""Time between a response and the next small query."""
LEAD_SECONDS = 1.0
"""Time in which only the large queries run, before the first small one and after the last."""
SERVERS = (
    ServerSpec("ours", "this API, no tree cache", OURS, UNCACHED),
    ServerSpec("reference", "reference executor", OURS, {"LMS_EXECUTOR": "reference"}),
)


@dataclass(frozen=True)
class Round:
    """Response times of the small query in milliseconds, and large responses per second."""

    p50: float
    p90: float
    p99: float
    large_rate: float


def send_large_queries(port: int, clients: int, seconds: float, results: "Queue[float]") -> None:
    """Put the number of large responses per second into the queue. Runs in a process of its own."""
    duration, times = generate_load(port, LARGE.body, clients, seconds)
    results.put(len(times) / duration)


async def time_small_queries(port: int, seconds: float) -> list[float]:
    """Return the response times in milliseconds, in ascending order."""
    connection, times = Connection(port), list[float]()
    deadline = time.perf_counter() + seconds
    while (sent_at := time.perf_counter()) < deadline:
        status, body = await connection.send(SMALL, slug=TREE_SLUG)
        times.append((time.perf_counter() - sent_at) * 1000)
        if status != 200 or b'"errors"' in body:
            raise BenchmarkError(f"A small query failed with status {status}: {body.decode()[:200]}")
        await asyncio.sleep(PAUSE_SECONDS)
    connection.close()
    return sorted(times)


def measure(server: RunningServer, clients: int, seconds: float) -> Round:
    results: multiprocessing.Queue[float] = multiprocessing.Queue()
    arguments = (server.port, clients, seconds + 2 * LEAD_SECONDS, results)
    process = multiprocessing.Process(target=send_large_queries, args=arguments)
    process.start()
    time.sleep(LEAD_SECONDS)
    times = asyncio.run(time_small_queries(server.port, seconds))
    large_rate = results.get(timeout=seconds + 120)
    process.join()
    p50, p90, p99 = (times[int(part * len(times))] for part in (0.5, 0.9, 0.99))
    return Round(p50, p90, p99, large_rate)


def format_fairness(results: Mapping[str, Round]) -> str:
    """Return a line for each server, by its title. The ratio is that of its p50 to the p50 of the first."""
    first = next(iter(results.values()))
    lines = [f"{'':24}  p50 ms  p90 ms  p99 ms  × this API  large/s"]
    for title, result in results.items():
        times = "".join(f"{value:8.1f}" for value in (result.p50, result.p90, result.p99))
        lines.append(f"{title:24}{times}{result.p50 / first.p50:12.2f}{result.large_rate:9.1f}")
    return "\n".join(lines)


def median_round(rounds: Sequence[Round]) -> Round:
    return Round(*map(median, zip(*(asdict(measured).values() for measured in rounds), strict=True)))


@click.command()
@click.option("--clients", type=click.IntRange(1, 64), default=8, show_default=True, help="Clients of large queries.")
@click.option("--seconds", type=click.FloatRange(1, 60), default=6, show_default=True)
@click.option("--rounds", type=click.IntRange(1, 20), default=3, show_default=True)
@click.option("--before", type=click.Path(exists=True, file_okay=False), help="Working tree of another commit.")
@click.option("--json", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write the medians as JSON.")
def run(clients: int, seconds: float, rounds: int, before: str | None, file: Path | None) -> None:
    """Measure a small query beside clients of the workload `lectures`, with and without query plans."""
    specs = list(SERVERS)
    if before is not None:
        specs.append(ServerSpec("before", "other working tree", (*OURS, "--app-dir", before)))
    measured: dict[str, list[Round]] = {spec.title: [] for spec in specs}
    with tempfile.TemporaryDirectory(prefix="fairness-") as name, private_database(Path(name)) as database:
        fill(database)
        with run_servers(specs, database, Path(name)) as servers:
            for _ in range(rounds):
                for server in servers:
                    measured[server.spec.title].append(measure(server, clients, seconds))
    medians = {title: median_round(values) for title, values in measured.items()}
    print(format_fairness(medians), flush=True)
    if file is not None:
        results: dict[str, Any] = {title: asdict(value) for title, value in medians.items()}
        file.write_bytes(orjson.dumps(results, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    run_command(run, "benchmarks/fairness")
