"""Failures while the generated reader reads an answer, and its choice: both readers raise the same errors."""

import inspect
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pymysql
import pytest
from pymysql.connections import Connection, MySQLResult
from pymysql.constants import COMMAND

from lms_graphql.core import db_errors
from lms_graphql.core.mysql_reader import GeneratedReaderConnection
from lms_graphql.core.mysql_reader_choice import PYMYSQL_VERSION, MysqlReaderChoice
from lms_graphql.settings import Settings
from tests.core.mysql_connections import answer, connect_both, connect_piecewise
from tests.live_service import Client, LogCapture, run_service
from tests.mariadb import MariaDB

DATABASE = "lms_reader_failures"
READERS = [pymysql.connect, GeneratedReaderConnection]
PRIVATE_METHODS: dict[tuple[type, str], list[str]] = {
    (Connection, "_read_query_result"): ["self", "unbuffered"],
    (Connection, "_execute_command"): ["self", "command", "sql"],
    (Connection, "_read_packet"): ["self", "packet_type"],
    (Connection, "_read_bytes"): ["self", "num_bytes"],
    (Connection, "_force_close"): ["self"],
    (MySQLResult, "__init__"): ["self", "connection"],
    (MySQLResult, "read"): ["self"],
    (MySQLResult, "_get_descriptions"): ["self"],
    (MySQLResult, "_read_rowdata_packet"): ["self"],
    (MySQLResult, "_check_packet_is_eof"): ["self", "packet"],
    (MySQLResult, "_read_row_from_packet"): ["self", "packet"],
}
"""Methods that the generated reader overrides or calls. `test_mysql_reader` compares what they do."""

needs_mariadb = pytest.mark.slow
on_mariadb = pytest.mark.parametrize("service_settings", ["mariadb"], indirect=True)


@pytest.mark.parametrize(("owner", "name"), PRIVATE_METHODS)
def test_undocumented_method_has_the_same_parameters(owner: type, name: str) -> None:
    assert list(inspect.signature(getattr(owner, name)).parameters) == PRIVATE_METHODS[owner, name]


def test_reader_is_written_for_the_installed_version() -> None:
    assert pymysql.VERSION_STRING == PYMYSQL_VERSION


@pytest.fixture(scope="module")
def port(mariadb_server: MariaDB) -> int:
    mariadb_server.new_database(DATABASE)
    return mariadb_server.port


@needs_mariadb
@pytest.mark.parametrize("make", READERS)
def test_connection_killed_in_mid_answer_is_lost(
    mariadb_server: MariaDB, port: int, make: Callable[..., Any]
) -> None:
    """The answer is larger than all buffers of the system, so that the server is still sending it."""
    with (
        mariadb_server.connect_as_root() as root,
        connect_piecewise(port, DATABASE, make) as (connection, pieces),
    ):
        killed: list[int] = []

        def kill(data: bytes) -> bytes:
            if pieces.received > 1_000_000 and not killed:
                killed.append(connection.thread_id())
                root.cursor().execute(f"KILL {connection.thread_id()}")
            return data

        pieces.change = kill
        with pytest.raises(pymysql.OperationalError) as caught:
            answer(connection, "SELECT REPEAT('x', 1000) FROM seq_1_to_60000")
        assert killed
    assert db_errors.classify_original(caught.value).connection_lost


@needs_mariadb
@pytest.mark.parametrize("make", READERS)
def test_statement_timeout_in_mid_answer_leaves_the_connection_usable(port: int, make: Callable[..., Any]) -> None:
    slow = "SELECT REPEAT('x', 5000), IF(seq > 30, SLEEP(5), 0) FROM seq_1_to_40"
    with connect_piecewise(port, DATABASE, make) as (connection, pieces):
        before = pieces.received
        with pytest.raises(pymysql.OperationalError) as caught:
            answer(connection, f"SET STATEMENT max_statement_time = 0.3 FOR {slow}")
        assert caught.value.args[0] == 1969
        assert pieces.received - before > 100_000
        assert answer(connection, "SELECT 1").rows == ((1,),)


@needs_mariadb
@pytest.mark.parametrize("first_row", [1, 3000])
@pytest.mark.parametrize("write_timeout", [None, 0.2])
def test_silent_server_is_a_lost_connection(port: int, first_row: int, write_timeout: float | None) -> None:
    """With equal timeouts for both directions, the kernel measures them."""
    statement = f"SELECT REPEAT('x', 100), IF(seq >= {first_row}, SLEEP(1), 0) FROM seq_1_to_3000"
    errors = []
    with connect_both(port, DATABASE, read_timeout=0.2, write_timeout=write_timeout) as connections:
        for connection in connections:
            with pytest.raises(pymysql.OperationalError) as caught:
                answer(connection, statement)
            errors.append(caught.value)
            assert not connection.open
    assert errors[0].args == errors[1].args
    assert db_errors.classify_original(errors[1]).connection_lost


@needs_mariadb
def test_socket_has_no_timeout_of_python(port: int) -> None:
    """With one, Python would poll before each call. PyMySQL sets it again if the two differ."""
    with connect_both(port, DATABASE, read_timeout=5, write_timeout=5) as (_, connection):
        answer(connection, "SELECT 1")
        assert connection._sock.gettimeout() is None


@needs_mariadb
def test_server_that_reads_nothing_is_a_lost_connection(port: int) -> None:
    """The statement is larger than the buffers of the sockets, and the server sends so much that it does not read."""
    with connect_both(port, DATABASE, read_timeout=0.2, write_timeout=0.2) as (_, connection):
        connection._execute_command(COMMAND.COM_QUERY, "SELECT REPEAT('x', 1000) FROM seq_1_to_60000")
        with pytest.raises(pymysql.OperationalError) as caught:
            connection._execute_command(COMMAND.COM_QUERY, f"SELECT '{'x' * 10_000_000}'")
        assert not connection.open
    assert caught.value.args[0] == 2006
    assert db_errors.classify_original(caught.value).connection_lost


@needs_mariadb
@pytest.mark.parametrize("is_timeout", [True, False])
def test_failure_after_any_byte_is_a_lost_connection(port: int, is_timeout: bool) -> None:
    statement = "SELECT 1, 'a' UNION ALL SELECT 22, NULL"

    def fail_after(received: int) -> Callable[[bytes], bytes]:
        def fail(data: bytes) -> bytes:
            if pieces.received < received:
                return data
            if is_timeout:
                raise TimeoutError("timed out")
            return b""

        return fail

    length = 1
    while length > 0:
        with connect_piecewise(port, DATABASE, GeneratedReaderConnection) as (connection, pieces):
            before = pieces.received
            answer(connection, statement)  # the format is known then
            size_of_answer = pieces.received - before
            pieces.size, pieces.change = 1, fail_after(pieces.received + length)
            with pytest.raises(pymysql.OperationalError) as caught:
                answer(connection, statement)
            assert caught.value.args[0] == 2013
            assert not connection.open
        length = (length + 1) % size_of_answer


@needs_mariadb
@on_mariadb
@pytest.mark.parametrize(
    ("choice", "version", "expected", "warnings"),
    [
        (MysqlReaderChoice.GENERATED, PYMYSQL_VERSION, GeneratedReaderConnection, 0),
        (MysqlReaderChoice.PYMYSQL, PYMYSQL_VERSION, Connection, 0),
        (MysqlReaderChoice.GENERATED, "1.3.0", Connection, 1),
    ],
)
def test_service_uses_the_reader_of_its_settings(
    service_settings: Settings,
    captured_log: LogCapture,
    monkeypatch: pytest.MonkeyPatch,
    choice: MysqlReaderChoice,
    version: str,
    expected: type,
    warnings: int,
) -> None:
    monkeypatch.setattr(pymysql, "VERSION_STRING", version)
    with (
        run_service(service_settings.model_copy(update={"mysql_reader": choice})) as service,
        closing(Client(service)) as client,
    ):
        assert client.execute("{ categoryTree { id } }")["categoryTree"] is not None
        for engine in (service.database.engine, service.database.read_engine):
            with engine.connect() as connection:
                assert type(connection.connection.driver_connection) is expected
    assert captured_log.text.count("mysql_reader_unavailable") == warnings
