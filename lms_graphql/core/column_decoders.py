"""Column decoders: how the values of a driver become those of SQLAlchemy's types, for all rows of a statement."""

from abc import abstractmethod
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import UTC
from enum import Enum as PythonEnum
from enum import auto
from typing import Any, NamedTuple

from sqlalchemy import Boolean, Dialect, Enum
from sqlalchemy.types import TypeEngine

from lms_graphql.core.orm import UtcDateTime

Rows = Sequence[tuple[Any, ...]]


class DecoderKind(PythonEnum):
    """Ways to decode the values of a column."""

    UNCHANGED = auto()
    UTC_DATETIME = auto()
    MEMBER = auto()
    BOOLEAN = auto()
    FUNCTION = auto()


class ColumnDecoder(NamedTuple):
    """How the driver's values of a column are decoded.

    `argument` is a dict of enum members by stored text for MEMBER, and a function for BOOLEAN and FUNCTION.
    """

    kind: DecoderKind
    argument: Any = None

    def expression(self, value: str, argument: str) -> str:
        """Return an expression that decodes the driver's value, which may be None. Both parameters are names."""
        match self.kind:
            case DecoderKind.UNCHANGED:
                return value
            case DecoderKind.UTC_DATETIME:
                return f"None if {value} is None else {value}.replace(tzinfo=UTC)"
            case DecoderKind.MEMBER:
                return f"None if {value} is None else {argument}[{value}]"
            case _:
                return f"{argument}({value})"


class RowDecoder:
    """The column decoders of a statement.

    `generated` holds what a `DecodingConnection` has generated for them, by its formats of the columns.
    """

    def __init__(self, types: Iterable[TypeEngine[Any]], dialect: Dialect) -> None:
        self.columns = [_column_decoder(column_type, dialect) for column_type in types]
        self.generated: dict[Hashable, Any] = {}
        self._decode = _generate(self.columns)

    def decode(self, rows: Rows) -> Rows:
        """Return the rows of a driver decoded."""
        return rows if self._decode is None else self._decode(rows)


class DecodingConnection:
    """A driver's connection that needs no cursor, and decodes rows while it reads them."""

    @abstractmethod
    def fetch_decoded(self, query: str, values: tuple[Any, ...], decoder: RowDecoder) -> Rows:
        """Execute a SELECT with `%s` for each value, and return its rows decoded."""

    @abstractmethod
    def update(self, query: str, values: tuple[Any, ...]) -> int:
        """Execute an UPDATE with `%s` for each value, and return the number of rows that it matched."""


def _column_decoder(column_type: TypeEngine[Any], dialect: Dialect) -> ColumnDecoder:
    if isinstance(column_type, UtcDateTime):
        return ColumnDecoder(DecoderKind.UTC_DATETIME)
    if (
        isinstance(column_type, Enum)
        and column_type.enum_class is not None
        and column_type.values_callable is not None
    ):
        members = column_type.enum_class.__members__.values()
        values = column_type.values_callable(column_type.enum_class)
        return ColumnDecoder(DecoderKind.MEMBER, dict(zip(values, members, strict=True)))
    process = column_type.dialect_impl(dialect).result_processor(dialect, None)
    if process is None:
        return ColumnDecoder(DecoderKind.UNCHANGED)
    is_boolean = isinstance(column_type, Boolean)
    return ColumnDecoder(DecoderKind.BOOLEAN if is_boolean else DecoderKind.FUNCTION, process)


def _generate(columns: Sequence[ColumnDecoder]) -> Callable[[Rows], Rows] | None:
    """Return a function that decodes the driver's rows, or None if no column changes.

    Its code is generated for the columns: one expression for each.
    """
    if all(column.kind is DecoderKind.UNCHANGED for column in columns):
        return None
    values = "".join(f"v{number}, " for number in range(len(columns)))
    results = "".join(f"{column.expression(f'v{number}', f'f{number}')}, " for number, column in enumerate(columns))
    names = {f"f{number}": column.argument for number, column in enumerate(columns)}
    source = f"lambda rows: [({results}) for {values}in rows]"
    decode: Callable[[Rows], Rows] = eval(source, {**names, "UTC": UTC})  # noqa: S307 - made of numbers only
    return decode
