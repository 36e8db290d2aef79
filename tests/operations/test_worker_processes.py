"""`serve --workers`: connections are spread, and no request fails when a process is replaced."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from uvicorn.supervisors.multiprocess import Multiprocess

from lms_graphql.operations import migrations
from lms_graphql.worker_processes import WorkerSupervisor
from tests.processes import SECRET, ServiceProcess
from tests.steady_load import SteadyLoad

pytestmark = pytest.mark.slow

REQUEST = b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n"
ESTABLISHED, LISTENING = "01", "0A"
"""States of sockets in /proc/net/tcp."""
SECONDS = 60


class Workers:
    """The workers of a service. There are two."""

    def __init__(self, service: ServiceProcess, folder: Path) -> None:
        self._service = service
        self.folder = folder

    def replace_all(self, previous: list[int]) -> None:
        """Replace the workers, and wait until these have ended.

        The supervisor stops replacing them if a new one does not start within 30 seconds. On a busy machine that
        happens, so it is asked again.
        """
        deadline, asked = time.monotonic() + 3 * SECONDS, 0
        while set(self.pids) & set(previous) or len(self.pids) != 2:
            assert time.monotonic() < deadline, self._service.output
            if asked <= self._service.output.count("aborting the restart"):
                os.kill(self._service.pid, signal.SIGHUP)
                asked += 1
            time.sleep(0.2)
        self.wait_until_ended(previous)

    @property
    def pids(self) -> list[int]:
        """The workers that listen."""
        parent = self._service.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return [int(child) for child in children if self._sockets(int(child), LISTENING)]

    def wait_until_all_listen(self, *, without: tuple[int, ...] = ()) -> list[int]:
        """Wait for two workers, none of which is one of these. Return their process ids."""
        deadline = time.monotonic() + SECONDS
        while len(pids := self.pids) != 2 or set(pids) & set(without):
            assert time.monotonic() < deadline, self._service.output
            time.sleep(0.05)
        return pids

    def wait_until_ended(self, pids: list[int]) -> None:
        deadline = time.monotonic() + SECONDS
        while any(Path(f"/proc/{pid}/cmdline").is_file() for pid in pids):
            assert time.monotonic() < deadline, self._service.output
            time.sleep(0.05)

    @property
    def supervisor(self) -> int:
        return self._service.pid

    @property
    def port(self) -> int:
        return self._service.port

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._service.port), SECONDS)

    def connections(self, pid: int) -> int:
        """Return the number of connections that the worker has accepted."""
        return len(self._sockets(pid, ESTABLISHED))

    def _sockets(self, pid: int, state: str) -> set[str]:
        """Return the sockets of the process that have the service's port and this state."""
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        address = f"0100007F:{self._service.port:04X}"
        sockets = {f"socket:[{line[9]}]" for line in lines if line[1] == address and line[3] == state}
        try:
            files = {os.readlink(file) for file in Path(f"/proc/{pid}/fd").iterdir()}
        except OSError:  # the process has ended, or has closed a file
            return set()
        return sockets & files


def statuses_of_next_responses(connections: list[socket.socket]) -> set[bytes]:
    """Send a request on each connection before the first response is awaited: a silent connection is closed."""
    for connection in connections:
        connection.sendall(REQUEST)
    return {connection.recv(65536).split(b"\r\n", 1)[0] for connection in connections}


def environment(folder: Path) -> dict[str, str]:
    database = {"LMS_DATABASE_URL": f"sqlite:///{folder}/lms.db", "LMS_SECRET_KEY": SECRET}
    return {**database, "LMS_DRAIN_SECONDS": "1"}


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    folder = tmp_path_factory.mktemp("workers")
    engine = create_engine(environment(folder)["LMS_DATABASE_URL"])
    migrations.migrate(engine)
    engine.dispose()
    service = ServiceProcess(folder, environment(folder), "--workers", "2")
    try:
        yield Workers(service, folder)
    finally:
        service.stop()


@pytest.fixture
def other(workers: Workers) -> Iterator[ServiceProcess]:
    """Run a service of one process on the database of the workers."""
    service = ServiceProcess(workers.folder, environment(workers.folder))
    try:
        service.wait_until_it_serves()
        yield service
    finally:
        service.stop()


def test_connections_are_spread_over_workers(workers: Workers) -> None:
    first, second = workers.wait_until_all_listen()
    for pid in (first, second):
        os.kill(pid, signal.SIGSTOP)
    connections = [workers.connect() for _ in range(48)]
    os.kill(first, signal.SIGCONT)
    time.sleep(0.3)  # the worker that wakes first would take all, if both accepted from one socket
    os.kill(second, signal.SIGCONT)
    assert statuses_of_next_responses(connections) == {b"HTTP/1.1 200 OK"}
    # A worker gets fewer than 6 of 48 only once in 70 million runs, because the kernel draws for each connection.
    assert min(workers.connections(first), workers.connections(second)) >= 6
    for connection in connections:
        connection.close()


def test_connections_wait_for_the_successor_of_a_killed_worker(workers: Workers) -> None:
    killed, _ = workers.wait_until_all_listen()
    os.kill(killed, signal.SIGKILL)
    while killed in workers.pids:
        time.sleep(0.01)
    connections = [workers.connect() for _ in range(16)]
    assert statuses_of_next_responses(connections) == {b"HTTP/1.1 200 OK"}
    for connection in connections:
        connection.close()
    workers.wait_until_all_listen(without=(killed,))


def test_restart_stops_at_successor_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    workers: list[Any] = ["first", "second", "third"]
    tried: list[str] = []

    def restart(supervisor: Any) -> None:
        (worker,) = supervisor.processes
        tried.append(worker)
        if worker != "second":  # uvicorn keeps a worker whose successor does not start
            supervisor.processes = ["new"]

    monkeypatch.setattr(Multiprocess, "restart_all", restart)
    supervisor = WorkerSupervisor.__new__(WorkerSupervisor)  # without the signal handlers of a process
    supervisor.signal_queue = []
    supervisor.processes, supervisor._listeners = workers, [socket.socket() for _ in workers]
    supervisor.restart_all()
    assert (tried, workers) == (["first", "second"], ["new", "second", "third"])
    for listener in supervisor._listeners:
        listener.close()


def test_no_request_fails_while_workers_are_replaced(workers: Workers) -> None:
    previous = workers.wait_until_all_listen()
    with SteadyLoad([workers.port]) as load:
        workers.replace_all(previous)
    assert load.results.keys() == {"http/1.1 200 ok"}, load.results
    assert load.results.total() >= 50


def test_no_request_fails_while_one_of_two_services_stops(workers: Workers, other: ServiceProcess) -> None:
    workers.wait_until_all_listen()
    ports = [other.port, workers.port]
    with SteadyLoad(ports) as load, SteadyLoad(ports, 300, keep_alive=False) as new_connections:
        time.sleep(1)
        other.stop()
        time.sleep(0.5)
    assert load.results.keys() == {"http/1.1 200 ok"}, load.results
    assert new_connections.results.keys() == {"http/1.1 200 ok"}, new_connections.results


def test_service_without_free_file_descriptors_stops_without_error(other: ServiceProcess) -> None:
    other.limit_open_files(1)
    other.stop()
    assert "Traceback" not in other.output


def test_workers_end_when_their_supervisor_is_killed(workers: Workers) -> None:
    pids = workers.wait_until_all_listen()
    os.kill(workers.supervisor, signal.SIGKILL)
    workers.wait_until_ended(pids)
    with pytest.raises(ConnectionRefusedError):
        workers.connect()
