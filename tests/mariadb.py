"""A MariaDB of the tests' own: a fresh data directory, a free port, gone when they are."""

import contextlib
import getpass
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pymysql

START_SECONDS = 60
USER, PASSWORD = "lms", "lms-of-the-tests"


class MissingServerError(Exception):
    pass


def binary(*names: str) -> str:
    for name in names:
        for found in (shutil.which(name), f"/usr/sbin/{name}", f"/usr/local/sbin/{name}"):
            if found and Path(found).exists():
                return found
    raise MissingServerError(f"{names[0]} is missing: run scripts/test, or `apt-get install mariadb-server`.")


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


@contextlib.contextmanager
def private_server(folder: Path) -> Iterator[int]:
    """Its port. The user may do everything on databases whose names begin with lms."""
    data, user, port = folder / "data", getpass.getuser(), free_port()
    with (folder / "install.log").open("wb") as log:
        subprocess.run(
            [
                binary("mariadb-install-db", "mysql_install_db"),
                "--no-defaults",
                f"--datadir={data}",
                f"--user={user}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ],
            check=True,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [
                binary("mariadbd", "mysqld"),
                "--no-defaults",
                f"--datadir={data}",
                f"--user={user}",
                f"--port={port}",
                "--bind-address=127.0.0.1",
                f"--socket={folder}/socket",
                f"--pid-file={folder}/pid",
                "--skip-log-bin",
                "--innodb-flush-log-at-trx-commit=0",
                "--innodb-buffer-pool-size=256M",
                "--innodb-log-file-size=64M",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _prepare(folder, server)
        yield port
    finally:
        server.terminate()
        server.wait(30)


def _prepare(folder: Path, server: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + START_SECONDS
    while not (folder / "pid").exists():  # written once it takes connections
        if server.poll() is not None or time.monotonic() > until:
            raise MissingServerError((folder / "server.log").read_text()[-2000:])
        time.sleep(0.1)
    with pymysql.connect(unix_socket=f"{folder}/socket", user="root") as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE USER {USER}@'%' IDENTIFIED BY '{PASSWORD}'")
        cursor.execute(f"GRANT ALL ON `lms%`.* TO {USER}@'%'")


def create_database(folder: Path, name: str) -> None:
    with pymysql.connect(unix_socket=f"{folder}/socket", user="root") as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")
        # The server's own defaults: whoever operates the service may not have set them well.
        cursor.execute(f"CREATE DATABASE `{name}` CHARACTER SET latin1")


def address(port: int, name: str) -> str:
    return f"mysql+pymysql://{USER}:{PASSWORD}@127.0.0.1:{port}/{name}"
