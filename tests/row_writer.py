"""Base of the factories: adding rows of any table, one by one or several in one transaction."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from lms_graphql.core.database import Database

T = TypeVar("T")
START = datetime(2026, 1, 1, 12, tzinfo=UTC)


class RowWriter:
    """Writes rows to a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._numbers = itertools.count(1)
        self._session: Session | None = None

    def _later(self) -> datetime:
        """Return a time a minute after that of the previous row."""
        return START + timedelta(minutes=next(self._numbers))

    def add(self, row: Any) -> Any:
        """Add a row of any table."""
        return self._add(row)

    def _add(self, row: Any) -> Any:
        return self._add_all([row])[0]

    def _add_all(self, rows: list[T]) -> list[T]:
        """Add the rows with one flush, because a flush for each takes longer than most tests."""

        def add(session: Session) -> list[T]:
            session.add_all(rows)
            session.flush()
            return rows

        return self._write(add)

    def _write(self, work: Callable[[Session], T]) -> T:
        return work(self._session) if self._session is not None else self._database.write_sync(work)

    def _in_one_transaction(self, create: Callable[[], T]) -> T:
        """Create several rows in one transaction, because one for each takes longer than most tests."""

        def work(session: Session) -> T:
            self._session = session
            try:
                return create()
            finally:
                self._session = None

        return self._database.write_sync(work)
