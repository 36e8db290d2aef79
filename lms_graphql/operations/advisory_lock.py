"""Advisory lock of a database: one process at a time migrates it, seeds it or fills it with demo data."""

import contextlib
from collections.abc import Iterator

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from lms_graphql.core.errors import OperatorError

TIMEOUT_SECONDS = 60
MAX_NAME_LENGTH = 64
"""MySQL's own limit."""


@contextlib.contextmanager
def advisory_lock(engine: Engine) -> Iterator[None]:
    """Hold the advisory lock of the engine's database. Raise OperatorError after `TIMEOUT_SECONDS`.

    SQLite needs none, because BEGIN IMMEDIATE already excludes other writers. MySQL commits after each DDL statement,
    and two processes could both look for missing rows before either has written. A lock's name is valid for the whole
    server, so it contains the database's name. The lock takes a second connection from the engine's pool.
    """
    if engine.dialect.name == "sqlite":
        yield
        return
    name = f"lms_graphql {engine.url.database}"[:MAX_NAME_LENGTH]
    with engine.connect() as connection:
        values = {"name": name, "seconds": TIMEOUT_SECONDS}
        if connection.scalar(text("SELECT GET_LOCK(:name, :seconds)"), values) != 1:
            raise OperatorError("Another process is setting up this database. Try again when it has finished.")
        connection.commit()
        try:
            yield
        finally:
            with contextlib.suppress(DBAPIError):  # the connection is lost, and MySQL has released the lock with it
                connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": name})
                connection.commit()
