"""The commands of "Backup and restore" in docs/operations.md, run as they stand there while clients write."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, select
from sqlalchemy.engine import make_url

from lms_graphql.discussion.models import Note
from tests.cli import NO_SETTINGS
from tests.factories import Factories, global_id
from tests.live_service import plain_http
from tests.mariadb import MariaDB
from tests.processes import Cluster, run_cluster

pytestmark = pytest.mark.slow

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "operations.md"
PROGRAM = ".venv/bin/lms-graphql"
WRITERS = 4
WRITES_BEFORE_BACKUP = 20
SECONDS = 60
WRITE = """mutation W($lecture: ID!, $text: String!) {
  createNote(input: { lectureId: $lecture, content: $text }) { errors { code } note { content } }
  askQuestion(input: { lectureId: $lecture, title: $text, content: $text }) { errors { code } }
  setLectureCompleted(input: { lectureId: $lecture, isCompleted: true }) { errors { code } }
}"""


def commands(title: str) -> list[str]:
    """Return the blocks of shell commands below the heading of this title, of the chapter about backups."""
    chapter = DOCUMENT.read_text().partition("## Backup and restore\n")[2]
    section = re.search(rf"^### {title}$(.*?)^##", chapter, re.DOTALL | re.MULTILINE)
    assert section is not None
    return re.findall(r"^```sh\n(.*?)^```", section[1], re.DOTALL | re.MULTILINE)


def run(script: str, folder: Path) -> str:
    """Run the commands in the folder and return what they print. A command that fails fails the test."""
    environment = {key: value for key, value in os.environ.items() if key not in NO_SETTINGS}
    script = script.replace(PROGRAM, f"{sys.executable} -m lms_graphql")
    shell = ("bash", "-e", "-o", "pipefail", "-c", script)
    result = subprocess.run(shell, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


class Writers:
    """Learners who write notes and questions and complete lectures, as fast as the service answers."""

    def __init__(self, cluster: Cluster) -> None:
        make = Factories(cluster.database)
        course = make.course(lectures=8, enrollment_count=WRITERS)
        self.written: list[str] = []
        """Texts of the notes that the service has confirmed."""
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(WRITERS)
        self._futures: list[Future[None]] = []
        self._writers = []
        for number in range(WRITERS):
            user = make.user()
            make.progress(make.enrollment(user, course), total_lectures=8)
            lectures = [global_id("Lecture", lecture) for lecture in course.lectures]
            self._writers.append(partial(self._write, cluster.urls[0], cluster.access_token(user), number, lectures))

    def __enter__(self) -> "Writers":
        self._futures = [self._pool.submit(writer) for writer in self._writers]
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._pool.shutdown()

    def wait_for(self, number: int) -> None:
        """Wait until the service has confirmed this number of further writes."""
        expected, waiting = len(self.written) + number, threading.Event()
        for _ in range(SECONDS * 100):
            for future in self._futures:
                if future.done():
                    future.result()  # raises the error that ended this writer
            if len(self.written) >= expected:
                return
            waiting.wait(0.01)
        raise AssertionError("The service does not answer the writers.")

    def _write(self, url: str, bearer: str, writer: int, lectures: list[str]) -> None:
        headers = {"authorization": f"Bearer {bearer}"}
        with plain_http(url) as http:
            for number in range(1_000_000):
                if self._stopped.is_set():
                    return
                text = f"Łódź 🎓 {writer}-{number}"
                variables = {"lecture": lectures[number % len(lectures)], "text": text}
                body = {"query": WRITE, "variables": variables}
                answer = http.post("/graphql", json=body, headers=headers).json()
                assert "errors" not in answer, answer
                assert all(payload["errors"] == [] for payload in answer["data"].values()), answer
                self.written.append(text)


def notes(url: URL) -> set[str]:
    engine = create_engine(url)
    with engine.connect() as connection:
        texts = set(connection.scalars(select(Note.content)))
    engine.dispose()
    return texts


def back_up(writers: Writers, script: str, folder: Path) -> set[str]:
    """Run the commands while the writers write. Return the notes that were confirmed before."""
    with writers:
        writers.wait_for(WRITES_BEFORE_BACKUP)
        written = set(writers.written)
        run(script, folder)
        writers.wait_for(1)
    return written


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Cluster]:
    with run_cluster(tmp_path, f"sqlite:///{tmp_path}/lms.db", processes=1) as cluster:
        yield cluster


@pytest.fixture
def mariadb(tmp_path: Path, mariadb_server: MariaDB) -> Iterator[Cluster]:
    url = make_url(mariadb_server.new_database("lms"))
    names = {"DB_NAME": url.database, "DB_USER": url.username, "DB_PASSWORD": url.password}
    settings = {**names, "DB_HOST": url.host, "DB_PORT": url.port}
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    client = f"[client]\nhost={url.host}\nport={url.port}\nuser={url.username}\npassword={url.password}\n"
    (tmp_path / "backup.cnf").write_text(client)
    with mariadb_server.connect_as_root() as connection, connection.cursor() as cursor:
        cursor.execute("DROP DATABASE IF EXISTS lms_restored")
    with run_cluster(tmp_path, url.render_as_string(hide_password=False), processes=1) as cluster:
        yield cluster


def test_backup_of_live_sqlite_is_consistent_and_can_be_restored(sqlite: Cluster, tmp_path: Path) -> None:
    backup, restore, check = commands("SQLite")
    written = back_up(Writers(sqlite), backup, tmp_path)
    assert "FAIL" not in run(check, tmp_path)
    backed_up = notes(make_url(f"sqlite:///{tmp_path}/backup.db"))
    assert written <= backed_up
    sqlite.processes[0].stop()
    sqlite.database.dispose()
    run(restore, tmp_path)
    assert notes(sqlite.settings.url) == backed_up
    sqlite.restart()  # which waits until the service is ready


def test_dump_of_live_mariadb_is_consistent_and_can_be_restored(mariadb: Cluster, tmp_path: Path) -> None:
    dump, restore, check = commands("MariaDB and MySQL")
    written = back_up(Writers(mariadb), dump, tmp_path)
    run(restore, tmp_path)
    assert "FAIL" not in run(check, tmp_path)
    assert written <= notes(mariadb.settings.url.set(database="lms_restored"))
