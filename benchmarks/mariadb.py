"""The benchmark's database on a private MariaDB, with counters of the work that the server does."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pymysql

from benchmarks.processes import BenchmarkError, cpu_seconds
from tests.mariadb import HOST, ServerStartError, private_server

NAME = "benchmark"
USER = "root"
SERVER_OPTIONS = ("--innodb-flush-log-at-trx-commit=2", "--innodb-log-file-size=96M")


@dataclass(frozen=True)
class DatabaseWork:
    """Work of the database server since its start. `cpu` is in seconds."""

    statements: int
    bytes_sent: int
    cpu: float


@dataclass
class BenchmarkDatabase:
    """The benchmark's database. `status_queries` counts its own statements, so that they can be subtracted."""

    port: int
    pid: int
    connection: "pymysql.Connection[pymysql.cursors.Cursor]"
    status_queries: int = 0

    @property
    def url(self) -> str:
        return f"mysql+pymysql://{USER}@{HOST}:{self.port}/{NAME}"

    @property
    def environment(self) -> dict[str, str]:
        """The connection parameters as environment variables, named like the service's settings."""
        return {"DB_HOST": HOST, "DB_PORT": str(self.port), "DB_USER": USER, "DB_NAME": NAME}

    def work(self) -> DatabaseWork:
        """Return the work until now, without the queries of this method."""
        with self.connection.cursor() as cursor:
            cursor.execute("SHOW GLOBAL STATUS WHERE Variable_name IN ('Questions', 'Bytes_sent')")
            status = {name: int(value) for name, value in cursor.fetchall()}
        self.status_queries += 1
        return DatabaseWork(status["Questions"] - self.status_queries, status["Bytes_sent"], cpu_seconds(self.pid))


@contextmanager
def private_database(folder: Path) -> Iterator[BenchmarkDatabase]:
    """Run a private MariaDB with an empty database for the benchmark."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(private_server(folder, *SERVER_OPTIONS))
        except ServerStartError as error:
            raise BenchmarkError(str(error)) from error
        connection = stack.enter_context(pymysql.connect(host=HOST, port=server.port, user=USER))
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {NAME} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
        yield BenchmarkDatabase(server.port, server.pid, connection)
