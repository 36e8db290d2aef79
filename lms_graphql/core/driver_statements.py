"""Constant statements straight to the driver: compiled once, and executed without SQLAlchemy's execution context.

SQLAlchemy spends a quarter of the time of a small statement: a context, a cache key, the expansion of IN, a result,
and a `Row` for each row. A `DriverStatement` does that once. The driver escapes its values and writes the lists.
Types, error classes and the handling of lost connections are SQLAlchemy's.

Only MySQL's drivers are used so. SQLite and unknown drivers run all statements by SQLAlchemy.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Dialect, Executable, Select, Update
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.schema import CallableColumnDefault

from lms_graphql.core import query_counter, tracing
from lms_graphql.core.column_decoders import DecodingConnection, RowDecoder, Rows

DRIVERS = ("pymysql", "mysqldb")
_PARAMETER = re.compile(r"%%|%\((?P<value>\w+)\)s|\(__\[POSTCOMPILE_(?P<list>\w+)\]\)")

Processor = Callable[[Any], Any]
Observer = Callable[[Connection, str, Sequence[Any]], None]

observers: list[Observer] = []
"""Functions that are called before each statement, like SQLAlchemy's event `before_cursor_execute`. Their errors are
handled as if the driver had raised them."""


class NotConstantError(Exception):
    """The statement cannot be compiled once for all values."""


class DriverStatement:
    """A SELECT of columns, or an UPDATE, for one driver. `names` are the parameters that each execution must give."""

    def __init__(self, statement: Select[Any] | Update, dialect: Dialect, names: frozenset[str]) -> None:
        compiled = _compile(statement, dialect, names)
        self._sql, positions = _positional(compiled)
        if "POSTCOMPILE" in self._sql:
            raise NotConstantError
        self._parameters = [_Parameter(compiled, name, dialect, names) for name in positions]
        self._decoder: RowDecoder | None = None
        if isinstance(statement, Select):
            self._decoder = RowDecoder([column.type for column in statement.selected_columns], dialect)

    def fetch(self, connection: Connection, binds: Mapping[str, Any]) -> Rows | None:
        """Return the rows, or None if a list is empty: no driver writes an empty IN."""
        values = self._values(binds)
        if values is None:
            return None
        with tracing.statement_span(self._sql, connection.dialect):
            return self._execute(connection, values, self._fetch_all)

    def update(self, connection: Connection, binds: Mapping[str, Any]) -> int | None:
        """Return the number of rows that the UPDATE matched, or None if a list is empty."""
        values = self._values(binds)
        if values is None:
            return None
        with tracing.statement_span(self._sql, connection.dialect):
            return self._execute(connection, values, _row_count)

    def _values(self, binds: Mapping[str, Any]) -> tuple[Any, ...] | None:
        values = tuple([parameter.value(binds) for parameter in self._parameters])
        return None if () in values else values

    def _execute(self, connection: Connection, values: tuple[Any, ...], result: Callable[[DBAPICursor], Any]) -> Any:
        cursor: DBAPICursor | None = None
        query_counter.count_statement()
        try:
            for observe in observers:
                observe(connection, self._sql, values)
            driver = connection.connection.driver_connection
            if isinstance(driver, DecodingConnection):
                if self._decoder is None:
                    return driver.update(self._sql, values)
                return driver.fetch_decoded(self._sql, values, self._decoder)
            cursor = connection.connection.cursor()
            cursor.execute(self._sql, values)
            outcome = result(cursor)
            cursor.close()
        except Exception as error:
            # It raises the error in SQLAlchemy's class, and invalidates a lost connection.
            connection._handle_dbapi_exception(error, self._sql, values, cursor, None)
        return outcome

    def _fetch_all(self, cursor: DBAPICursor) -> Rows:
        rows: Rows = cursor.fetchall()
        return rows if self._decoder is None else self._decoder.decode(rows)


class _Parameter:
    """A parameter of a statement: given by each execution, constant, or computed by the column's `onupdate`."""

    def __init__(self, compiled: SQLCompiler, name: str, dialect: Dialect, names: frozenset[str]) -> None:
        bind = compiled.binds[name]
        self._key = bind.key if bind.key in names else None
        self._process: Processor | None = bind.type.dialect_impl(dialect).bind_processor(dialect)
        self._is_list = bind.expanding
        self._compute: Callable[[Any], Any] | None = None
        self._constant: Any = None
        computed = {column.key: column.onupdate for column in compiled.update_prefetch}
        if self._key is not None:
            return
        if (onupdate := computed.get(name)) is not None:
            if not isinstance(onupdate, CallableColumnDefault):
                raise NotConstantError
            self._compute = onupdate.arg
        elif bind.required or bind.callable is not None:
            raise NotConstantError
        else:
            self._constant = self._processed(bind.value)

    def value(self, binds: Mapping[str, Any]) -> Any:
        if self._key is not None:
            return self._processed(binds[self._key])
        return self._constant if self._compute is None else self._processed(self._compute(None))

    def _processed(self, value: Any) -> Any:
        process = self._process
        if self._is_list:
            return tuple(value) if process is None else tuple(map(process, value))
        return value if process is None else process(value)


def _compile(statement: Select[Any] | Update, dialect: Dialect, names: frozenset[str]) -> SQLCompiler:
    columns = None
    if isinstance(statement, Update):
        columns = [name for name in names if name in statement.table.c]
    compiled = statement.compile(dialect=dialect, column_keys=columns)
    assert isinstance(compiled, SQLCompiler)
    return compiled


def _positional(compiled: SQLCompiler) -> tuple[str, list[str]]:
    """Return the text with a `%s` for each value or list, and the names of these parameters in order."""
    names: list[str] = []

    def replace(found: re.Match[str]) -> str:
        name = found["value"] or found["list"]
        if name is None:
            return found[0]
        names.append(name)
        return "%s"

    text = _PARAMETER.sub(replace, compiled.string)
    return text, names if compiled.positiontup is None else compiled.positiontup


def _row_count(cursor: DBAPICursor) -> int:
    return cursor.rowcount


class _Cache:
    """Driver statements by statement, dialect and names of the parameters.

    A statement is compiled at its second execution, because one that is built for a single execution is faster by
    SQLAlchemy, which finds its compiled form by its structure. The key is the statement itself, which is held weakly.
    """

    def __init__(self) -> None:
        self._by_statement: WeakKeyDictionary[Executable, dict[Any, DriverStatement | None]] = WeakKeyDictionary()

    def find(
        self, statement: Select[Any] | Update, dialect: Dialect, names: frozenset[str]
    ) -> DriverStatement | None:
        known = self._by_statement.get(statement)
        if known is None:
            self._by_statement[statement] = {}
            return None
        key = (dialect, names)
        if key not in known:
            try:
                known[key] = DriverStatement(statement, dialect, names)
            except NotConstantError:
                known[key] = None
        return known[key]


_cache = _Cache()


def driver_statement(
    statement: Select[Any] | Update, connection: Connection, binds: Mapping[str, Any]
) -> DriverStatement | None:
    """Return the compiled statement for the connection's driver, or None if SQLAlchemy is to run it."""
    if connection.dialect.driver not in DRIVERS or not isinstance(statement, Select | Update):
        return None
    return _cache.find(statement, connection.dialect, frozenset(binds))
