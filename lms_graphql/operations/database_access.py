"""Why a database cannot be reached or used, said in one line for whoever operates the service."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from lms_graphql.core.database import Database
from lms_graphql.core.errors import OperatorError
from lms_graphql.operations import migrations, readiness
from lms_graphql.settings import Settings

ACCESS_DENIED = {1044, 1045, 1698}
NO_SUCH_DATABASE = 1049
UNREACHABLE = {2002, 2003, 2005, 2006, 2013}
TOO_MANY_CONNECTIONS = 1040


@contextlib.contextmanager
def open_database(settings: Settings, *, may_create: bool = True) -> Iterator[Database]:
    """The settings' database for one command, without bounds on time. OperatorError where it cannot be used."""
    if not may_create:
        _require_file(settings.url)
    database = Database(settings.url, pool_size=2, threads=1, patient=True)
    try:
        yield database
    except DBAPIError as error:
        raise OperatorError(explain_connection_error(error, settings.url)) from error
    finally:
        database.dispose()


def _require_file(url: URL) -> None:
    """SQLite makes an empty file where there is none, also for who only wants to look."""
    if url.get_backend_name() == "sqlite" and "uri" not in url.query and not Path(url.database or "").exists():
        raise OperatorError(f"There is no database {url.database} yet. Run `lms-graphql db init`.")


def explain_connection_error(error: DBAPIError, url: URL) -> str:
    original = error.orig
    code = original.args[0] if original is not None and original.args else None
    place = f"{url.host}:{url.port}"
    if url.get_backend_name() == "sqlite":
        return f"The database file {url.database} cannot be used: {original}."
    if code in ACCESS_DENIED:
        return f"The database at {place} refuses the user or the password (DB_USER, DB_PASSWORD)."
    if code == NO_SUCH_DATABASE:
        return f"There is no database {url.database} at {place} (DB_NAME). Create it first."
    if code in UNREACHABLE:
        return f"No database answers at {place} (DB_HOST, DB_PORT)."
    if code == TOO_MANY_CONNECTIONS:
        return f"The database at {place} has too many connections."
    return f"The database at {place} cannot do this: {original}."


def require_migrated(settings: Settings) -> None:
    """OperatorError where the service could not answer from this database."""
    with open_database(settings, may_create=False) as database:
        if problem := database.read_sync(readiness.readiness_problem):
            database.read_sync(lambda session: migrations.current(session.connection()))  # what migrating cannot mend
            raise OperatorError(f"{problem} Run `lms-graphql db migrate` (or `db init`, for the first users).")
