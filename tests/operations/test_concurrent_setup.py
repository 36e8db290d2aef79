"""Several processes that set up one database at once, as copies of a service that start together do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from lms_graphql.core.engines import MAINTENANCE_IDLE_SECONDS, make_engine
from tests.cli import NO_SETTINGS, row_count
from tests.mariadb import MariaDB

pytestmark = pytest.mark.slow


def start_command(folder: Path, url: str, *words: str) -> "subprocess.Popen[str]":
    """Start a command of the program on this database."""
    environment = {key: value for key, value in os.environ.items() if key not in NO_SETTINGS}
    return subprocess.Popen(
        [sys.executable, "-m", "lms_graphql", *words],
        cwd=folder,
        env=environment | {"LMS_DATABASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_concurrently(number: int, folder: Path, url: str, *words: str) -> list[subprocess.CompletedProcess[str]]:
    """Run the same command in several processes, and return their results."""
    processes = [start_command(folder, url, *words) for _ in range(number)]
    outputs = [process.communicate() for process in processes]
    return [
        subprocess.CompletedProcess(words, process.returncode, *streams)
        for process, streams in zip(processes, outputs, strict=True)
    ]


def test_four_concurrent_inits_seed_once(empty_database: str, tmp_path: Path) -> None:
    results = run_concurrently(4, tmp_path, empty_database, "db", "init")
    assert [result.returncode for result in results] == [0] * 4, [result.stderr for result in results]
    assert sum("password of these users" in result.stdout for result in results) == 1
    assert sum("seed data: complete" in result.stdout for result in results) == 3
    assert (row_count(empty_database, "users"), row_count(empty_database, "course_categories")) == (3, 5)


def test_two_concurrent_demos_add_one(empty_database: str, tmp_path: Path) -> None:
    assert run_concurrently(1, tmp_path, empty_database, "db", "init")[0].returncode == 0
    demo = ("db", "demo", "--if-empty", "--courses", "40", "--learners", "20")
    results = run_concurrently(2, tmp_path, empty_database, *demo)
    assert [result.returncode for result in results] == [0, 0], [result.stderr for result in results]
    assert sorted("already" in result.stdout for result in results) == [False, True]
    assert row_count(empty_database, "courses") == 40


def test_connection_of_setup_lock_may_be_idle_for_long(mariadb_server: MariaDB) -> None:
    engine = make_engine(make_url(mariadb_server.new_database("lms_idle")), pool_size=1, for_maintenance=True)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT @@SESSION.wait_timeout")) == MAINTENANCE_IDLE_SECONDS
    engine.dispose()
