"""The generated reader, compared with PyMySQL's own on the same statements."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pymysql
import pytest
from hypothesis import HealthCheck, given, settings
from pymysql.constants import CLIENT
from pymysql.cursors import DictCursor, SSCursor
from sqlalchemy import Boolean, Integer, Text
from sqlalchemy.dialects import mysql

from lms_graphql.catalog.models import Course, CourseStatus
from lms_graphql.core import mysql_reader
from lms_graphql.core.column_decoders import RowDecoder
from lms_graphql.core.mysql_reader import MAX_CACHED_FORMATS, GeneratedReaderConnection
from lms_graphql.core.orm import FixedDecimal, UtcDateTime
from tests.core.mysql_connections import (
    Connections,
    answer,
    connect_both,
    connect_piecewise,
    error_of,
    require_equal_answers,
)
from tests.mail_servers import server_tls_context
from tests.mariadb import MariaDB, private_server

pytestmark = pytest.mark.slow

DATABASE = "lms_reader"
EDGES = (0, 1, 250, 251, 252, 65_535, 65_536, 70_000)
"""Lengths in bytes around which MySQL's protocol writes the length of a value in another way."""


def texts(max_bytes: int = EDGES[-1]) -> st.SearchStrategy[str | None]:
    sizes = [size for size in EDGES if size <= max_bytes]
    exact = st.tuples(st.sampled_from(sizes), st.sampled_from("aé€🂡")).map(lambda pair: text_of_size(*pair))
    return st.none() | exact | st.text(st.characters(codec="utf-8"), max_size=20)


def text_of_size(size: int, character: str) -> str:
    width = len(character.encode())
    return character * (size // width) + "." * (size % width)


def numbers(low: int, high: int) -> st.SearchStrategy[int | None]:
    return st.none() | st.sampled_from((low, high, 0)) | st.integers(low, high)


def moments(first_year: int, last_year: int) -> st.SearchStrategy[str | None]:
    """Return texts of times. A TIMESTAMP has a smaller range than a DATETIME."""
    first, last = datetime(first_year, 1, 2, tzinfo=UTC), datetime(last_year, 12, 30, tzinfo=UTC)
    return st.none() | st.datetimes(first.replace(tzinfo=None), last.replace(tzinfo=None)).map(str)


COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "TINYINT(1)": numbers(-128, 127),
    "SMALLINT UNSIGNED": numbers(0, 65_535),
    "MEDIUMINT": numbers(-8_388_608, 8_388_607),
    "INT": numbers(-(2**31), 2**31 - 1),
    "INT(7) ZEROFILL": numbers(0, 2**32 - 1),
    "BIGINT": numbers(-(2**63), 2**63 - 1),
    "BIGINT UNSIGNED": numbers(0, 2**64 - 1),
    "DECIMAL(30, 10)": st.none() | st.decimals(-(10**19), 10**19, places=10),
    "DOUBLE": st.none() | st.floats(-1e300, 1e300, allow_subnormal=False),
    "FLOAT": st.none() | st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False),
    "DATETIME(6)": moments(1000, 9999) | st.sampled_from(("0000-00-00", "2026-02-00 01:02:03", "2026-02-31")),
    "DATETIME": moments(1000, 9999),
    "DATETIME(2)": moments(1000, 9998),
    "TIMESTAMP(3) NULL": moments(1971, 2036),
    "DATE": st.none() | st.dates(date(1000, 1, 1)).map(str) | st.just("0000-00-00"),
    "TIME(6)": st.none() | st.sampled_from(("-838:59:59", "00:00:00", "12:00:00.000001")),
    "YEAR": st.none() | st.integers(1901, 2155),
    "CHAR(10)": st.none() | st.text(st.characters(codec="utf-8"), max_size=10),
    "VARCHAR(300)": texts(252),
    "LONGTEXT": texts(),
    "LONGBLOB": texts().map(lambda text: None if text is None else text.encode()[::-1]),
    "VARBINARY(300)": st.none() | st.binary(max_size=252),
    "JSON": st.none() | st.sampled_from(('{"a": [1, null]}', '"🂡"', "[]")),
    "ENUM('draft', 'é')": st.sampled_from((None, "draft", "é")),
    "SET('a', 'b')": st.sampled_from((None, "", "a,b")),
    "BIT(10)": st.none() | st.integers(0, 1023),
}
NAMES = [f"c{number}" for number in range(len(COLUMNS))]
SELECT_ALL = (
    f"SELECT {', '.join(NAMES)}, c3 + 1, c5 / 3, CONCAT(c17, c18), JSON_ARRAY(c19), CAST(c20 AS CHAR), c0 IS NULL, "
    "COUNT(*) OVER (), NULL, 'text', NOW(6) > c10, UNHEX('00FF') FROM all_types ORDER BY id"
)


@pytest.fixture(scope="module")
def port(mariadb_server: MariaDB) -> int:
    mariadb_server.new_database(DATABASE)
    return mariadb_server.port


@pytest.fixture
def connections(port: int) -> Iterator[Connections]:
    with connect_both(port, DATABASE, local_infile=True) as connections:
        yield connections


@pytest.fixture
def all_types(connections: Connections) -> Connections:
    """Create a table with a column of each type."""
    with connections.pymysql.cursor() as cursor:
        columns = ", ".join(f"{name} {kind}" for name, kind in zip(NAMES, COLUMNS, strict=True))
        cursor.execute("SET sql_mode = 'ALLOW_INVALID_DATES'")
        cursor.execute(f"CREATE OR REPLACE TABLE all_types (id INT KEY AUTO_INCREMENT, {columns}) CHARSET utf8mb4")
    return connections


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(*COLUMNS.values()), max_size=4))
def test_values_of_all_types_are_equal(all_types: Connections, rows: list[tuple[Any, ...]]) -> None:
    with all_types.pymysql.cursor() as cursor:
        cursor.execute("DELETE FROM all_types")
        marks = ", ".join(["%s"] * len(COLUMNS))
        cursor.executemany(f"INSERT INTO all_types ({', '.join(NAMES)}) VALUES ({marks})", rows)
    assert len(require_equal_answers(all_types, SELECT_ALL).rows) == len(rows)


def test_other_answers_are_equal(connections: Connections) -> None:
    for statement in (
        "SELECT 1 FROM DUAL WHERE 1 = 0",
        "SELECT " + ", ".join(f"{number} AS c{number}" for number in range(300)),  # the number of columns has 3 bytes
        "SELECT seq, REPEAT('x', seq % 300) FROM seq_1_to_3000",
        "SHOW VARIABLES LIKE 'version%'",
        "SELECT CAST('x' AS SIGNED)",  # has a warning
        "DO 1",
    ):
        for _ in range(2):  # the second time, the format is known
            require_equal_answers(connections, statement)


def test_known_answer_is_not_read_packet_by_packet(connections: Connections, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = ", ".join(f"seq AS c{number}" for number in range(50))
    expected = answer(connections.generated, f"SELECT {columns} FROM seq_1_to_500")
    reads: list[int] = []
    read_bytes = pymysql.connections.Connection._read_bytes  # type: ignore[attr-defined]

    def record(connection: Any, size: int) -> bytes:
        reads.append(size)
        return bytes(read_bytes(connection, size))

    monkeypatch.setattr(pymysql.connections.Connection, "_read_bytes", record)
    assert answer(connections.generated, f"SELECT {columns} FROM seq_1_to_500") == expected
    assert len(reads) < 100  # 551 packets with two reads for each


def test_writes_return_keys_and_counts(connections: Connections) -> None:
    for connection in connections:
        with connection.cursor() as cursor:
            cursor.execute("CREATE OR REPLACE TABLE written (id INT KEY AUTO_INCREMENT, name TEXT)")
            assert cursor.execute("INSERT INTO written (name) VALUES ('a'), ('b')") == 2
            assert cursor.lastrowid == 1
            assert cursor.execute("UPDATE written SET name = 'c' WHERE id > 1") == 1


def test_unusual_cursors_read_the_same_rows(connections: Connections) -> None:
    statement = "SELECT seq, REPEAT('x', 100) AS text FROM seq_1_to_2000"
    for cursor_class in (DictCursor, SSCursor):
        assert answer(connections.generated, statement, None, cursor_class) == answer(
            connections.pymysql, statement, None, cursor_class
        )


def test_several_results_are_read_in_turn(port: int) -> None:
    with connect_both(port, DATABASE, client_flag=CLIENT.MULTI_STATEMENTS) as connections:
        results: list[list[Any]] = []
        for connection in connections:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1, 'a'; SELECT 'b' FROM seq_1_to_3; DO 1; SELECT 1, 'a'")
                results.append([cursor.fetchall()])
                while cursor.nextset():
                    results[-1].append((cursor.fetchall(), cursor.description))
        assert results[0] == results[1]
        assert len(results[0]) == 4


def test_local_file_is_loaded(connections: Connections, tmp_path: Path) -> None:
    file = tmp_path / "rows"
    file.write_text("1\ta\n2\tb\n")
    for connection in connections:
        with connection.cursor() as cursor:
            cursor.execute("CREATE OR REPLACE TABLE loaded (id INT, name TEXT)")
            cursor.execute("LOAD DATA LOCAL INFILE %s INTO TABLE loaded", (str(file),))
        assert answer(connection, "SELECT * FROM loaded").rows == ((1, "a"), (2, "b"))


@pytest.mark.parametrize("size", [16_777_210, 16_777_211, 16_777_212, 17_000_000])
def test_row_of_several_packets_is_read(mariadb_server: MariaDB, port: int, size: int) -> None:
    """A row of 16,777,215 bytes is followed by an empty packet. The length of the value takes four of them."""
    with mariadb_server.connect_as_root() as root, root.cursor() as cursor:
        cursor.execute("SET GLOBAL max_allowed_packet = 64 << 20")
    with connect_both(port, DATABASE) as connections:
        statement = f"SELECT 'a' UNION ALL SELECT REPEAT('x', {size}) UNION ALL SELECT 'b'"
        rows = require_equal_answers(connections, statement).rows
    assert [len(row[0]) for row in rows] == [1, size, 1]


@pytest.mark.parametrize(
    "statement", ["SELECT a", "SELEC", "SELECT 1 FROM nowhere", "SELECT (SELECT 1 UNION SELECT 2)"]
)
def test_errors_are_equal(connections: Connections, statement: str) -> None:
    assert error_of(connections.generated, statement) == error_of(connections.pymysql, statement)
    require_equal_answers(connections, "SELECT 1")


def test_bytes_may_come_in_pieces_of_any_size(port: int) -> None:
    statement = "SELECT seq, REPEAT('é', seq * 10), IF(MOD(seq, 2), NULL, NOW(6)) FROM seq_120_to_130 ORDER BY seq"
    decoder = RowDecoder([Integer(), Text(), UtcDateTime()], mysql.dialect())
    with connect_piecewise(port, DATABASE, GeneratedReaderConnection) as (connection, pieces):
        plain = statement.replace("NOW(6)", "'2026-01-02 03:04:05'")
        expected = answer(connection, plain).rows
        assert [len(row[1]) for row in expected] == list(range(1200, 1310, 10))
        for size in [*range(1, 300), *range(300, 3000, 37)]:
            pieces.size = size
            mysql_reader._formats.clear()
            for _ in range(2):
                assert answer(connection, plain).rows == expected
            decoded = connection.fetch_decoded(statement, (), decoder)
            assert [row[:2] for row in decoded] == [row[:2] for row in expected]
            assert {row[2] and row[2].tzinfo for row in decoded} == {None, UTC}


def test_wrong_sequence_number_is_an_error(port: int) -> None:
    for make in (pymysql.connect, GeneratedReaderConnection):
        with connect_piecewise(port, DATABASE, make) as (connection, pieces):
            # The second of three rows: its length, its number, and its value.
            pieces.change = lambda data: data.replace(b"\x04\x00\x00\x05\x03two", b"\x04\x00\x00\x06\x03two")
            with pytest.raises(pymysql.InternalError, match="sequence number wrong - got 6 expected 5"):
                answer(connection, "SELECT 'one' UNION ALL SELECT 'two' UNION ALL SELECT 'six'")
            assert not connection.open


def test_decoder_returns_the_values_of_sqlalchemys_types(connections: Connections) -> None:
    types = [Course.status.type, UtcDateTime(), Boolean(), Boolean(), FixedDecimal(), Integer()]
    decoder = RowDecoder(types, mysql.dialect())
    statement = (
        "SELECT IF(seq > 1, 'draft', NULL), IF(seq > 1, CAST('2026-01-02 03:04:05.000006' AS DATETIME(6)), NULL), "
        "IF(seq > 1, seq - 2, NULL), CAST(seq AS DECIMAL(6, 2)) - 2, IF(seq > 1, 123, NULL), seq FROM seq_1_to_3000"
    )
    rows = connections.generated.fetch_decoded(statement, (), decoder)
    assert list(rows) == decoder.decode(answer(connections.pymysql, statement).rows)
    moment = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)
    assert rows[:3] == (
        (None, None, None, True, None, 1),
        (CourseStatus.DRAFT, moment, False, False, Decimal("1.23"), 2),
        (CourseStatus.DRAFT, moment, True, True, Decimal("1.23"), 3),
    )


@pytest.mark.parametrize("length", [10, 100_000])
def test_connection_is_usable_after_a_value_that_cannot_be_decoded(connections: Connections, length: int) -> None:
    """The long row is decoded outside of the buffer."""
    decoder = RowDecoder([Course.status.type, Text()], mysql.dialect())
    statement = f"SELECT 'unknown', REPEAT('x', {length}) FROM seq_1_to_10"
    with pytest.raises(LookupError):
        connections.generated.fetch_decoded(statement, (), decoder)
    require_equal_answers(connections, "SELECT 1")


def test_cached_formats_are_bounded(connections: Connections) -> None:
    for number in range(MAX_CACHED_FORMATS + 10):
        answer(connections.generated, f"SELECT 1 AS c{number}")
        assert len(mysql_reader._formats) <= MAX_CACHED_FORMATS


def test_answers_over_tls_are_equal(tmp_path: Path) -> None:
    server_tls_context(tmp_path)  # writes the files
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    with private_server(tmp_path, f"--ssl-cert={certificate}", f"--ssl-key={key}") as server:
        server.new_database(DATABASE)
        with connect_both(
            server.port, DATABASE, ssl={"ca": str(certificate), "check_hostname": False}
        ) as connections:
            assert answer(connections.generated, "SHOW STATUS LIKE 'Ssl_cipher'").rows[0][1]
            require_equal_answers(connections, "SELECT seq, REPEAT('x', seq) FROM seq_1_to_3000")
