"""The migrations create what the models say, on every database, and can be undone."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Timer

import pytest
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.engine import make_url

from alembic import command
from lms_graphql.all_models import metadata
from lms_graphql.core.engines import make_engine
from lms_graphql.operations import migrations
from tests.cli import NO_SETTINGS

ROOT = Path(__file__).parent.parent.parent

CORE_TABLES = (
    "users course_categories courses sections lectures enrollments course_progress lecture_progress quizzes "
    "questions quiz_attempts notes qa_questions qa_answers certificates transactions instructor_payouts"
)


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


@pytest.mark.slow
def test_upgrade_downgrade_upgrade_matches_models(empty_database: str) -> None:
    engine = make_engine(make_url(empty_database), pool_size=2)
    assert migrations.migrate(engine) == (None, migrations.head())
    assert tables(engine) == set(metadata.tables)
    assert tables(engine) >= set(CORE_TABLES.split())
    with engine.begin() as connection:
        command.downgrade(migrations.alembic_config(connection), "base")
    assert tables(engine) == set()
    migrations.migrate(engine)
    assert tables(engine) == set(metadata.tables)
    assert migrations.migrate(engine) == (migrations.head(), migrations.head())
    engine.dispose()


def test_existing_users_get_sort_keys_and_terms(empty_database: str) -> None:
    engine = make_engine(make_url(empty_database), pool_size=2)
    with engine.begin() as connection:
        command.upgrade(migrations.alembic_config(connection), "0002")
        columns = "id, created_at, updated_at, email, email_key, username, username_key, first_name, last_name, role"
        values = (
            "1, '2026-01-01', '2026-01-01', 'jose@x.org', 'jose@x.org', 'pepe', 'pepe', 'José', 'Álvarez', 'learner'"
        )
        connection.execute(text(f"INSERT INTO users ({columns}) VALUES ({values})"))
    migrations.migrate(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT name_key FROM users")) == "jose alvarez"
        terms = set(connection.scalars(text("SELECT term FROM user_terms WHERE user_id = 1")))
    assert terms == {"jose", "alvarez", "pepe", "x", "org", ".org"}
    engine.dispose()


def test_sqlite_keys_are_never_reused(tmp_path: Path) -> None:
    file = tmp_path / "lms.db"
    engine = make_engine(make_url(f"sqlite:///{file}"), pool_size=1)
    with engine.begin() as connection:
        command.upgrade(migrations.alembic_config(connection), "0006")
    with closing(sqlite3.connect(file, isolation_level=None)) as open_connection:

        def make(key_id: str) -> int | None:
            columns = "created_at, updated_at, key_id"
            values = f"'2026-01-01', '2026-01-01', '{key_id}'"
            return open_connection.execute(f"INSERT INTO signing_keys ({columns}) VALUES ({values})").lastrowid

        assert [make("k1"), make("k2")] == [1, 2]
        open_connection.execute("CREATE TABLE foreign_table (id TEXT, PRIMARY KEY (id))")
        migrations.migrate(engine)
        assert make("k3") == 3
        open_connection.execute("DELETE FROM signing_keys WHERE id > 1")
        assert make("k4") == 4
        with engine.begin() as connection:
            command.downgrade(migrations.alembic_config(connection), "0006")
        open_connection.execute("DELETE FROM signing_keys WHERE id > 1")
        assert make("k5") == 2
        migrations.migrate(engine)
        assert make("k6") == 5, "SQLite still stores the highest key"
        assert open_connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    engine.dispose()


OLD_ROWS = {
    "turns": "(5, '2026-01-01', '2026-01-02', 'sweep', '2026-01-03')",
    "throttles": "(5, '2026-01-01', '2026-01-02', 'digest', 3, '2026-01-03')",
    "notebooks": "(5, '2026-01-01', '2026-01-02', 1, 1, 7)",
    "teaching_figures": "(1, '2026-01-03', 12, 4)",
}
RENAMED_TABLES = {
    "turns": "named_locks",
    "throttles": "rate_limit_counters",
    "notebooks": "note_counters",
    "teaching_figures": "instructor_analytics",
}


def insert_rows_for_0007(connection: Connection) -> None:
    times = {"id": 1, "created_at": "2026-01-01", "updated_at": "2026-01-01"}
    name = {"username": "ada", "username_key": "ada", "first_name": "Ada", "last_name": "Byron", "role": "instructor"}
    course = {
        "title": "Go",
        "title_key": "go",
        "slug": "go",
        "description": "",
        "instructor_id": 1,
        "currency": "USD",
    }
    states = {"status": "draft", "difficulty_level": "beginner", "language": "en"}
    event = {"id": 9, "happened_at": "2026-01-01", "what": "account.created", "origin": "192.0.2.7", "details": "{}"}
    for table, values in (
        ("users", {**times, **name}),
        ("courses", {**times, **course, **states}),
        ("sections", {**times, "course_id": 1, "title": "One"}),
        ("lectures", {**times, "section_id": 1, "course_id": 1, "title": "One", "lecture_type": "video"}),
        ("course_requirements", {"course_id": 1, "things": "hash"}),
        ("audit_events", event),
    ):
        insert(connection, table, values)
    for table, row in OLD_ROWS.items():
        connection.execute(text(f"INSERT INTO {table} VALUES {row}"))


def insert(connection: Connection, table: str, values: Mapping[str, object]) -> None:
    names, parameters = ", ".join(values), ", ".join(f":{name}" for name in values)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({parameters})"), values)


def rows_of(connection: Connection, table: str) -> list[tuple[str, ...]]:
    return [tuple(map(str, row)) for row in connection.execute(text(f"SELECT * FROM {table}"))]


def test_renamed_tables_and_columns_keep_rows(empty_database: str) -> None:
    engine = make_engine(make_url(empty_database), pool_size=2)
    with engine.begin() as connection:
        command.upgrade(migrations.alembic_config(connection), "0007")
    with engine.begin() as connection:
        insert_rows_for_0007(connection)
        rows_before = {table: rows_of(connection, table) for table in RENAMED_TABLES}
        assert all(len(rows) == 1 for rows in rows_before.values())
    migrations.migrate(engine)
    with engine.begin() as connection:
        assert {old: rows_of(connection, new) for old, new in RENAMED_TABLES.items()} == rows_before
        event = connection.execute(text("SELECT action, client_ip FROM audit_events")).one()
        assert tuple(event) == ("account.created", "192.0.2.7")
        assert connection.scalar(text("SELECT items_hash FROM course_requirements")) == "hash"
        command.downgrade(migrations.alembic_config(connection), "0007")
    with engine.begin() as connection:
        assert {table: rows_of(connection, table) for table in RENAMED_TABLES} == rows_before
        assert connection.scalar(text("SELECT what FROM audit_events")) == "account.created"
    engine.dispose()


def test_interrupted_table_rename_can_be_repeated(empty_database: str) -> None:
    engine = make_engine(make_url(empty_database), pool_size=2)
    with engine.begin() as connection:
        command.upgrade(migrations.alembic_config(connection), "0007")
    with engine.begin() as connection:
        insert_rows_for_0007(connection)
        # As if the process had died after the new table was created and before the rows were copied.
        connection.execute(text("CREATE TABLE note_counters (id INTEGER)"))
        connection.execute(text("DROP TABLE teaching_figures"))
        connection.execute(text("CREATE TABLE instructor_analytics AS SELECT 1 AS instructor_id"))
    migrations.migrate(engine)
    with engine.connect() as connection:
        assert rows_of(connection, "note_counters") != []
        assert rows_of(connection, "instructor_analytics") == [("1",)]
    engine.dispose()


def test_last_report_becomes_start_of_credit(empty_database: str) -> None:
    engine = make_engine(make_url(empty_database), pool_size=2)
    progress = {"id": 1, "created_at": "2026-01-01", "updated_at": "2026-01-01", "user_id": 1}
    times = {"started_at": "2026-01-01", "last_accessed": "2026-01-01"}
    with engine.begin() as connection:
        command.upgrade(migrations.alembic_config(connection), "0007")
    with engine.begin() as connection:
        insert_rows_for_0007(connection)
        insert(connection, "course_progress", {**progress, "course_id": 1, "reported_at": "2026-02-03 04:05:06.789"})
        insert(connection, "lecture_progress", {**progress, **times, "lecture_id": 1, "watched_ranges": "[]"})
        reported_at = connection.scalar(text("SELECT reported_at FROM course_progress"))
    with engine.begin() as connection:
        command.upgrade(migrations.alembic_config(connection), "0010")
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT credit_since FROM course_progress")) == reported_at
        assert connection.scalar(text("SELECT unmarked_by_hand FROM lecture_progress")) == 0
        command.downgrade(migrations.alembic_config(connection), "0008")
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT reported_at FROM course_progress")) == reported_at
        assert connection.scalar(text("SELECT COUNT(*) FROM lecture_progress")) == 1
        # As if the process had died after the first of the two steps.
        connection.execute(text("ALTER TABLE course_progress RENAME COLUMN reported_at TO credit_since"))
    migrations.migrate(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT credit_since FROM course_progress")) == reported_at
    engine.dispose()


def test_tables_with_own_key_autoincrement(tmp_path: Path) -> None:
    """A migration that creates a table sets `sqlite_autoincrement=True`, or SQLite uses keys twice."""
    file = tmp_path / "lms.db"
    engine = make_engine(make_url(f"sqlite:///{file}"), pool_size=1)
    migrations.migrate(engine)
    with closing(sqlite3.connect(file)) as connection:
        definitions = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
    autoincrementing = {name for name, sql in definitions if "AUTOINCREMENT" in sql}
    assert autoincrementing == {name for name, table in metadata.tables.items() if "id" in table.primary_key.columns}
    engine.dispose()


def test_models_and_migrated_database_do_not_drift(empty_database: str) -> None:
    engine = make_engine(make_url(empty_database), pool_size=2)
    migrations.migrate(engine)
    with engine.connect() as connection:
        assert migrations.schema_drift(connection) == []
        connection.rollback()
        live = inspect(connection)
        for name, table in metadata.tables.items():
            checks = {str(check.name) for check in table.constraints if str(check.name).startswith("ck_")}
            assert checks <= {str(check["name"]) for check in live.get_check_constraints(name)}
    engine.dispose()


def test_tables_store_any_unicode_text_exactly(empty_database: str) -> None:
    engine = make_engine(make_url(empty_database), pool_size=2)
    migrations.migrate(engine)
    names = ["José 🎓", "jose 🎓", "Ἀθῆναι"]
    with engine.begin() as connection:
        for number, name in enumerate(names):
            connection.execute(
                text(
                    "INSERT INTO course_categories (name, name_key, slug, created_at, updated_at)"
                    " VALUES (:name, :name, :slug, '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
                ),
                {"name": name, "slug": ["josé", "jose", "JOSE"][number]},
            )
        stored = connection.execute(text("SELECT name FROM course_categories ORDER BY id")).scalars().all()
    assert stored == names
    engine.dispose()


@pytest.mark.slow
def test_concurrent_migrations_both_succeed(empty_database: str) -> None:
    def migrate(_: int) -> str | None:
        engine = make_engine(make_url(empty_database), pool_size=2, for_maintenance=True)
        try:
            return migrations.migrate(engine)[1]
        finally:
            engine.dispose()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(migrate, range(2))) == [migrations.head()] * 2


def test_opening_new_file_waits_for_its_writer(tmp_path: Path) -> None:
    """SQLite cannot switch a file to a write-ahead log while another connection writes, and fails at once."""
    file = tmp_path / "lms.db"
    first = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    first.execute("BEGIN IMMEDIATE")
    commit = Timer(0.2, first.execute, ["COMMIT"])
    commit.start()
    engine = make_engine(make_url(f"sqlite:///{file}"), pool_size=1)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
    engine.dispose()
    commit.join()
    first.close()


@pytest.mark.slow
def test_percent_sign_in_path_or_url_works(tmp_path: Path) -> None:
    checkout, data = tmp_path / "50% off", tmp_path / "100%"
    data.mkdir()
    ignored = shutil.ignore_patterns("graphiql", "__pycache__")
    shutil.copytree(ROOT / "lms_graphql", checkout / "lms_graphql", ignore=ignored)
    shutil.copytree(ROOT / "alembic", checkout / "alembic", ignore=ignored)
    shutil.copy(ROOT / "alembic.ini", checkout)
    environment = {key: value for key, value in os.environ.items() if key not in NO_SETTINGS}
    environment["LMS_DATABASE_URL"] = f"sqlite:///{data}/lms%40.db"
    for module, *words in (
        ["lms_graphql", "db", "migrate"],
        ["lms_graphql", "db", "check"],
        ["alembic", "downgrade", "base"],
        ["alembic", "upgrade", "head"],
    ):
        process = [sys.executable, "-m", module, *words]
        result = subprocess.run(process, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr
