"""Choice of the code that reads results of PyMySQL: the generated reader, or PyMySQL's own."""

from enum import StrEnum
from functools import cache
from importlib import import_module
from typing import Any

import pymysql
import structlog
from sqlalchemy import Dialect, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

logger = structlog.get_logger("lms_graphql.database")

PYMYSQL_VERSION = "1.2.4"
"""Version of PyMySQL whose undocumented parts the generated reader uses. pyproject.toml pins it."""
GENERATED_READER_MODULE = "lms_graphql.core.mysql_reader"


class MysqlReaderChoice(StrEnum):
    """Readers of PyMySQL's results."""

    GENERATED = "generated"
    PYMYSQL = "pymysql"


def install(engine: Engine, reader: MysqlReaderChoice) -> None:
    """Let connections of PyMySQL use this reader from now on.

    With another version of PyMySQL than the generated reader was written for, they use PyMySQL's own.
    """
    if engine.dialect.driver != "pymysql" or reader is MysqlReaderChoice.PYMYSQL:
        return
    connection_class = _connection_class(pymysql.VERSION_STRING)
    if connection_class is None:
        return

    @event.listens_for(engine, "do_connect")
    def connect(
        dialect: Dialect, record: ConnectionPoolEntry, arguments: list[Any], options: dict[str, Any]
    ) -> DBAPIConnection:
        connection: DBAPIConnection = connection_class(*arguments, **options)
        return connection


@cache
def _connection_class(installed_version: str) -> type[Any] | None:
    """Return the connections with the generated reader. Log a warning, once, if it cannot be used."""
    if installed_version != PYMYSQL_VERSION:
        logger.warning("mysql_reader_unavailable", installed=installed_version, required=PYMYSQL_VERSION)
        return None
    # Its classes extend undocumented parts of PyMySQL, so another version may not even let it be imported.
    connection_class: type[Any] = import_module(GENERATED_READER_MODULE).GeneratedReaderConnection
    return connection_class
