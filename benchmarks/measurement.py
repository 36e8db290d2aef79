"""Measurement of one server with one workload, and the median of several rounds."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import ceil
from statistics import median

from benchmarks.load import Load, generate_load
from benchmarks.mariadb import BenchmarkDatabase
from benchmarks.processes import cpu_seconds
from benchmarks.servers import RunningServer
from benchmarks.workloads import Workload


@dataclass(frozen=True)
class Round:
    """Result of one round. Times are in milliseconds. CPU times, statements and bytes are those of one request."""

    requests: int
    rate: float
    """Requests per second."""
    p50: float
    p99: float
    cpu: float
    """User and system time of the server's process."""
    statements: float
    database_bytes: float
    database_cpu: float


def measure(server: RunningServer, workload: Workload, database: BenchmarkDatabase, load: Load) -> Round:
    if load.warm_up:
        generate_load(server.port, workload.body, load.clients, load.warm_up)
    cpu_before, before = cpu_seconds(server.pid), database.work()
    seconds, response_times = generate_load(server.port, workload.body, load.clients, load.seconds)
    cpu_after, after = cpu_seconds(server.pid), database.work()
    requests = len(response_times)
    return Round(
        requests=requests,
        rate=requests / seconds,
        p50=_percentile(response_times, 50) * 1000,
        p99=_percentile(response_times, 99) * 1000,
        cpu=(cpu_after - cpu_before) / requests * 1000,
        statements=(after.statements - before.statements) / requests,
        database_bytes=(after.bytes_sent - before.bytes_sent) / requests,
        database_cpu=(after.cpu - before.cpu) / requests * 1000,
    )


def median_round(rounds: Sequence[Round]) -> Round:
    """Return the median of each number of the rounds."""
    columns = zip(*(asdict(measured_round).values() for measured_round in rounds), strict=True)
    return Round(*map(median, columns))


def _percentile(response_times: Sequence[float], percent: int) -> float:
    """Return the smallest of the sorted times that is not exceeded by this percentage of them."""
    return response_times[max(0, ceil(len(response_times) * percent / 100) - 1)]
