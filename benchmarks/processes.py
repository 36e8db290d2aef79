"""Programs that the benchmark starts: free ports, waiting until they answer, stopping, and the CPU they spend."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
START_SECONDS = 30
STOP_SECONDS = 20
TICKS = os.sysconf("SC_CLK_TCK")


class BenchmarkError(Exception):
    """What keeps the benchmark from going on, in words for whoever runs it."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    command: Sequence[str], log: Path, port: int, environment: Mapping[str, str] | None = None
) -> Iterator[int]:
    """The process id of a program that accepts connections at this port; stopped at the end, come what may."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the benchmark alone, which then stops what it started
        )
    try:
        _wait_until_it_listens(process, port, log)
        yield process.pid
    finally:
        _stop(process)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, all its threads together, until now."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def stolen_seconds() -> float:
    """What the host of a virtual machine has given to others, of all processors together, until now."""
    return int(Path("/proc/stat").read_text().split(maxsplit=9)[8]) / TICKS


def last_words(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        if process.poll() is not None:
            raise BenchmarkError(f"{process.args!r} stopped at once:\n{last_words(log)}")
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        if time.monotonic() > deadline:
            raise BenchmarkError(f"{process.args!r} does not listen:\n{last_words(log)}")
        time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
