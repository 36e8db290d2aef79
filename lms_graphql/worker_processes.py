"""Worker processes of `lms-graphql serve --workers`, each with a listening socket of its own.

If all workers accept from one socket, the first to wake takes all connections that wait. In every sixth draw all 16
connections went to one of two workers. The kernel spreads connections evenly over sockets with SO_REUSEPORT. The
reasons are in `docs/decisions/worker-sockets.md`.

This module, `draining_server` and `http_protocol` use undocumented parts of uvicorn, which `docs/architecture.md`
lists.
"""

import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable

from uvicorn.config import Config
from uvicorn.supervisors import multiprocess
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from lms_graphql.draining_server import DrainingServer

IS_SPREAD_BY_KERNEL = sys.platform == "linux"
"""True if the kernel spreads connections over sockets with SO_REUSEPORT. macOS uses only the newest socket."""


def bind_worker_socket(host: str, port: int) -> socket.socket:
    """Return a bound socket for one worker. It gets connections when the worker listens on it.

    Other processes of the same user could bind the port as well, so the caller checks first whether it is free.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((host, port))
    return listener


def stop_with_supervisor() -> None:
    """Stop this process as after SIGTERM if the process that started it dies. Call this in a worker.

    Without its supervisor, it would listen for ever, and block the port for the next start of the service.
    """
    supervisor = multiprocessing.parent_process()
    if supervisor is None:
        return

    def wait() -> None:
        supervisor.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="supervisor", daemon=True).start()


class WorkerProcess(Process):
    """uvicorn's process of a worker, with a server that drains its connections."""

    @property
    def server(self) -> DrainingServer:
        if not isinstance(self._server, DrainingServer):
            self._server = DrainingServer(self.config)
        return self._server


multiprocess.Process = WorkerProcess  # type: ignore[misc]  # uvicorn's supervisor makes its processes by this name


class WorkerSupervisor(Multiprocess):
    """uvicorn's supervisor, with a socket for each worker.

    The sockets stay open here. So connections wait while a worker is replaced, and the new worker accepts them.
    """

    def __init__(self, config: Config) -> None:
        super().__init__(config, [])
        self._listeners: list[socket.socket] = []

    def init_processes(self) -> None:
        for _ in range(self.processes_num):
            self._add_worker()

    def keep_subprocess_alive(self) -> None:
        self._for_each_worker(super().keep_subprocess_alive)

    def restart_all(self) -> None:
        # uvicorn keeps a worker whose successor does not start within 30 seconds. The others would not start either.
        self._for_each_worker(super().restart_all, stops_at_kept_worker=True)

    def terminate_all(self) -> None:
        for listener in self._listeners:
            listener.close()  # so that clients are refused at once, instead of waiting until this process ends
        super().terminate_all()

    def handle_ttin(self) -> None:
        self.processes_num += 1
        self._add_worker()

    def handle_ttou(self) -> None:
        if len(self._listeners) > 1:
            self._listeners.pop().close()  # first, so that the kernel gives no connection to a worker that ends
        super().handle_ttou()

    def _add_worker(self) -> None:
        listener = bind_worker_socket(self.config.host, self.config.port)
        worker = WorkerProcess(self.config, [listener])
        worker.start()
        self._listeners.append(listener)
        self.processes.append(worker)

    def _for_each_worker(self, supervise: Callable[[], None], *, stops_at_kept_worker: bool = False) -> None:
        """Run a method of uvicorn's supervisor for one worker after the other, as if it were the only one."""
        workers = self.processes
        try:
            for number, listener in enumerate(self._listeners):
                if not {signal.SIGTERM, signal.SIGINT}.isdisjoint(self.signal_queue):
                    return  # the service stops, and replacing the other workers would delay that
                previous = workers[number]
                self.processes, self.sockets = [previous], [listener]
                supervise()
                workers[number] = self.processes[0]
                if stops_at_kept_worker and workers[number] is previous:
                    return
        finally:
            self.processes = workers
