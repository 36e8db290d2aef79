"""Access to the database for a command, and one-line explanations of why it cannot be reached or used."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from lms_graphql.core.database import Database
from lms_graphql.core.errors import OperatorError
from lms_graphql.operations import migrations, readiness
from lms_graphql.settings import Settings

EXPLANATIONS: dict[int, str] = {
    **dict.fromkeys(
        (1045, 1698),
        "The database server at {server} rejects the user or the password. Check DB_USER and DB_PASSWORD, or "
        "LMS_DATABASE_URL.",
    ),
    1044: (
        "The user may not use the database {database} at {server}. Grant the user all privileges on it, or correct "
        "DB_NAME or LMS_DATABASE_URL."
    ),
    1049: "There is no database {database} at {server}. Create it, or correct DB_NAME or LMS_DATABASE_URL.",
    **dict.fromkeys(
        (2002, 2003, 2005, 2006, 2013),
        "No database server answers at {server}. Start it, or correct DB_HOST and DB_PORT or LMS_DATABASE_URL.",
    ),
    1040: "The database server at {server} has too many connections. Raise its max_connections.",
    **dict.fromkeys(
        (1050, 1060, 1061, 1091),  # a migration creates or drops a table, column or index for the second time
        "A migration of this database was interrupted before: {error}. Restore a backup, then migrate again.",
    ),
}
"""MySQL's and MariaDB's error codes, with what is wrong and what to do."""
OTHER_ERROR = "The database server at {server} rejects a statement: {error}."
SQLITE_ERROR = "The database file {database} cannot be used: {error}. Check its path, permissions and disk space."


@contextlib.contextmanager
def open_database(settings: Settings, *, may_create: bool = True) -> Iterator[Database]:
    """Open the settings' database for one command, without time limits.

    Raise OperatorError if the database cannot be used, or if SQLite's file is missing and `may_create` is False.
    """
    if not may_create:
        _require_file(settings.url)
    database = Database(
        settings.url, pool_size=2, threads=1, for_maintenance=True, mysql_reader=settings.mysql_reader
    )
    try:
        yield database
    except DBAPIError as error:
        raise OperatorError(explain_connection_error(error, settings.url)) from error
    finally:
        database.dispose()


def _require_file(url: URL) -> None:
    """Raise OperatorError if there is no file, because SQLite would create one even for a command that only reads."""
    if url.get_backend_name() == "sqlite" and "uri" not in url.query and not Path(url.database or "").exists():
        raise OperatorError(f"There is no database {url.database} yet. Run `lms-graphql db init`.")


def explain_connection_error(error: DBAPIError, url: URL) -> str:
    """Return what is wrong and what to do about it, in one line and without the password."""
    original = error.orig
    code = original.args[0] if original is not None and original.args else 0
    template = SQLITE_ERROR if url.get_backend_name() == "sqlite" else EXPLANATIONS.get(code, OTHER_ERROR)
    return template.format(server=f"{url.host}:{url.port}", database=url.database, error=original)


def require_migrated(settings: Settings) -> None:
    """Raise OperatorError if the service could not answer from its database, at one of its URLs."""
    _require_migrated(settings)
    if (read_url := settings.read_url) is None:
        return
    if settings.url.get_backend_name() == "sqlite" or read_url.database != settings.url.database:
        raise OperatorError(
            f"LMS_READ_DATABASE_URL: the service reads from {read_url.database}, but writes to "
            f"{settings.url.database}. Use one database for both."
        )
    try:
        _require_migrated(settings.model_copy(update={"database_url": settings.read_database_url}))
    except OperatorError as error:
        raise OperatorError(f"LMS_READ_DATABASE_URL: {error}") from None


def _require_migrated(settings: Settings) -> None:
    with open_database(settings, may_create=False) as database:
        if problem := database.read_sync(readiness.readiness_problem):
            # First the errors that migrating cannot repair: this raises OperatorError for them.
            database.read_sync(lambda session: migrations.current(session.connection()))
            raise OperatorError(problem)
