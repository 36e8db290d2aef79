"""The service's own statements as text for a PyMySQL cursor, captured while each read runs once."""

import re
from collections.abc import Callable
from operator import itemgetter
from typing import Any

from pymysql.converters import escape_item
from sqlalchemy import Select, create_engine, event
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql
from sqlalchemy.orm import Session

DIALECT = MySQLDialect_pymysql(paramstyle="pyformat")
KEYS = "(__[POSTCOMPILE_keys])"
PLACEHOLDER = re.compile(r"%\((\w+)\)s")


class Statement:
    """A SELECT. `text` contains all its values except the keys, which are a `%s`."""

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        compiled = statement.compile(dialect=DIALECT)
        values = {name: escape_item(value, "utf8mb4") for name, value in compiled.params.items()}
        self.text = PLACEHOLDER.sub(lambda match: values[match[1]], str(compiled).replace(KEYS, "%s"))
        self._columns = list(statement.selected_columns.keys())

    def pick(self, *names: str) -> Callable[[tuple[Any, ...]], Any]:
        """Return a function that takes these columns from a row."""
        return itemgetter(*(self._columns.index(name) for name in names))


def capture(url: str, read: Callable[[Session], object]) -> Statement:
    """Return the only statement that the read executes."""
    executed: list[Any] = []
    engine = create_engine(url)
    event.listen(engine, "before_execute", lambda connection, statement, *rest: executed.append(statement))
    with Session(engine) as session:
        read(session)
    engine.dispose()
    [statement] = executed
    return Statement(statement)
