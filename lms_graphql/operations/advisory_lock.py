"""What changes a whole database is done by one process at a time."""

import contextlib
from collections.abc import Iterator

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from lms_graphql.core.errors import OperatorError

LOCK_SECONDS = 60
LONGEST_NAME = 64


@contextlib.contextmanager
def advisory_lock(engine: Engine) -> Iterator[None]:
    """
    SQLite's BEGIN IMMEDIATE keeps others out already. MySQL commits with every table, and lets two look for what
    is missing before either has written: it needs a lock with a name, which is the whole server's, so it has the
    database's in it. It takes a connection of the engine's pool, beside the one that the work is done on.
    """
    if engine.dialect.name == "sqlite":
        yield
        return
    name = f"lms_graphql {engine.url.database}"[:LONGEST_NAME]
    with engine.connect() as connection:
        got = connection.scalar(text("SELECT GET_LOCK(:name, :seconds)"), {"name": name, "seconds": LOCK_SECONDS})
        if got != 1:
            raise OperatorError("Another process is setting this database up. Try again when it is done.")
        connection.commit()
        try:
            yield
        finally:
            with contextlib.suppress(DBAPIError):  # the link is lost, and the lock has gone with it
                connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": name})
                connection.commit()
