"""Result reader for PyMySQL: rows are decoded by code that is generated for their columns.

PyMySQL makes an object for each row and four calls for each value, and it parses the descriptions of the columns in
every answer. Here they are parsed once, and rows are decoded where they lie in the buffer of the connection. That
takes 25 to 45 percent of PyMySQL's CPU time: docs/decisions/mysql-reader.md.

Only whole packets are taken from the buffer. Everything that is not an ordinary row in the buffer is read by PyMySQL
itself: OK and error packets, LOAD DATA, the end of the rows, rows that have not arrived completely, wrong sequence
numbers. So its errors, timeouts and checks apply.

This module uses undocumented parts of PyMySQL. It is imported only with the version that it was written for.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from io import BufferedReader, BytesIO, RawIOBase
from socket import SO_RCVTIMEO, SO_SNDTIMEO, SOL_SOCKET, socket
from struct import pack
from sys import platform
from typing import Any, NamedTuple

from pymysql.connections import Connection, MySQLResult
from pymysql.constants import COMMAND, CR
from pymysql.err import Error, OperationalError
from pymysql.protocol import MysqlPacket

from lms_graphql.core.column_decoders import DecodingConnection, RowDecoder, Rows
from lms_graphql.core.mysql_row_code import DecodeRows, DriverColumn, generate_decoder

BUFFER_BYTES = 65_536
MAX_CACHED_FORMATS = 512
"""Formats of results. If there are more, all are removed, and parsed again when they are needed."""

EOF_BYTES = 9
STATUS_BYTES = 4
"""Warnings and status at the end of an EOF packet. They differ from answer to answer."""


class ResultFormat(NamedTuple):
    """The columns of a result, as PyMySQL has parsed their descriptions."""

    description: tuple[Any, ...]
    converters: tuple[DriverColumn, ...]


_formats: dict[tuple[bool, str, bytes], ResultFormat] = {}
"""Formats by `use_unicode`, encoding, and the packets that describe the columns."""


class GeneratedReaderConnection(Connection, DecodingConnection):
    """A connection whose buffered results are read by `_Result`. Its converters (`conv`) must be PyMySQL's own."""

    # Undocumented parts of PyMySQL
    _sock: Any
    _rfile: Any
    _read_timeout: float | None
    _write_timeout: float | None
    _result: Any
    _next_seq_id: int
    _execute_command: Callable[[int, str], None]
    _read_bytes: Callable[[int], bytes]
    _read_packet: Callable[..., MysqlPacket]
    escape: Callable[..., str]
    _force_close: Callable[[], None]

    def connect(self, sock: Any = None) -> None:
        super().connect(sock)
        # PyMySQL's buffer has 8 KB, and one row for each filling is decoded slowly. It is empty after the handshake.
        # A subclass, such as that for TLS, may need Python's timeouts. Other systems have other forms of the options.
        # If both timeouts differ, PyMySQL sets Python's again for each direction.
        if type(self._sock) is socket and self._read_timeout == self._write_timeout and platform == "linux":
            self._rfile = BufferedReader(_BlockingSocketFile(self._sock, self._read_timeout), BUFFER_BYTES)
        else:
            self._rfile = self._sock.makefile("rb", BUFFER_BYTES)

    def fetch_decoded(self, query: str, values: tuple[Any, ...], decoder: RowDecoder) -> Rows:
        self._send(query, values)
        return self._read_result(decoder).rows

    def update(self, query: str, values: tuple[Any, ...]) -> int:
        self._send(query, values)
        return self._read_result(None).affected_rows

    def _send(self, query: str, values: tuple[Any, ...]) -> None:
        self._execute_command(COMMAND.COM_QUERY, query % tuple([self._literal(value) for value in values]))

    def _literal(self, value: Any) -> str:
        """Return the value as SQL. Keys need no escaping, and most values are keys."""
        if value.__class__ is int:
            return str(value)
        if value.__class__ is tuple and set(map(type, value)) == {int}:
            return f"({','.join(map(str, value))})"
        return self.escape(value)

    def _read_query_result(self, unbuffered: bool = False) -> Any:
        if unbuffered:
            return super()._read_query_result(unbuffered)  # type: ignore[misc]
        return self._read_result(None).affected_rows

    def _read_result(self, decoder: RowDecoder | None) -> "_Result":
        self._result = None
        result = _Result(self, decoder)
        result.read()
        self._result = result
        if result.server_status is not None:
            self.server_status = result.server_status
        return result

    def buffered_bytes(self) -> bytes:
        """Return the bytes that have arrived, without taking them. Wait for some if there are none.

        Raise OperationalError like `Connection._read_bytes` if the connection is lost.
        """
        try:
            return self._rfile.peek()
        except OSError as error:
            self._force_close()
            message = f"Lost connection to MySQL server during query ({error})"
            raise OperationalError(CR.CR_SERVER_LOST, message) from error
        except BaseException:
            self._force_close()
            raise

    def take_packets(self, count: int) -> bytes:
        """Take the next packets with their headers, whatever they are."""
        parts = []
        for _ in range(count):
            header = self._read_bytes(4)
            parts += [header, self._read_bytes(int.from_bytes(header[:3], "little"))]
        return b"".join(parts)


class _BlockingSocketFile(RawIOBase):
    """A socket whose timeouts the kernel measures.

    Python's own timeouts poll before each call. Poll and call release the interpreter's lock, for which other threads
    wait. Without the polls, a page of courses took 5 % less CPU.
    """

    def __init__(self, connection: socket, seconds: float | None) -> None:
        self._socket = connection
        interval = pack("ll", *divmod(int((seconds or 0) * 1_000_000), 1_000_000))  # 0 means no timeout
        for option in (SO_RCVTIMEO, SO_SNDTIMEO):
            connection.setsockopt(SOL_SOCKET, option, interval)
        connection.settimeout(None)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            return self._socket.recv_into(buffer)
        except BlockingIOError:
            raise TimeoutError("timed out") from None


class _Result(MySQLResult):
    """A result whose columns are recognized by the bytes of their descriptions."""

    # Undocumented parts of PyMySQL
    connection: GeneratedReaderConnection
    affected_rows: int
    converters: Sequence[DriverColumn]
    rows: tuple[tuple[Any, ...], ...]
    _check_packet_is_eof: Callable[[MysqlPacket], bool]
    _read_row_from_packet: Callable[[MysqlPacket], tuple[Any, ...]]

    def __init__(self, connection: GeneratedReaderConnection, decoder: RowDecoder | None) -> None:
        super().__init__(connection)
        self._decoder = decoder

    def _get_descriptions(self) -> None:
        connection = self.connection
        buffered = connection.buffered_bytes()
        # An EOF packet ends the descriptions. What looks like it may also be a part of them, but then what precedes
        # it is no known format.
        end_mark = bytes((5, 0, 0, (connection._next_seq_id + self.field_count) % 256, 0xFE))
        size = buffered.find(end_mark) + EOF_BYTES
        described = buffered[: size - STATUS_BYTES]
        known = _formats.get((connection.use_unicode, connection.encoding, described))
        if known is not None:
            connection._rfile.read(size)
        else:
            packets = connection.take_packets(self.field_count + 1)
            described = packets[:-STATUS_BYTES]
            key = (connection.use_unicode, connection.encoding, described)
            known = _formats.get(key) or self._parse_format(key, packets)
        connection._next_seq_id = (described[-2] + 1) % 256
        self.description, self.converters = known.description, known.converters
        self._decode_rows = _row_function(known.converters, self._decoder)

    def _parse_format(self, key: tuple[bool, str, bytes], packets: bytes) -> ResultFormat:
        """Let PyMySQL parse the packets, and cache the format."""
        connection = self.connection
        file, connection._rfile = connection._rfile, BytesIO(packets)
        try:
            super()._get_descriptions()  # type: ignore[misc]
        finally:
            connection._rfile = file
        if len(_formats) >= MAX_CACHED_FORMATS:
            _formats.clear()
        known = _formats[key] = ResultFormat(self.description, tuple(self.converters))
        return known

    def _read_rowdata_packet(self) -> None:
        rows: list[tuple[Any, ...]] = []
        try:
            self._read_rows(rows)
        except Error:  # of the server, or of the connection
            raise
        except Exception:
            # A value that cannot be decoded. The connection is used again, so the rest of the answer is read.
            while not self._check_packet_is_eof(self.connection._read_packet()):
                pass
            raise
        self.affected_rows = len(rows)
        self.rows = tuple(rows)

    def _read_rows(self, rows: list[tuple[Any, ...]]) -> None:
        connection, decoder, decode_rows = self.connection, self._decoder, self._decode_rows
        while True:
            size, number = decode_rows(connection.buffered_bytes(), connection._next_seq_id, rows)
            connection._rfile.read(size)
            connection._next_seq_id = number
            packet = connection._read_packet()
            if self._check_packet_is_eof(packet):
                return
            row = self._read_row_from_packet(packet)
            rows += (row,) if decoder is None else decoder.decode((row,))


def _row_function(columns: tuple[DriverColumn, ...], decoder: RowDecoder | None) -> DecodeRows:
    """Return the function that decodes rows of these columns. It is generated once for each decoder."""
    if decoder is None:
        return _plain_row_function(columns)
    function: DecodeRows | None = decoder.generated.get(columns)
    if function is None:
        function = decoder.generated[columns] = generate_decoder(columns, decoder.columns)
    return function


@lru_cache(MAX_CACHED_FORMATS)
def _plain_row_function(columns: tuple[DriverColumn, ...]) -> DecodeRows:
    return generate_decoder(columns)
