"""The command line: output, exit codes and effects."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from alembic.command import downgrade
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import make_url

from lms_graphql.operations import migrations
from tests.cli import NO_SETTINGS, RunCli, assert_one_line_error, row_count
from tests.mariadb import PASSWORD, USER, MariaDB, free_port


def test_init_creates_tables_and_seed_data_once(run: RunCli, empty_database: str) -> None:
    first = run("db", "init")
    assert first.exit_code == 0, first.stderr
    password = re.search(r"password of these users: (\S{16}) ", first.stdout)
    assert password is not None
    assert (row_count(empty_database, "users"), row_count(empty_database, "course_categories")) == (3, 5)
    second = run("db", "init")
    assert second.exit_code == 0
    assert "seed data: complete" in second.stdout
    assert "db init --new-seed-password" in second.stdout
    assert password[1] not in second.stdout
    assert row_count(empty_database, "users") == 3
    engine = create_engine(empty_database)
    with engine.connect() as connection:
        hashes = connection.execute(text("SELECT password_hash FROM users")).scalars().all()
    engine.dispose()
    assert all(hashed.startswith("$argon2id$") and password[1] not in hashed for hashed in hashes)


def test_seed_password_from_settings_is_not_printed(run: RunCli) -> None:
    result = run("db", "init", LMS_SEED_PASSWORD="correct horse battery")
    assert result.exit_code == 0
    assert "correct horse battery" not in result.stdout + result.stderr


@pytest.mark.slow
def test_check_verify_and_repair_report_demo_state(run: RunCli, empty_database: str) -> None:
    assert run("db", "check").exit_code == 1
    assert run("db", "init").exit_code == 0
    demo = run("db", "demo", "--courses", "3", "--learners", "5")
    assert demo.exit_code == 0, demo.stderr
    assert re.search(r"\b3 courses\b.* [1-9]\d* attempts, [1-9]\d* transactions$", demo.stdout.strip())
    check = run("db", "check")
    assert check.exit_code == 0, check.stdout
    assert "derived columns: correct" in check.stdout
    assert re.search(r"analytics: complete up to .* UTC, 0 courses", check.stdout)
    assert row_count(empty_database, "course_analytics") == 3
    assert row_count(empty_database, "lecture_analytics") > 0
    verify = run("db", "verify")
    assert verify.exit_code == 0, verify.stdout
    for part in (
        "table courses:",
        "relationship Lecture.section ->",
        "enum courses.status:",
        "property User.full_name:",
    ):
        assert part in verify.stdout
    engine = create_engine(empty_database)
    with engine.begin() as connection:
        connection.execute(text("UPDATE courses SET total_lectures = 999, enrollment_count = 999"))
        connection.execute(text("UPDATE lectures SET order_index = order_index + 3"))
        connection.execute(text("DELETE FROM course_terms WHERE term = 'python'"))
        connection.execute(text("DELETE FROM user_terms WHERE term = 'jane'"))
        connection.execute(text("UPDATE course_analytics SET active_count = 999"))
        connection.execute(text("UPDATE instructor_analytics SET learner_count = 999"))
    engine.dispose()
    drifted = run("db", "check")
    assert drifted.exit_code == 1
    for column in (
        "courses.total_lectures",
        "courses.enrollment_count",
        "lectures.order_index",
        "course_terms",
        "user_terms",
    ):
        assert f"FAIL {column}" in drifted.stdout
    assert "FAIL analytics: wrong for 3 courses" in drifted.stdout
    repaired = run("db", "repair")
    assert repaired.exit_code == 0
    assert "courses.total_lectures: 3 rows repaired" in repaired.stdout
    assert "user_terms: 1 users repaired" in repaired.stdout
    assert "analytics: wrong for 3 courses, repaired" in repaired.stdout
    assert run("db", "check").exit_code == 0
    assert "Nothing to repair." in run("db", "repair").stdout
    assert_one_line_error(run("db", "demo"), "already")


@pytest.mark.slow
def test_verify_reports_schema_damage(run: RunCli, empty_database: str) -> None:
    assert run("db", "init").exit_code == 0
    engine = create_engine(empty_database)
    is_sqlite = engine.dialect.name == "sqlite"
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE notes"))
        if is_sqlite:
            connection.execute(text("PRAGMA ignore_check_constraints = ON"))
            connection.execute(text("UPDATE users SET role = 'emperor' WHERE id = 1"))
        else:
            connection.execute(text("ALTER TABLE users DROP CONSTRAINT ck_users_role"))
        connection.execute(text("DROP INDEX ix_users_created_at_id" + ("" if is_sqlite else " ON users")))
    engine.dispose()
    verify = run("db", "verify")
    assert verify.exit_code == 1
    assert "FAIL table notes: missing" in verify.stdout
    assert "ix_users_created_at_id" in verify.stdout
    assert ("FAIL enum users.role: unknown values emperor" if is_sqlite else "ck_users_role") in verify.stdout


def test_reset_lists_tables_and_requires_database_name(run: RunCli, empty_database: str) -> None:
    assert run("db", "init").exit_code == 0
    name = empty_database.rpartition("/")[2]
    rejected = run("db", "reset", typed="yes\n")
    assert rejected.exit_code == 1
    assert "users (3 rows)" in rejected.stdout
    assert "Nothing was dropped" in rejected.stderr
    assert row_count(empty_database, "users") == 3
    assert run("db", "reset", "--yes-delete", "something").exit_code == 1
    assert run("db", "reset").exit_code == 1, "an empty answer confirms nothing"
    engine = create_engine(empty_database)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE left_over (id INTEGER)"))
        connection.execute(text("UPDATE users SET first_name = 'Changed'"))
    assert run("db", "reset", typed=f"{name}\n").exit_code == 0
    assert "left_over" not in inspect(engine).get_table_names()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM users WHERE first_name = 'Changed'")).scalar() == 0
    engine.dispose()
    assert run("db", "reset", "--yes-delete", name).exit_code == 0
    assert row_count(empty_database, "users") == 3
    production = run("db", "reset", "--yes-delete", name, LMS_ENV="production")
    assert_one_line_error(production, "production")
    assert row_count(empty_database, "users") == 3


def test_serve_reports_a_wrong_read_url(run: RunCli, empty_database: str) -> None:
    assert run("db", "migrate").exit_code == 0
    server = f"mysql+pymysql://lms@127.0.0.1:{free_port()}"
    other = run("serve", LMS_READ_DATABASE_URL=f"{server}/other")
    assert_one_line_error(other, "LMS_READ_DATABASE_URL: the service reads from other", "Use one database for both")
    if not empty_database.startswith("sqlite"):
        lost = run("serve", LMS_READ_DATABASE_URL=f"{server}/{make_url(empty_database).database}")
        assert_one_line_error(lost, "LMS_READ_DATABASE_URL: No database server answers")


def test_serve_reports_startup_error_in_one_line(run: RunCli, empty_database: str) -> None:
    create_engine(empty_database).connect().close()  # SQLite creates an empty file
    assert_one_line_error(run("serve"), "no tables yet", "db migrate")
    assert run("db", "migrate").exit_code == 0
    with socket.socket() as listening_socket:
        listening_socket.bind(("127.0.0.1", 0))
        listening_socket.listen()
        port = str(listening_socket.getsockname()[1])
        assert_one_line_error(run("serve", "--port", port), port, "in use")
    with socket.socket() as shared_socket:  # like that of another `serve --workers`
        shared_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        shared_socket.bind(("127.0.0.1", 0))
        shared_socket.listen()
        port = str(shared_socket.getsockname()[1])
        assert_one_line_error(run("serve", "--port", port, "--workers", "2"), port, "in use")
    engine = create_engine(empty_database)
    with engine.begin() as connection:
        downgrade(migrations.alembic_config(connection), "base")
    engine.dispose()
    assert_one_line_error(run("serve"), "not at the newest migration", "db migrate")


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"LMS_POOL_SIZE": "0"}, ["LMS_POOL_SIZE"]),
        ({"LMS_POOL_SIZE": "many"}, ["LMS_POOL_SIZE"]),
        ({"LMS_POOLSIZE": "5"}, ["LMS_POOLSIZE"]),
        ({"LMS_CURRENCY": "XXX"}, ["LMS_CURRENCY"]),
        ({"LMS_ENV": "staging"}, ["LMS_ENV"]),
        ({"LMS_DATABASE_URL": "postgresql://x/y"}, ["LMS_DATABASE_URL"]),
        ({"LMS_DATABASE_URL": "nonsense"}, ["LMS_DATABASE_URL"]),
        ({"LMS_READ_DATABASE_URL": "sqlite:///lms.db"}, ["LMS_READ_DATABASE_URL", "server"]),
        ({"LMS_DATABASE_URL": "sqlite:////no/such/folder/lms.db"}, ["/no/such/folder/lms.db"]),
        ({"LMS_DATABASE_URL": "", "DB_PORT": "3306"}, ["DB_NAME"]),
        ({"LMS_DATABASE_URL": "", "DB_NAME": "x", "DB_PORT": "1"}, ["127.0.0.1:1"]),
    ],
)
def test_invalid_setting_is_named(run_cli: RunCli, environment: dict[str, str], words: list[str]) -> None:
    for command in (["serve"], ["db", "check"]):
        assert_one_line_error(run_cli(*command, **environment), *words)


@pytest.mark.slow
def test_wrong_database_name_or_password_is_reported(run_cli: RunCli, mariadb_server: MariaDB) -> None:
    mariadb_server.new_database("lms_locked")
    server = {"DB_HOST": "127.0.0.1", "DB_PORT": str(mariadb_server.port), "DB_USER": USER, "DB_PASSWORD": PASSWORD}
    for environment, words in (
        ({"DB_NAME": "lms_nowhere"}, "no database lms_nowhere"),
        ({"DB_NAME": "lms_locked", "DB_PASSWORD": "wrong-canary"}, "rejects the user or the password"),
    ):
        result = run_cli("serve", **{**server, **environment})
        assert_one_line_error(result, words)
        assert "canary" not in result.stderr


def test_environment_overrides_dotenv_file(run: RunCli, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LMS_POOL_SIZE=0\n")
    assert_one_line_error(run("db", "check"), "LMS_POOL_SIZE")
    assert "LMS_POOL_SIZE" not in run("db", "check", LMS_POOL_SIZE="3").stderr


@pytest.mark.slow
def test_schema_command_prints_committed_schema(tmp_path: Path) -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "lms_graphql", "schema"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert printed.returncode == 0
    assert printed.stdout == (Path(__file__).parent.parent.parent / "schema.graphql").read_text()


def can_listen(host: str) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as attempt:
        try:
            attempt.bind((host, 0))
        except OSError:
            return False
    return True


@pytest.mark.slow
@pytest.mark.parametrize("host", [host for host in ("127.0.0.1", "::1") if can_listen(host)])
def test_serve_prints_its_url(tmp_path: Path, host: str) -> None:
    url_host = f"[{host}]" if ":" in host else host
    environment = {key: value for key, value in os.environ.items() if key not in NO_SETTINGS}
    program = [sys.executable, "-m", "lms_graphql"]
    port = str(free_port())
    subprocess.run([*program, "db", "migrate"], cwd=tmp_path, env=environment, check=True, capture_output=True)
    serving = [*program, "serve", "--host", host, "--port", port]
    with subprocess.Popen(serving, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = f"http://{url_host}:{port}/graphql"
            assert f" at {url} " in server.stdout.readline()
            with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
                assert client.post(url, json={"query": "{ __typename }"}).status_code == 200
        finally:
            server.terminate()
