"""Three MariaDB nodes as a Galera cluster on loopback, which can be killed, stopped and cut off."""

import contextlib
import getpass
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pymysql

from tests.mariadb import HOST, PASSWORD, USER, ServerStartError, common_options, find_program, free_port, install

PROVIDERS = ("/usr/lib/galera/libgalera_smm.so", "/usr/lib64/galera-4/libgalera_smm.so")
CHECK_USER = "haproxy"
"""User without a password and without privileges, as which HAProxy asks whether a node is ready."""
SERVER_USER = "mysql" if os.getuid() == 0 else getpass.getuser()
"""User of the servers. It is not root, because rsync, which copies the files of a node, would drop its privileges."""
START_SECONDS = 120
STOP_SECONDS = 60
POSITION = re.compile(r"Recovered position: (\S+)")
SERVER_OPTIONS = (
    "--binlog-format=ROW",
    "--default-storage-engine=InnoDB",
    "--innodb-autoinc-lock-mode=2",
    "--innodb-flush-log-at-trx-commit=0",  # what one node loses in a crash, it gets from the others
    "--innodb-buffer-pool-size=64M",
    "--innodb-log-file-size=32M",
    "--max-connections=500",
    "--skip-log-bin",
    "--skip-name-resolve",
    "--wsrep-on=ON",
    "--wsrep-slave-threads=2",
    "--wsrep-sst-method=rsync",
)


class Node:
    """One MariaDB server of the cluster. `port` is that of its clients."""

    def __init__(self, folder: Path, number: int) -> None:
        self.folder = folder
        self.name = f"node{number}"
        self.port, self._group_port, self._transfer_port, self._copy_port = (free_port() for _ in range(4))
        self.group_address = f"{HOST}:{self._group_port}"
        self._process: subprocess.Popen[bytes] | None = None

    def install(self, *, is_first: bool) -> None:
        """Create the data directory. That of a node that joins stays empty, because it gets the files of another."""
        (self.folder / "data").mkdir(parents=True)
        if getpass.getuser() != SERVER_USER:
            for folder in (self.folder, self.folder / "data"):
                shutil.chown(folder, SERVER_USER)
        if is_first:
            install(self.folder, SERVER_USER)

    def start(self, members: Sequence["Node"], *, is_first: bool = False) -> None:
        """Start the server, and return before it has joined. `is_first` founds the cluster."""
        position = None if is_first or not (self.folder / "data" / "grastate.dat").exists() else self._recover()
        options = (
            *self._options(members),
            *(("--wsrep-new-cluster",) if is_first else ()),
            *(() if position is None else (f"--wsrep-start-position={position}",)),
        )
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [find_program("mariadbd", "mysqld"), *options], stdout=log, stderr=log, start_new_session=True
            )

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                raise ServerStartError((self.folder / "server.log").read_text(errors="replace")[-3000:])
            time.sleep(0.1)

    def is_ready(self) -> bool:
        """Return whether the node is synchronized with a majority, so that it answers queries."""
        if not (self.folder / "pid").exists():
            return False  # the server writes it as soon as it accepts connections
        try:
            return self.status("wsrep_ready") == "ON" and self.status("wsrep_local_state_comment") == "Synced"
        except pymysql.Error:
            return False

    def connect_as_root(self) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        return pymysql.connect(unix_socket=f"{self.folder}/socket", user="root", autocommit=True, read_timeout=10)

    def execute(self, *statements: str) -> None:
        with self.connect_as_root() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def status(self, name: str) -> str:
        with self.connect_as_root() as connection, connection.cursor() as cursor:
            cursor.execute(f"SHOW STATUS LIKE '{name}'")
            row = cursor.fetchone()
            return str(row[1]) if row else ""

    def kill(self) -> None:
        """Kill the server (SIGKILL), as a crash of its machine does."""
        process = self._running()
        process.kill()
        process.wait()
        (self.folder / "pid").unlink(missing_ok=True)
        self._process = None

    def pause(self) -> None:
        """Stop the server (SIGSTOP): its connections stay open, and nothing answers."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._running().send_signal(signal.SIGCONT)

    def isolate(self) -> None:
        """Cut the node off from the others. Its clients still reach it."""
        self.execute("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=1'")

    def reconnect(self) -> None:
        self.execute("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=0'")

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def _running(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None, f"{self.name} does not run"
        return self._process

    def _options(self, members: Sequence["Node"]) -> list[str]:
        provider = next((path for path in PROVIDERS if os.path.exists(path)), None)
        if provider is None:
            raise ServerStartError("Galera is not installed. Run: apt-get install galera-4")
        addresses = ",".join(member.group_address for member in members)
        provider_options = (
            f"base_host={HOST};base_port={self._group_port};ist.recv_addr={HOST}:{self._transfer_port};"
            f"gmcast.listen_addr=tcp://{self.group_address};gcache.size=64M"
        )
        return [
            *common_options(self.folder, SERVER_USER),
            f"--port={self.port}",
            f"--bind-address={HOST}",
            f"--socket={self.folder}/socket",
            f"--pid-file={self.folder}/pid",
            f"--tmpdir={self.folder}",
            *SERVER_OPTIONS,
            f"--wsrep-provider={provider}",
            f"--wsrep-provider-options={provider_options}",
            f"--wsrep-cluster-address=gcomm://{addresses}",
            f"--wsrep-node-name={self.name}",
            f"--wsrep-node-address={self.group_address}",
            f"--wsrep-node-incoming-address={HOST}:{self.port}",
            f"--wsrep-sst-receive-address={HOST}:{self._copy_port}",
        ]

    def _recover(self) -> str | None:
        """Return the last transaction that the node has after a crash, so that it gets only what it misses."""
        command = [find_program("mariadbd", "mysqld"), *common_options(self.folder, SERVER_USER), "--wsrep-recover"]
        log = self.folder / "recover.log"
        options = ("--innodb-log-file-size=32M", f"--tmpdir={self.folder}", f"--log-error={log}")
        log.unlink(missing_ok=True)
        subprocess.run([*command, *options], capture_output=True, check=False)
        found = POSITION.search(log.read_text(errors="replace"))
        return None if found is None else found[1]


class GaleraCluster:
    """The running nodes. The first one has founded the cluster."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes

    def restart(self, node: Node) -> None:
        """Start a node that was killed, and wait until it has caught up."""
        node.start(self.nodes)
        node.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until all nodes form one cluster."""
        for node in self.nodes:
            node.wait_until_ready()
        size = str(len(self.nodes))
        wait_until(lambda: all(node.status("wsrep_cluster_size") == size for node in self.nodes))

    def new_database(self, name: str) -> str:
        """Create an empty database, in place of one with the same name, and return its name."""
        self.nodes[0].execute(f"DROP DATABASE IF EXISTS `{name}`", f"CREATE DATABASE `{name}`")
        for node in self.nodes:
            node.execute("SET SESSION wsrep_sync_wait = 15", f"SHOW TABLES FROM `{name}`")  # waits for the database
        return name


def database_url(port: int, name: str) -> str:
    return f"mysql+pymysql://{USER}:{PASSWORD}@{HOST}:{port}/{name}"


def wait_until(is_true: Callable[[], bool], seconds: float = START_SECONDS) -> float:
    """Wait until the condition is true, and return how long it took."""
    started = time.monotonic()
    while not is_true():
        assert time.monotonic() - started < seconds, f"not true within {seconds} s"
        time.sleep(0.05)
    return time.monotonic() - started


@contextlib.contextmanager
def run_galera(folder: Path, size: int = 3) -> Iterator[GaleraCluster]:
    """Run a cluster with its files in this folder."""
    nodes = [Node(folder / f"node{number}", number) for number in range(1, size + 1)]
    cluster = GaleraCluster(nodes)
    try:
        for node in nodes:
            node.install(is_first=node is nodes[0])
            node.start(nodes, is_first=node is nodes[0])
            node.wait_until_ready()
        nodes[0].execute(
            f"CREATE USER {USER}@'%' IDENTIFIED BY '{PASSWORD}'",
            f"GRANT ALL ON `lms%`.* TO {USER}@'%'",
            f"CREATE USER {CHECK_USER}@'%'",
        )
        cluster.wait_until_ready()
        yield cluster
    finally:
        for node in reversed(nodes):
            node.stop()
