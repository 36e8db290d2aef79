"""A MariaDB of the benchmark's own: fresh, on a free port, gone afterwards."""

import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pymysql

from benchmarks.processes import HOST, BenchmarkError, cpu_seconds, free_port, running

NAME = "benchmark"
USER = "root"
SERVER_OPTIONS = ("--skip-log-bin", "--innodb-buffer-pool-size=256M", "--innodb-flush-log-at-trx-commit=2")


@dataclass
class MariaDB:
    port: int
    pid: int
    connection: pymysql.Connection
    asked: int = 0

    @property
    def url(self) -> str:
        return f"mysql+pymysql://{USER}@{HOST}:{self.port}/{NAME}"

    @property
    def environment(self) -> dict[str, str]:
        """What a server is told, in the service's own words."""
        return {"DB_HOST": HOST, "DB_PORT": str(self.port), "DB_USER": USER, "DB_NAME": NAME}

    def work(self) -> "Work":
        """What it has done until now, but for being asked this."""
        with self.connection.cursor() as cursor:
            cursor.execute("SHOW GLOBAL STATUS WHERE Variable_name IN ('Questions', 'Bytes_sent')")
            counted = {name: int(value) for name, value in cursor.fetchall()}
        self.asked += 1
        return Work(counted["Questions"] - self.asked, counted["Bytes_sent"], cpu_seconds(self.pid))


@dataclass(frozen=True)
class Work:
    statements: int
    bytes_sent: int
    cpu: float


@contextmanager
def private_mariadb(folder: Path) -> Iterator[MariaDB]:
    data, log, port = folder / "data", folder / "mariadb.log", free_port()
    me = getpass.getuser()
    install = [_program("mariadb-install-db"), "--no-defaults", f"--datadir={data}", f"--user={me}"]
    made = subprocess.run(
        [*install, "--auth-root-authentication-method=normal", "--skip-test-db"],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise BenchmarkError(f"mariadb-install-db failed:\n{made.stdout}{made.stderr}")
    command = [
        _program("mariadbd"),
        "--no-defaults",
        f"--datadir={data}",
        f"--port={port}",
        f"--bind-address={HOST}",
        f"--socket={folder / 'socket'}",
        f"--pid-file={folder / 'pid'}",
        f"--user={me}",
        *SERVER_OPTIONS,
    ]
    with (
        running(command, log, port) as pid,
        pymysql.connect(host=HOST, port=port, user=USER) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(f"CREATE DATABASE {NAME} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
        yield MariaDB(port, pid, connection)


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise BenchmarkError(f"{name} is not installed: the benchmark runs a MariaDB of its own.")
    return found
