"""A private MariaDB server for tests and benchmarks: fresh data directory, free port, stopped at the end."""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pymysql

HOST = "127.0.0.1"
USER, PASSWORD = "lms", "lms-of-the-tests"
START_SECONDS = 60
STOP_SECONDS = 30
DEFAULT_OPTIONS = (
    "--skip-log-bin",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-buffer-pool-size=256M",
    "--innodb-log-file-size=64M",
)


class ServerStartError(Exception):
    """MariaDB is not installed or does not start. The message has the end of its log."""


@dataclass(frozen=True)
class MariaDB:
    """A running server. `USER` has all privileges on databases whose names begin with `lms`; root has no password."""

    folder: Path
    port: int
    pid: int

    def connect_as_root(self) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        return pymysql.connect(unix_socket=f"{self.folder}/socket", user="root")

    def new_database(self, name: str) -> str:
        """Create an empty database, in place of one with the same name, and return its URL."""
        with self.connect_as_root() as connection, connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")
            # latin1 was MariaDB's default. The service must work even if the operator has not chosen a better one.
            cursor.execute(f"CREATE DATABASE `{name}` CHARACTER SET latin1")
        return f"mysql+pymysql://{USER}:{PASSWORD}@{HOST}:{self.port}/{name}"


def find_program(*names: str) -> str:
    """Return the path of the first of these programs that is installed."""
    for name in names:
        for path in (shutil.which(name), f"/usr/sbin/{name}", f"/usr/local/sbin/{name}"):
            if path and Path(path).exists():
                return path
    raise ServerStartError(f"{names[0]} is not installed. Run scripts/test, which installs it.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def private_server(folder: Path, *options: str) -> Iterator[MariaDB]:
    """Run a server with its files in this folder. Options override those in DEFAULT_OPTIONS."""
    install(folder, getpass.getuser())
    port, log = free_port(), folder / "server.log"
    command = [
        find_program("mariadbd", "mysqld"),
        *common_options(folder, getpass.getuser()),
        f"--port={port}",
        f"--bind-address={HOST}",
        f"--socket={folder}/socket",
        f"--pid-file={folder}/pid",
        f"--tmpdir={folder}",  # a server that starts deletes the temporary tables of others in a shared folder
        *DEFAULT_OPTIONS,
        *options,
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches only the test run or benchmark, which then stops the server
        )
    try:
        _wait_until_ready(folder, process)
        server = MariaDB(folder, port, process.pid)
        with server.connect_as_root() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE USER {USER}@'%' IDENTIFIED BY '{PASSWORD}'")
            cursor.execute(f"GRANT ALL ON `lms%`.* TO {USER}@'%'")
        yield server
    finally:
        _stop(process)


def install(folder: Path, user: str) -> None:
    """Create the data directory of a server that runs as this user."""
    program = find_program("mariadb-install-db", "mysql_install_db")
    options = ("--auth-root-authentication-method=normal", "--skip-test-db")
    command = [program, *common_options(folder, user), *options]
    # Servers that start delete the temporary tables of others in a shared folder.
    environment = os.environ | {"TMPDIR": str(folder)}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if result.returncode:
        raise ServerStartError(f"mariadb-install-db failed:\n{result.stdout}{result.stderr}")


def common_options(folder: Path, user: str) -> tuple[str, ...]:
    return "--no-defaults", f"--datadir={folder / 'data'}", f"--user={user}"


def _wait_until_ready(folder: Path, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while not (folder / "pid").exists():  # the server writes it as soon as it accepts connections
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerStartError((folder / "server.log").read_text(errors="replace")[-2000:])
        time.sleep(0.1)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
