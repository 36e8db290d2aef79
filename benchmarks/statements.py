"""The service's own statements as text for a plain PyMySQL cursor: taken down while its reads run once."""

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
MARK = re.compile(r"%\((\w+)\)s")


class Statement:
    """`text` has its values in it, but for the keys: those are a `%s`."""

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        compiled = statement.compile(dialect=DIALECT)
        values = {name: escape_item(value, "utf8mb4") for name, value in compiled.params.items()}
        self.text = MARK.sub(lambda mark: values[mark[1]], str(compiled).replace(KEYS, "%s"))
        self._columns = list(statement.selected_columns.keys())

    def pick(self, *names: str) -> Callable[[tuple[Any, ...]], Any]:
        """Takes these columns out of a row."""
        return itemgetter(*(self._columns.index(name) for name in names))


def overhear(url: str, read: Callable[[Session], object]) -> Statement:
    """What a read executes."""
    executed: list[Any] = []
    engine = create_engine(url)
    event.listen(engine, "before_execute", lambda connection, statement, *rest: executed.append(statement))
    with Session(engine) as session:
        read(session)
    engine.dispose()
    [statement] = executed
    return Statement(statement)
