"""Databases and the clock of the random sequences. Each sequence begins with the same rows."""

import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from lms_graphql.all_models import metadata
from lms_graphql.core.database import Database
from lms_graphql.core.engines import make_engine
from lms_graphql.settings import SESSION_SETTINGS_KEY
from tests.billing.money_machine.people import SETTINGS, add_people
from tests.live_service import delete_all_rows
from tests.row_writer import START

P = ParamSpec("P")
T = TypeVar("T")


class MachineDatabase:
    """A database as the service uses it, with what the sequences need besides."""

    def __init__(self, url: str | URL) -> None:
        self.database = Database(url)
        metadata.create_all(self.database.engine)
        self._connection = make_engine(self.database.url, pool_size=1, for_reads=True).connect()

    def run(self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a service in a transaction."""

        def run(session: Session) -> T:
            session.info[SESSION_SETTINGS_KEY] = SETTINGS
            return work(session, *args, **kwargs)

        return self.database.write_sync(run)

    def rows(self, statement: str) -> list[Any]:
        """Select rows on a connection of its own, which no fault reaches."""
        return [tuple(row) for row in self._connection.exec_driver_sql(statement)]

    def version(self) -> object:
        """Return a value that differs from the one before if something may have been committed since."""
        return object()

    def reset(self) -> None:
        """Delete everything but the people and the course."""
        delete_all_rows(self.database)
        self.run(add_people)

    def image(self) -> Any:
        """Return a copy of all rows for `restore`; None if that would take longer than to write them again."""

    def restore(self, image: Any) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self._connection.close()
        self.database.dispose()


class SqliteFile(MachineDatabase):
    """A SQLite file. Its images are databases in memory."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"sqlite:///{folder}/machine.db")
        self.run(add_people)
        self._file = sqlite3.connect(folder / "machine.db")
        self._images: list[sqlite3.Connection] = []
        self._first_rows = self.image()

    def rows(self, statement: str) -> list[Any]:
        return self._file.execute(statement).fetchall()

    def version(self) -> object:
        return self.rows("PRAGMA data_version")

    def reset(self) -> None:
        self.restore(self._first_rows)

    def image(self) -> sqlite3.Connection:
        image = sqlite3.connect(":memory:")
        self._file.backup(image)
        self._images.append(image)
        return image

    def restore(self, image: sqlite3.Connection) -> None:
        image.backup(self._file)

    def close(self) -> None:
        super().close()
        for connection in (self._file, *self._images):
            connection.close()


class Clock:
    """The time of a sequence. It never stands still, so that no two rows have the same time."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        self.time += timedelta(milliseconds=1)
        return self.time

    def advance(self, hours: int) -> None:
        self.time += timedelta(hours=hours)
