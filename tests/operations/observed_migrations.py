"""Migrations on MariaDB that are observed: which tables they block, and whether they continue when interrupted."""

import re
from collections import defaultdict
from typing import Any

import pymysql
from sqlalchemy import event, inspect
from sqlalchemy.engine import make_url

from alembic import command
from lms_graphql.core.engines import make_engine
from lms_graphql.operations import migrations
from lms_graphql.operations.migration_plan import PlannedMigration, planned_migrations

MAX_STATEMENTS = 100
"""More changes of the schema than a migration makes."""
LOCK_REFUSED = (1845, 1846)
"""MariaDB's error codes for a change that is not possible with LOCK=NONE."""
SCHEMA_CHANGE = re.compile(r"\s*(ALTER|CREATE|DROP)\b")
ONLINE_CHANGE = re.compile(r"(?:ALTER TABLE|CREATE (?:UNIQUE )?INDEX \S+ ON|DROP INDEX (\S+) ON) `?(\w+)`?")
STALE_ROWS = {
    "0009": (
        "UPDATE users SET name_key = 'x'",
        "UPDATE courses SET title_key = 'x'",
        "UPDATE course_categories SET name_key = slug",
        "UPDATE user_terms SET term = CONCAT('x', LEFT(term, 63))",
        "UPDATE course_terms SET term = CONCAT('x', LEFT(term, 63))",
    ),
}
"""Statements before a migration, so that it finds rows to change: today's rows look migrated already."""


class InterruptionError(Exception):
    """An interruption, as if the process died during a migration."""


class ObservedMigrations:
    """Runs the migrations of a database on MariaDB one by one.

    Each change of a table is tried with LOCK=NONE first. MariaDB refuses that if writes to the table would wait.
    """

    def __init__(self, url: str) -> None:
        self._engine = make_engine(make_url(url), pool_size=1, for_maintenance=True)
        self._revision = ""
        self._existing: set[str] = set()
        self._max_changes = MAX_STATEMENTS
        self._changes: list[str] = []
        self.blocked: dict[str, set[str]] = defaultdict(set)
        """Names of the tables whose writes wait, by revision."""
        event.listen(self._engine, "before_cursor_execute", self._observe, retval=True)
        event.listen(self._engine, "after_cursor_execute", self._interrupt)

    def run(self, revision: str, *, interrupts: bool) -> None:
        """Run one migration. With `interrupts`, it is interrupted after each change of the schema, and runs again.

        An attempt that only repeats changes may make one more, because some migrations begin a table again.
        """
        self._revision = revision
        executed: set[str] = set()
        self._max_changes = 1 if interrupts else MAX_STATEMENTS
        with self._engine.begin() as connection:
            self._existing = set(inspect(connection).get_table_names()) - {"alembic_version"}
        for _ in range(MAX_STATEMENTS):
            self._changes.clear()
            try:
                with self._engine.begin() as connection:
                    command.upgrade(migrations.alembic_config(connection), revision)
            except InterruptionError:
                self._max_changes = self._max_changes + 1 if self._changes[-1] in executed else 1
                executed.update(self._changes)
            else:
                self._existing.clear()
                return
        raise AssertionError(f"Migration {revision} does the same again after each interruption.")

    def plan(self) -> list[PlannedMigration]:
        with self._engine.connect() as connection:
            return planned_migrations(connection)[1]

    def make_rows_stale(self, revision: str) -> None:
        with self._engine.begin() as connection:
            for statement in STALE_ROWS.get(revision, ()):
                connection.exec_driver_sql(statement)

    def schema_drift(self) -> list[str]:
        with self._engine.connect() as connection:
            return migrations.schema_drift(connection)

    def close(self) -> None:
        self._engine.dispose()

    def _observe(self, _connection: Any, cursor: Any, statement: str, values: Any, *_: Any) -> tuple[str, Any]:
        if SCHEMA_CHANGE.match(statement):
            self._changes.append(statement)
        if found := ONLINE_CHANGE.match(" ".join(statement.split())):
            if _changed_online(cursor, statement, found):
                return "DO 0", ()
            self._block({found[2]})
        elif statement.startswith(("UPDATE", "INSERT", "DELETE", "DROP TABLE")):
            self._block(set(re.findall(r"\w+", statement)))
        return statement, values

    def _block(self, names: set[str]) -> None:
        if tables := names & self._existing:
            self.blocked[self._revision] |= tables

    def _interrupt(self, *_: Any) -> None:
        if len(self._changes) == self._max_changes:
            raise InterruptionError


def _changed_online(cursor: Any, statement: str, found: re.Match[str]) -> bool:
    """Try the change while others may write, and return whether MariaDB did it."""
    if found[1]:  # DROP INDEX has no option for it
        statement = f"ALTER TABLE {found[2]} DROP INDEX {found[1]}"
    separator = ", " if statement.lstrip().startswith("ALTER") else " "
    try:
        cursor.execute(f"{statement}{separator}LOCK=NONE")
    except pymysql.err.OperationalError as error:
        if error.args[0] not in LOCK_REFUSED:
            raise
        return False
    return True
