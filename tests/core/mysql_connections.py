"""Connections with PyMySQL's reader and with the generated one, and a socket that returns few bytes at a time."""

import io
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import Any, NamedTuple

import pymysql
from pymysql.cursors import Cursor

from lms_graphql.core.mysql_reader import GeneratedReaderConnection
from tests.mariadb import HOST, PASSWORD, USER

Rows = Sequence[tuple[Any, ...]]


class Connections(NamedTuple):
    """Two connections with the same options."""

    pymysql: Any
    generated: Any


class Answer(NamedTuple):
    """A cursor's answer to a statement. The types are those of the values, because 1 == Decimal(1) == True."""

    rows: Rows
    types: list[list[type]]
    description: Any
    row_count: int
    warnings: int


@contextmanager
def connect_both(port: int, database: str, **options: Any) -> Iterator[Connections]:
    arguments: dict[str, Any] = {"host": HOST, "port": port, "user": USER, "password": PASSWORD, "database": database}
    arguments |= {"charset": "utf8mb4", "autocommit": True, **options}
    with ExitStack() as stack:
        makers: tuple[Callable[..., Any], ...] = (pymysql.connect, GeneratedReaderConnection)
        yield Connections(*[stack.enter_context(_closing(make(**arguments))) for make in makers])


@contextmanager
def _closing(connection: Any) -> Iterator[Any]:
    try:
        yield connection
    finally:
        if connection.open:  # PyMySQL has closed it if it was lost
            connection.close()


def answer(connection: Any, statement: str, values: Any = None, cursor_class: type[Cursor] | None = None) -> Answer:
    with connection.cursor(cursor_class) as cursor:
        cursor.execute(statement, values)
        rows = cursor.fetchall()
        types = [list(map(type, row)) for row in rows]
        return Answer(rows, types, cursor.description, cursor.rowcount, cursor.warning_count)


def require_equal_answers(connections: Connections, statement: str, values: Any = None) -> Answer:
    """Return the answer to a statement, which must be the same for both connections."""
    expected = answer(connections.pymysql, statement, values)
    assert answer(connections.generated, statement, values) == expected
    return expected


def error_of(connection: Any, statement: str) -> tuple[type[Exception], tuple[Any, ...]]:
    try:
        answer(connection, statement)
    except pymysql.Error as error:
        return type(error), error.args
    raise AssertionError(f"{statement} has no error")


class PiecewiseSocket:
    """A socket from which one call receives at most `size` bytes. `change` may replace them."""

    def __init__(self, port: int) -> None:
        self.size = io.DEFAULT_BUFFER_SIZE
        self.received = 0
        self.change: Callable[[bytes], bytes] = bytes
        self._socket = socket.create_connection((HOST, port))
        self.settimeout, self.sendall, self.close = self._socket.settimeout, self._socket.sendall, self._socket.close

    def makefile(self, mode: str, buffer_bytes: int = io.DEFAULT_BUFFER_SIZE) -> io.BufferedReader:
        return io.BufferedReader(_Pieces(self), buffer_bytes)

    def receive(self, size: int) -> bytes:
        data = self.change(self._socket.recv(min(size, self.size)))
        self.received += len(data)
        return data


class _Pieces(io.RawIOBase):
    def __init__(self, source: PiecewiseSocket) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._source.receive(len(buffer))
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def connect_piecewise(port: int, database: str, make: Callable[..., Any]) -> Iterator[tuple[Any, PiecewiseSocket]]:
    arguments = {"host": HOST, "user": USER, "password": PASSWORD, "database": database, "charset": "utf8mb4"}
    connection = make(**arguments, autocommit=True, ssl_disabled=True, defer_connect=True)
    pieces = PiecewiseSocket(port)
    connection.connect(pieces)
    with closing(pieces), _closing(connection):
        yield connection, pieces
