"""Files in which the processes of a host store their metrics, so that each process can report their sums.

This is the only module that uses an undocumented part of prometheus-client; `docs/architecture.md` lists it.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Variable of prometheus-client: the folder in which several processes store their values."""
ENDED_PROCESSES = 0
"""Stands for the id of a process in the names of the files that have the values of all ended processes."""


@contextlib.contextmanager
def shared_registry(folder: Path, *collectors: Collector) -> Iterator[CollectorRegistry]:
    """Yield a registry with the metrics of all processes, and those of the collectors.

    Files of ended processes are merged first. One process at a time does that and reads. A reader of files that
    another one merges would miss values, or count them twice.
    """
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _merge_ended_processes(folder)
        registry = CollectorRegistry()
        for collector in collectors:
            registry.register(collector)
        MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
        yield registry


def _merge_ended_processes(folder: Path) -> None:
    """Remove the files of processes that have ended. Their counters stay in the sums, in one file of each kind."""
    for file in sorted(folder.glob("*_*.db")):
        kind, _, pid = file.stem.rpartition("_")
        if int(pid) == ENDED_PROCESSES or _is_alive(int(pid)):
            continue
        if not kind.startswith("gauge_live"):  # such as requests in flight, of which an ended process has none
            _merge(file, folder / f"{kind}_{ENDED_PROCESSES}.db", is_maximum=kind == "gauge_max")
        file.unlink()


def _merge(file: Path, target: Path, *, is_maximum: bool) -> None:
    """Add the values of a file to those of another one. For gauges whose greatest value counts, take that."""
    merged = MmapedDict(str(target))  # type: ignore[no-untyped-call]
    for key, value, timestamp, _ in _values(file):
        previous, _ = merged.read_value(key)  # type: ignore[no-untyped-call]
        new = max(previous, value) if is_maximum else previous + value
        merged.write_value(key, new, timestamp)  # type: ignore[no-untyped-call]
    merged.close()  # type: ignore[no-untyped-call]


def _values(file: Path) -> Iterator[tuple[str, float, float, int]]:
    """Yield key, value, timestamp and position of each value. A process that died early left an empty file."""
    if file.stat().st_size:
        yield from MmapedDict.read_all_values_from_file(str(file))  # type: ignore[no-untyped-call]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
