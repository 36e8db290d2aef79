"""Databases that migrating cannot repair: each command reports in one line what is wrong and what to do."""

from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from lms_graphql.core.database import Database
from lms_graphql.operations import migrations, readiness, setup_lock
from tests.cli import RunCli, assert_one_line_error, execute_sql, row_count
from tests.mariadb import MariaDB

pytestmark = pytest.mark.slow

COMMANDS = (
    ("db", "migrate"),
    ("db", "init"),
    ("db", "create-migration", "-m", "x"),
    ("db", "repair"),
    ("db", "demo"),
    ("serve",),
)


def assert_reported_by_each_command(run: RunCli, *words: str) -> None:
    for command in COMMANDS:
        assert_one_line_error(run(*command), *words)
    check = run("db", "check")
    assert check.exit_code == 1
    failures = [line for line in check.stdout.splitlines() if line.startswith("FAIL")]
    assert len(failures) == 1
    assert all(word in failures[0] for word in words), failures


def contents(url: str) -> list[str]:
    """Return the tables with their columns, indexes and numbers of rows."""
    engine = create_engine(url)
    tables = inspect(engine).get_table_names()
    found = [
        f"{table} {inspect(engine).get_columns(table)} {inspect(engine).get_indexes(table)} {row_count(url, table)}"
        for table in sorted(tables)
    ]
    engine.dispose()
    return found


def test_newer_database_is_not_migrated(run: RunCli, empty_database: str) -> None:
    assert run("db", "migrate").exit_code == 0
    execute_sql(empty_database, "UPDATE alembic_version SET version_num = '9999'")
    before = contents(empty_database)
    assert_reported_by_each_command(run, "newer than this program", "9999", "Update the program")
    assert_one_line_error(run("db", "migrate", "--plan"), "newer than this program")
    assert contents(empty_database) == before


def test_running_process_stays_ready_on_a_newer_database(run: RunCli, empty_database: str) -> None:
    assert run("db", "migrate").exit_code == 0
    execute_sql(empty_database, "UPDATE alembic_version SET version_num = '9999'")
    database = Database(empty_database)
    assert database.read_sync(partial(readiness.readiness_problem, allows_newer=True)) is None
    assert database.read_sync(readiness.readiness_problem) is not None
    execute_sql(empty_database, "UPDATE alembic_version SET version_num = '0001'")
    assert database.read_sync(partial(readiness.readiness_problem, allows_newer=True)) is not None
    database.dispose()


def test_two_recorded_migrations_are_rejected(run: RunCli, empty_database: str) -> None:
    assert run("db", "migrate").exit_code == 0
    execute_sql(empty_database, "INSERT INTO alembic_version VALUES ('9999')")
    assert_reported_by_each_command(run, "alembic_version", f"{migrations.head()}, 9999")


def test_interrupted_first_migration_can_be_reset(run: RunCli, empty_database: str) -> None:
    assert run("db", "migrate").exit_code == 0
    execute_sql(empty_database, "DROP TABLE notes", "DELETE FROM alembic_version")
    assert_reported_by_each_command(run, "no migration is recorded", "interrupted", "backup", "lms-graphql db reset")
    name = empty_database.rpartition("/")[2]
    reset = run("db", "reset", "--yes-delete", name)
    assert reset.exit_code == 0, reset.stderr
    assert run("db", "check").exit_code == 0


def test_reset_is_not_advised_while_a_process_sets_up_the_database(run_cli: RunCli, mariadb_server: MariaDB) -> None:
    url = mariadb_server.new_database("lms_commands")
    execute_sql(url, "CREATE TABLE users (id INTEGER PRIMARY KEY)")
    database = Database(url, for_maintenance=True)
    with setup_lock.setup_lock(database.engine):
        check = run_cli("db", "check", LMS_DATABASE_URL=url)
    database.dispose()
    assert "Another process is setting up this database" in check.stdout
    assert "db reset" not in check.stdout
    assert "db reset" in run_cli("db", "check", LMS_DATABASE_URL=url).stdout


def test_interrupted_later_migration_is_reported(run: RunCli, empty_database: str) -> None:
    assert run("db", "migrate").exit_code == 0
    execute_sql(empty_database, "UPDATE alembic_version SET version_num = '0001'")
    migrated = run("db", "migrate")
    if empty_database.startswith("mysql"):
        assert_one_line_error(migrated, "interrupted", "Restore a backup")
    else:  # SQLite undoes an interrupted migration, so it does not come to this by itself
        assert_one_line_error(migrated, "already exists")


def test_foreign_tables_without_migration_are_rejected(run: RunCli, empty_database: str) -> None:
    execute_sql(empty_database, "CREATE TABLE users (id INTEGER)")
    assert_reported_by_each_command(run, "belong to another program")


def test_reading_commands_create_no_database(run_cli: RunCli, tmp_path: Path) -> None:
    reading = (("check",), ("verify",), ("repair",), ("demo",), ("create-migration", "-m", "x"))
    for command in (*(("db", *words) for words in reading), ("serve",)):
        assert_one_line_error(run_cli(*command), "There is no database lms.db yet.", "lms-graphql db init")
    assert list(tmp_path.iterdir()) == []
    assert run_cli("db", "init").exit_code == 0
    assert run_cli("db", "check").exit_code == 0
