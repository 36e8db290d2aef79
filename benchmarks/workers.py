"""The command `benchmarks/workers`: throughput of one and of two workers, and memory over many requests."""

import os
import tempfile
import time
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import NamedTuple

import click
import orjson

from benchmarks.commands import run_command
from benchmarks.load import generate_load
from benchmarks.mariadb import BenchmarkDatabase, private_database
from benchmarks.processes import START_SECONDS, BenchmarkError, cpu_seconds, stolen_seconds
from benchmarks.seed import fill
from benchmarks.service import run_service
from benchmarks.workloads import TREE_SLUG, WORKLOADS
from tests.mariadb import free_port

CLIENTS = 16
WARM_UP_SECONDS = 2
SEGMENT_SECONDS = 5
"""Time for which the clients send the same request, while memory is measured."""
TREE = WORKLOADS[0]
SMALL = orjson.dumps({"query": f'query Title {{ course(slug: "{TREE_SLUG}") {{ id title }} }}'})
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
SETTINGS = {
    # Other load on the machine would turn responses into 503 and 504.
    "LMS_LIMIT_QUEUE_MILLISECONDS": "60000",
    "LMS_LIMIT_SECONDS": "120",
}


class WorkerRound(NamedTuple):
    """Requests per second, and CPU time of all workers for a request in milliseconds."""

    rate: float
    cpu: float


@click.command()
@click.option("--seconds", type=click.FloatRange(1, 60), default=8, show_default=True, help="Time of a round.")
@click.option("--rounds", type=click.IntRange(1, 20), default=3, show_default=True)
@click.option("--requests", type=click.IntRange(1_000), default=100_000, show_default=True, help="For memory.")
@click.option("--only", type=click.Choice(["scaling", "memory"]))
def run(seconds: float, rounds: int, requests: int, only: str | None) -> None:
    """Measure one and two workers of this API, and the memory of one process over many requests."""
    with tempfile.TemporaryDirectory(prefix="workers-") as name, private_database(Path(name)) as database:
        fill(database)
        if only != "memory":
            _compare_workers(database, Path(name), seconds, rounds)
        if only != "scaling":
            _watch_memory(database, Path(name), requests)


def _compare_workers(database: BenchmarkDatabase, folder: Path, seconds: float, rounds: int) -> None:
    """Print the rounds of one and of two workers, which take turns, and the medians of their ratios."""
    ports = {1: free_port(), 2: free_port()}
    one, two = (run_service(database.url, folder, ports[number], number, **SETTINGS) for number in ports)
    with one as first, two as second:
        _wait_for_listeners(ports[2], 2)
        pids = {1: [first], 2: _children(second)}
        results: dict[int, list[WorkerRound]] = {number: [] for number in ports}
        for _ in range(rounds):
            for number, port in ports.items():
                results[number].append(_measure(port, pids[number], seconds))
                print(f"{number} worker(s): {results[number][-1].rate:6.0f} requests/s, ", end="")
                print(f"CPU {results[number][-1].cpu:.2f} ms a request", flush=True)
    rate = median(result.rate for result in results[2]) / median(result.rate for result in results[1])
    cpu = median(result.cpu for result in results[1]) / median(result.cpu for result in results[2])
    print(
        f"two workers / one worker: {rate:.2f} × by requests/s, {2 * cpu:.2f} × by CPU time, if both cores are free"
    )


def _measure(port: int, pids: list[int], seconds: float) -> WorkerRound:
    generate_load(port, TREE.body, CLIENTS, WARM_UP_SECONDS)
    before = sum(map(cpu_seconds, pids))
    duration, times = generate_load(port, TREE.body, CLIENTS, seconds)
    cpu = sum(map(cpu_seconds, pids)) - before
    return WorkerRound(len(times) / duration, cpu / len(times) * 1000)


def _watch_memory(database: BenchmarkDatabase, folder: Path, requests: int) -> None:
    """Print the memory of one process after each tenth of the requests. Each fifth segment sends course trees."""
    port, stolen = free_port(), stolen_seconds()
    with run_service(database.url, folder, port, **SETTINGS) as pid:
        print(f"memory after the start: {_memory_megabytes(pid):.1f} MB", flush=True)
        sent, next_line, bodies = 0, requests // 10, cycle((TREE.body, *[SMALL] * 4))
        while sent < requests:
            sent += len(generate_load(port, next(bodies), CLIENTS, SEGMENT_SECONDS)[1])
            if sent >= next_line:
                print(f"memory after {sent:7,} requests: {_memory_megabytes(pid):.1f} MB", flush=True)
                next_line += requests // 10
    print(f"stolen by the host: {stolen_seconds() - stolen:.0f} s")


def _wait_for_listeners(port: int, number: int) -> None:
    """Wait until this number of workers listens on the port, each on a socket of its own."""
    address, listening = f":{port:04X}", "0A"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
        if sum(fields[1].endswith(address) and fields[3] == listening for fields in sockets) == number:
            return
        time.sleep(0.05)
    raise BenchmarkError("A worker does not start.")


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _memory_megabytes(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES / 1_000_000


if __name__ == "__main__":
    run_command(run, "benchmarks/workers")
