"""Several processes that set one database up at once, as when a service's copies start together."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli import CLEAN, rows

pytestmark = pytest.mark.slow


def at_once(number: int, folder: Path, url: str, *words: str) -> list[subprocess.CompletedProcess[str]]:
    """The same command in so many processes, each as it ended."""
    command = [sys.executable, "-m", "lms_graphql", *words]
    environment = {key: value for key, value in os.environ.items() if key not in CLEAN} | {"LMS_DATABASE_URL": url}
    started = [
        subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(number)
    ]
    told = [process.communicate() for process in started]
    return [
        subprocess.CompletedProcess(command, process.returncode, *streams)
        for process, streams in zip(started, told, strict=True)
    ]


def test_four_may_set_up_one_database_at_once(empty_database: str, tmp_path: Path) -> None:
    ended = at_once(4, tmp_path, empty_database, "db", "init")
    assert [one.returncode for one in ended] == [0] * 4, [one.stderr for one in ended]
    assert sum("their password" in one.stdout for one in ended) == 1
    assert sum("seed data: all there" in one.stdout for one in ended) == 3
    assert (rows(empty_database, "users"), rows(empty_database, "course_categories")) == (3, 5)


def test_two_that_find_no_courses_make_one_demo(empty_database: str, tmp_path: Path) -> None:
    assert at_once(1, tmp_path, empty_database, "db", "init")[0].returncode == 0
    demo = ("db", "demo", "--if-empty", "--courses", "40", "--learners", "20")
    ended = at_once(2, tmp_path, empty_database, *demo)
    assert [one.returncode for one in ended] == [0, 0], [one.stderr for one in ended]
    assert sorted("already" in one.stdout for one in ended) == [False, True]
    assert rows(empty_database, "courses") == 40
