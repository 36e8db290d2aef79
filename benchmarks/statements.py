"""The service's own statements as text for a plain PyMySQL cursor: taken down once, from the reads themselves."""

import re
from collections.abc import Callable
from operator import itemgetter
from typing import Any, cast

from pymysql.converters import escape_item
from sqlalchemy import Select
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql
from sqlalchemy.orm import Session

DIALECT = MySQLDialect_pymysql(paramstyle="pyformat")
KEYS = "(__[POSTCOMPILE_keys])"
MARK = re.compile(r"%\((\w+)\)s")


class Statement:
    """`text` has its values in it, but for the keys: those are a `%s`."""

    def __init__(self, statement: Select[Any]) -> None:
        compiled = statement.compile(dialect=DIALECT)
        values = {name: escape_item(value, "utf8mb4") for name, value in compiled.params.items() if value is not None}
        self.text = MARK.sub(lambda mark: values[mark[1]], str(compiled).replace(KEYS, "%s"))
        self._columns = list(statement.selected_columns.keys())

    def pick(self, *names: str) -> Callable[[tuple[Any, ...]], Any]:
        """Takes these columns out of a row."""
        return itemgetter(*(self._columns.index(name) for name in names))


class OverheardError(Exception):
    """Raised to go no further: nothing went wrong."""


class Listener:
    """Stands in for a session and keeps the first statement that it is to execute."""

    statement: Select[Any]

    def execute(self, statement: Select[Any], binds: object = None) -> None:
        self.statement = statement
        raise OverheardError


def overhear(read: Callable[[Session], object]) -> Statement:
    """What a read executes."""
    listener = Listener()
    try:
        read(cast(Session, listener))
    except OverheardError:
        return Statement(listener.statement)
    raise AssertionError("This read executes nothing.")
