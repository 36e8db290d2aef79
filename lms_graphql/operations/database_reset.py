"""`db reset`: everything gone, on purpose. What it would drop is told first, and it is never done by accident."""

from pathlib import PurePath

from sqlalchemy import Engine, inspect, text
from sqlalchemy.engine import URL

from lms_graphql.core.database import Database
from lms_graphql.core.errors import OperatorError
from lms_graphql.settings import Settings


def name_of(url: URL) -> str:
    """What must be typed: the database's name, or its file's."""
    return PurePath(url.database or "").name


def refuse_in_production(settings: Settings) -> None:
    if settings.is_production:
        raise OperatorError("A production database is not reset. (LMS_ENV is production.)")


def refuse_unless_named(settings: Settings, typed: str) -> None:
    if typed != name_of(settings.url):
        raise OperatorError(f"Nothing was dropped: the database is called {name_of(settings.url)}.")


def contents(engine: Engine) -> list[tuple[str, int]]:
    """Each table that would go, with its number of rows."""
    with engine.connect() as connection:
        quote = engine.dialect.identifier_preparer.quote
        return [
            (name, connection.scalar(text(f"SELECT COUNT(*) FROM {quote(name)}")) or 0)  # noqa: S608 - quoted
            for name in sorted(inspect(connection).get_table_names())
        ]


def drop_all(database: Database) -> None:
    """Drops every table, also those that no model knows any more. Foreign keys do not stand in the way."""
    engine = database.reading  # statement by statement: SQLite heeds the pragma only outside of a transaction
    is_sqlite = database.is_sqlite
    off, on = (
        ("PRAGMA foreign_keys=OFF", "PRAGMA foreign_keys=ON")
        if is_sqlite
        else ("SET SESSION foreign_key_checks = 0", "SET SESSION foreign_key_checks = 1")
    )
    quote = engine.dialect.identifier_preparer.quote
    with engine.connect() as connection:
        connection.execute(text(off))
        try:
            for name in inspect(connection).get_table_names():
                connection.execute(text(f"DROP TABLE {quote(name)}"))
        finally:
            connection.execute(text(on))
