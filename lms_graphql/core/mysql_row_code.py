"""Code for rows of MySQL's text protocol, generated for the columns of a result."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from pymysql import converters

from lms_graphql.core.column_decoders import ColumnDecoder, DecoderKind

DriverColumn = tuple[str | None, Callable[[Any], Any] | None]
"""How PyMySQL decodes a column: the encoding of its text, None for bytes, and the converter of the text, if any."""

DecodeRows = Callable[[bytes, int, list[tuple[Any, ...]]], tuple[int, int]]
"""A function `(packets, sequence number of the first, rows) -> (size, sequence number of the next)`.

It appends rows until it comes to a packet that is incomplete, has another number, or cannot be an ordinary row. The
size is that of the packets before.
"""

ROWS = """
def decode_rows(data, number, rows):
    append = rows.append
    packet, size = 0, len(data)
    while packet + 4 < size:
        position = packet + 4
        end = position + (data[packet] | data[packet + 1] << 8 | data[packet + 2] << 16)
        length = data[position]
        if end > size or length > 253 or data[packet + 3] != number:
            break
{columns}
        if position != end:
            break
        append(({values}))
        packet = end
        number = (number + 1) % 256
    return packet, number
"""
COLUMN = """
        length = data[position]
        if length < 251:
            start = position + 1
            position = start + length
            v{number} = {value}
        elif length == 251:
            v{number} = None
            position += 1
        else:
            start, position = long_value(data, position)
            v{number} = {value}
"""
BYTES = "data[start:position]"
UNCHANGED = ColumnDecoder(DecoderKind.UNCHANGED)


def generate_decoder(
    driver_columns: Sequence[DriverColumn], decoders: Sequence[ColumnDecoder] | None = None
) -> DecodeRows:
    """Return a function that decodes rows like PyMySQL. With `decoders`, it decodes their values further by these."""
    names: dict[str, Any] = {
        "UTC": UTC,
        "long_value": _long_value,
        "parse_iso": datetime.fromisoformat,
        "parse_datetime": _parse_datetime,
    }
    columns, results = [], []
    for number, driver_column in enumerate(driver_columns):
        decoder = UNCHANGED if decoders is None else decoders[number]
        direct = _direct_value(driver_column, decoder)
        expression, argument = direct or _driver_value(driver_column)
        columns.append(COLUMN.format(number=number, value=expression.format(f"a{number}")))
        results.append(f"v{number}" if direct else decoder.expression(f"v{number}", f"f{number}"))
        names |= {f"a{number}": argument, f"f{number}": decoder.argument}
    source = ROWS.format(columns="".join(columns), values="".join(f"{result}, " for result in results))
    exec(source, names)  # noqa: S102 - made of numbers and names of encodings only
    decode_rows: DecodeRows = names["decode_rows"]
    return decode_rows


def _direct_value(column: DriverColumn, decoder: ColumnDecoder) -> tuple[str, Any] | None:
    """Return an expression that decodes the bytes of a value at once, or None if the driver's value is needed.

    It comes with its argument, for which it has a `{}`.
    """
    encoding, convert = column
    if decoder.kind is DecoderKind.UTC_DATETIME and convert is converters.convert_datetime:
        return f"parse_iso({BYTES}.decode() + '+00:00')", None
    if decoder.kind is DecoderKind.BOOLEAN and convert is int:
        return f"{BYTES} != b'0'", None
    if decoder.kind is DecoderKind.MEMBER and convert is None and encoding is not None:
        return f"{{}}[{BYTES}]", {text.encode(encoding): member for text, member in decoder.argument.items()}
    return None


def _driver_value(column: DriverColumn) -> tuple[str, Any]:
    """Return an expression for PyMySQL's value of the bytes, and its argument."""
    encoding, convert = column
    if convert in {int, float}:
        return f"{{}}({BYTES})", convert  # both read ASCII digits from bytes
    if convert is converters.convert_datetime:
        return f"parse_datetime({BYTES}.decode())", None
    text = BYTES if encoding is None else f"{BYTES}.decode({encoding!r})"
    return (text, None) if convert is None else (f"{{}}({text})", convert)


def _parse_datetime(text: str) -> Any:
    """Return the time, or PyMySQL's value of a text that is no time, such as 0000-00-00 00:00:00."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return converters.convert_datetime(text)


def _long_value(data: bytes, position: int) -> tuple[int, int]:
    """Return where the value that follows a length of two or three bytes starts and ends."""
    start = position + data[position] - 249
    return start, start + int.from_bytes(data[position + 1 : start], "little")
