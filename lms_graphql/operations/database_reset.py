"""`db reset`: drop all tables. It lists them first, and needs the database's name as confirmation."""

from pathlib import PurePath

from sqlalchemy import Engine, inspect, text
from sqlalchemy.engine import URL

from lms_graphql.core.database import Database
from lms_graphql.core.errors import OperatorError
from lms_graphql.operations import setup_lock
from lms_graphql.settings import Settings


def database_name(url: URL) -> str:
    """Return the name that confirms a reset: the database's, or that of SQLite's file without its folder."""
    return PurePath(url.database or "").name


def require_development(settings: Settings) -> None:
    if settings.is_production:
        raise OperatorError("`db reset` is disabled in production. Unset LMS_ENV if this is not a production system.")


def require_confirmation(settings: Settings, typed: str) -> None:
    name = database_name(settings.url)
    if typed != name:
        raise OperatorError(f"Nothing was dropped, because the database has another name. Type {name} to drop it.")


def table_sizes(engine: Engine) -> list[tuple[str, int]]:
    """Return the name and the number of rows of every table."""
    with engine.connect() as connection:
        quote = engine.dialect.identifier_preparer.quote
        return [
            (name, connection.scalar(text(f"SELECT COUNT(*) FROM {quote(name)}")) or 0)  # noqa: S608 - quoted
            for name in sorted(inspect(connection).get_table_names())
        ]


def drop_all_tables(database: Database) -> None:
    """Drop every table, including those that no model knows, without regard to foreign keys.

    The setup lock stays, and is held, so that nothing is dropped while another process sets up the database.
    """
    engine = database.read_engine  # in autocommit, because SQLite ignores the pragma inside of a transaction
    disable, enable = (
        ("PRAGMA foreign_keys=OFF", "PRAGMA foreign_keys=ON")
        if database.is_sqlite
        else ("SET SESSION foreign_key_checks = 0", "SET SESSION foreign_key_checks = 1")
    )
    quote = engine.dialect.identifier_preparer.quote
    with setup_lock.setup_lock(database.engine), engine.connect() as connection:
        connection.execute(text(disable))
        try:
            for name in set(inspect(connection).get_table_names()) - {setup_lock.TABLE}:
                connection.execute(text(f"DROP TABLE {quote(name)}"))
        finally:
            connection.execute(text(enable))
