"""One server under one workload for some seconds, and what the rounds come to."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import ceil
from statistics import median

from benchmarks.contestants import Server
from benchmarks.load import Load, press
from benchmarks.mariadb import MariaDB
from benchmarks.processes import cpu_seconds
from benchmarks.workloads import Workload


@dataclass(frozen=True)
class Round:
    """Times in milliseconds; what is spent is spent for one request."""

    requests: int
    rate: float
    """Requests a second."""
    p50: float
    p99: float
    cpu: float
    """User and system time of the server's process."""
    statements: float
    database_bytes: float
    database_cpu: float


def measure(server: Server, workload: Workload, database: MariaDB, load: Load) -> Round:
    if load.warm_up:
        press(server.port, workload.body, load.clients, load.warm_up)
    cpu_before, before = cpu_seconds(server.pid), database.work()
    seconds, waits = press(server.port, workload.body, load.clients, load.seconds)
    cpu_after, after = cpu_seconds(server.pid), database.work()
    requests = len(waits)
    return Round(
        requests=requests,
        rate=requests / seconds,
        p50=_percentile(waits, 50) * 1000,
        p99=_percentile(waits, 99) * 1000,
        cpu=(cpu_after - cpu_before) / requests * 1000,
        statements=(after.statements - before.statements) / requests,
        database_bytes=(after.bytes_sent - before.bytes_sent) / requests,
        database_cpu=(after.cpu - before.cpu) / requests * 1000,
    )


def middle(rounds: Sequence[Round]) -> Round:
    """The median of the rounds, number by number."""
    columns = zip(*(asdict(each).values() for each in rounds), strict=True)
    return Round(*map(median, columns))


def _percentile(waits: Sequence[float], percent: int) -> float:
    """Of sorted numbers, the smallest that so many percent do not exceed."""
    return waits[max(0, ceil(len(waits) * percent / 100) - 1)]
