"""The command `benchmarks/progress`: number of progress reports that one process handles per second."""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import click
import orjson
from sqlalchemy.orm import Session

from benchmarks.commands import run_command
from benchmarks.processes import cpu_seconds
from benchmarks.service import Connection, auth_context, new_database, run_service
from lms_graphql.accounts.models import User
from lms_graphql.accounts.services.sessions import create_session
from lms_graphql.catalog.models import (
    Course,
    CourseStatus,
    Enrollment,
    EnrollmentSource,
    Lecture,
    LectureType,
    Section,
)
from lms_graphql.core import clock, global_ids
from lms_graphql.core.database import Database
from lms_graphql.operations import migrations
from tests.mariadb import free_port

LECTURES, LECTURE_SECONDS = 50, 3_600
REPORT_SECONDS = 5
"""Seconds of a lecture in each report."""
REPORT = """mutation ($l: ID!, $p: Int!, $w: [WatchedRangeInput!]!) {
  recordLectureProgress(input: {lectureId: $l, positionSeconds: $p, watched: $w}) {
    progress { id watchSeconds positionSeconds isCompleted } enrollment { id status } errors { code }
  }
}"""


async def watch(port: int, bearer: str, lectures: Sequence[str], deadline: float, times: list[float]) -> None:
    """Watch one lecture after the other, and send each report as soon as the previous one was answered."""
    connection, number = Connection(port, bearer), 0
    while time.perf_counter() < deadline:
        lecture, second = divmod(number * REPORT_SECONDS, LECTURE_SECONDS)
        watched = [{"startSeconds": second, "endSeconds": second + REPORT_SECONDS}]
        sent_at = time.perf_counter()
        status, body = await connection.send(REPORT, l=lectures[lecture % len(lectures)], p=second, w=watched)
        times.append(time.perf_counter() - sent_at)
        number += 1
        if status != 200 or orjson.loads(body)["data"]["recordLectureProgress"]["errors"]:
            raise click.ClickException(f"A report failed with status {status}: {body.decode()[:200]}")
    connection.close()


async def watch_all(port: int, tokens: Sequence[str], lectures: Sequence[str], seconds: float) -> list[float]:
    """Return the response times of all learners in seconds, in ascending order."""
    times: list[float] = []
    deadline = time.perf_counter() + seconds
    await asyncio.gather(*(watch(port, token, lectures, deadline, times) for token in tokens))
    return sorted(times)


def prepare(url: str, clients: int) -> tuple[list[str], list[str]]:
    """Return access tokens of learners who are enrolled in one course, and the ids of its lectures."""
    database = Database(url)
    migrations.migrate(database.engine)

    def insert_rows(session: Session) -> tuple[list[str], list[str]]:
        users = [_user(number) for number in range(clients + 1)]
        session.add_all(users)
        session.flush()
        course = _course(session, instructor=users.pop())
        enrollment = {"course_id": course.id, "source": EnrollmentSource.FREE, "enrolled_at": clock.now()}
        session.add_all(Enrollment(user_id=user.id, **enrollment) for user in users)
        lectures = _lectures(session, course)
        auth = auth_context(url)
        tokens = [create_session(session, auth, user.id, user.role).access_token for user in users]
        return tokens, [global_ids.encode("Lecture", lecture.id) for lecture in lectures]

    prepared = database.write_sync(insert_rows)
    database.dispose()
    return prepared


def _user(number: int) -> User:
    name = f"p{number}"
    return User(email=f"{name}@example.com", username=name, first_name="P", last_name="Q", password_hash="x")


def _course(session: Session, instructor: User) -> Course:
    course = Course(
        title="Course",
        slug="course",
        description="",
        instructor_id=instructor.id,
        currency="USD",
        status=CourseStatus.PUBLISHED,
        published_at=clock.now() - timedelta(days=1),
        total_lectures=LECTURES,
    )
    session.add(course)
    session.flush()
    return course


def _lectures(session: Session, course: Course) -> list[Lecture]:
    section = Section(course_id=course.id, title="Section", order_index=0, total_lectures=LECTURES)
    session.add(section)
    session.flush()
    values = {"section_id": section.id, "course_id": course.id, "duration": LECTURE_SECONDS}
    lectures = [
        Lecture(title="Lecture", order_index=index, lecture_type=LectureType.VIDEO, **values)
        for index in range(LECTURES)
    ]
    session.add_all(lectures)
    session.flush()
    return lectures


def measure(port: int, tokens: list[str], lectures: list[str], pids: dict[str, int], seconds: float) -> None:
    """Measure and print one round."""
    asyncio.run(watch_all(port, tokens, lectures, 1))  # warm-up: the first requests are slower
    cpu_before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    started = time.perf_counter()
    times = asyncio.run(watch_all(port, tokens, lectures, seconds))
    duration = time.perf_counter() - started
    p50, p99 = (times[int(part * len(times))] * 1000 for part in (0.5, 0.99))
    cpu = {name: (cpu_seconds(pid) - cpu_before[name]) / len(times) * 1000 for name, pid in pids.items()}
    shares = ", ".join(f"{name} {milliseconds:.2f} ms" for name, milliseconds in cpu.items())
    rate = len(times) / duration
    print(f"  {rate:6.0f} reports/s  p50 {p50:.1f} ms  p99 {p99:.1f} ms  CPU per report: {shares}", flush=True)


@click.command()
@click.option("--database", type=click.Choice(["mariadb", "sqlite"]), multiple=True, default=["mariadb", "sqlite"])
@click.option("--clients", type=click.IntRange(1, 200), default=16, show_default=True)
@click.option("--seconds", type=click.FloatRange(1, 60), default=8, show_default=True)
@click.option("--rounds", type=click.IntRange(1, 10), default=3, show_default=True)
def run(database: tuple[str, ...], clients: int, seconds: float, rounds: int) -> None:
    """Measure how many progress reports one process of this API handles per second."""
    for kind in database:
        with tempfile.TemporaryDirectory(prefix="progress-") as name, new_database(kind, Path(name)) as (url, server):
            (tokens, lectures), port = prepare(url, clients), free_port()
            with run_service(url, Path(name), port) as pid:
                print(f"{kind}, {clients} clients", flush=True)
                pids = {"service": pid} | ({"MariaDB": server} if server is not None else {})
                for _ in range(rounds):
                    measure(port, tokens, lectures, pids, seconds)


if __name__ == "__main__":
    run_command(run, "benchmarks/progress")
