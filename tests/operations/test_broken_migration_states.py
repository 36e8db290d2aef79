"""Databases in a state that migrating cannot mend: one line says what happened, and what to do."""

from pathlib import Path

from lms_graphql.operations import migrations
from tests.cli import Run, assert_one_clear_line, execute

NEEDS_A_STATE = (("db", "migrate"), ("db", "init"), ("db", "create-migration", "-m", "x"), ("serve",))


def assert_said_by_each(run: Run, *words: str) -> None:
    for command in NEEDS_A_STATE:
        assert_one_clear_line(run(*command), *words)
    check = run("db", "check")
    assert check.exit_code == 1
    told = [line for line in check.stdout.splitlines() if line.startswith("FAIL")]
    assert len(told) == 1
    assert all(word in told[0] for word in words), told


def test_a_database_that_a_newer_program_has_migrated_is_left_alone(run: Run, empty_database: str) -> None:
    assert run("db", "migrate").exit_code == 0
    execute(empty_database, "UPDATE alembic_version SET version_num = '9999'")
    assert_said_by_each(run, "newer than this program", "9999", "Update the program.")


def test_two_recorded_migrations_are_one_too_many(run: Run, empty_database: str) -> None:
    assert run("db", "migrate").exit_code == 0
    execute(empty_database, "INSERT INTO alembic_version VALUES ('9999')")
    assert_said_by_each(run, "alembic_version", f"{migrations.head()}, 9999")


def test_an_interrupted_first_migration_can_be_reset(run: Run, empty_database: str) -> None:
    assert run("db", "migrate").exit_code == 0
    execute(empty_database, "DROP TABLE notes", "DELETE FROM alembic_version")
    assert_said_by_each(run, "no migration is recorded", "interrupted", "backup", "lms-graphql db reset")
    name = empty_database.rpartition("/")[2]
    reset = run("db", "reset", "--yes-delete", name)
    assert reset.exit_code == 0, reset.stderr
    assert run("db", "check").exit_code == 0


def test_tables_without_any_record_are_not_migrated_over(run: Run, empty_database: str) -> None:
    execute(empty_database, "CREATE TABLE users (id INTEGER)")
    assert_said_by_each(run, "another program's")


def test_who_only_looks_makes_no_database(anywhere: Run, tmp_path: Path) -> None:
    looks = (("check",), ("verify",), ("repair",), ("demo",), ("create-migration", "-m", "x"))
    for command in (*(("db", *words) for words in looks), ("serve",)):
        assert_one_clear_line(anywhere(*command), "There is no database lms.db yet.", "lms-graphql db init")
    assert list(tmp_path.iterdir()) == []
    assert anywhere("db", "init").exit_code == 0
    assert anywhere("db", "check").exit_code == 0
