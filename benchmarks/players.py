"""The command `benchmarks/progress`: how many reports of players one process takes in a second."""

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import click
import orjson
from sqlalchemy.orm import Session

from benchmarks.commands import start
from benchmarks.processes import HOST, cpu_seconds, free_port, running
from benchmarks.storm import SECRET, Connection, address_of
from lms_graphql.accounts.models import User
from lms_graphql.accounts.services.sessions import AuthContext, create_session
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
from lms_graphql.core.signing import Signer
from lms_graphql.operations import migrations
from lms_graphql.settings import Settings

LECTURES, LENGTH = 50, 3_600
STEP = 5
"""Seconds of a lecture that each report tells of."""
REPORT = """mutation ($l: ID!, $p: Int!, $w: [WatchedRangeInput!]!) {
  recordLectureProgress(input: {lectureId: $l, positionSeconds: $p, watched: $w}) {
    progress { id watchSeconds positionSeconds isCompleted } enrollment { id status } errors { code }
  }
}"""


async def player(port: int, bearer: str, lectures: Sequence[str], until: float, taken: list[float]) -> None:
    """Somebody who plays one lecture after the other, and reports as soon as the last report was answered."""
    connection, number = Connection(port, bearer), 0
    while time.perf_counter() < until:
        lecture, second = divmod(number * STEP, LENGTH)
        watched = [{"startSeconds": second, "endSeconds": second + STEP}]
        asked = time.perf_counter()
        status, body = await connection.ask(REPORT, l=lectures[lecture % len(lectures)], p=second, w=watched)
        taken.append(time.perf_counter() - asked)
        number += 1
        if status != 200 or orjson.loads(body)["data"]["recordLectureProgress"]["errors"]:
            raise click.ClickException(f"A report was answered {status}: {body.decode()[:200]}")
    connection.close()


async def play(port: int, tokens: Sequence[str], lectures: Sequence[str], seconds: float) -> list[float]:
    """The seconds that each answer took, the shortest first."""
    taken: list[float] = []
    until = time.perf_counter() + seconds
    await asyncio.gather(*(player(port, token, lectures, until, taken) for token in tokens))
    return sorted(taken)


def prepare(url: str, clients: int) -> tuple[list[str], list[str]]:
    """Access tokens of people who are enrolled in one course, and the ids of its lectures."""
    database = Database(url)
    migrations.migrate(database.engine)

    def fill(session: Session) -> tuple[list[str], list[str]]:
        people = [
            User(
                email=f"p{number}@example.com",
                username=f"p{number}",
                first_name="P",
                last_name="Q",
                password_hash="x",
            )
            for number in range(clients + 1)
        ]
        session.add_all(people)
        session.flush()
        course = _course(session, people.pop())
        enrolled = {"course_id": course.id, "source": EnrollmentSource.FREE, "enrolled_at": clock.now()}
        session.add_all(Enrollment(user_id=person.id, **enrolled) for person in people)
        desk = AuthContext(Signer(SECRET), Settings(database_url=url, access_token_minutes=60), HOST)
        section = Section(course_id=course.id, title="Section", order_index=0, total_lectures=LECTURES)
        session.add(section)
        session.flush()
        of = {"section_id": section.id, "course_id": course.id, "lecture_type": LectureType.VIDEO, "duration": LENGTH}
        lectures = [Lecture(title="Lecture", order_index=place, **of) for place in range(LECTURES)]
        session.add_all(lectures)
        session.flush()
        tokens = [create_session(session, desk, person.id, person.role).access_token for person in people]
        return tokens, [global_ids.encode("Lecture", lecture.id) for lecture in lectures]

    prepared = database.write_sync(fill)
    database.dispose()
    return prepared


def _course(session: Session, teacher: User) -> Course:
    course = Course(
        title="Course",
        slug="course",
        description="",
        instructor_id=teacher.id,
        currency="USD",
        status=CourseStatus.PUBLISHED,
        published_at=clock.now() - timedelta(days=1),
        total_lectures=LECTURES,
    )
    session.add(course)
    session.flush()
    return course


def measure(port: int, tokens: list[str], lectures: list[str], pids: dict[str, int], seconds: float) -> None:
    asyncio.run(play(port, tokens, lectures, 1))  # what is slow the first time is not what this is about
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    began = time.perf_counter()
    taken = asyncio.run(play(port, tokens, lectures, seconds))
    spent = time.perf_counter() - began
    p50, p99 = (taken[int(part * len(taken))] * 1000 for part in (0.5, 0.99))
    cpu = {name: (cpu_seconds(pid) - before[name]) / len(taken) * 1000 for name, pid in pids.items()}
    shares = ", ".join(f"{name} {used:.2f} ms" for name, used in cpu.items())
    print(
        f"  {len(taken) / spent:6.0f} reports/s  p50 {p50:.1f} ms  p99 {p99:.1f} ms  CPU for each: {shares}",
        flush=True,
    )


@click.command()
@click.option("--database", type=click.Choice(["mariadb", "sqlite"]), multiple=True, default=["mariadb", "sqlite"])
@click.option("--clients", type=click.IntRange(1, 200), default=16, show_default=True)
@click.option("--seconds", type=click.FloatRange(1, 60), default=8, show_default=True)
@click.option("--rounds", type=click.IntRange(1, 10), default=3, show_default=True)
def run(database: tuple[str, ...], clients: int, seconds: float, rounds: int) -> None:
    """Measure how many reports of players one process of this API takes in a second."""
    for name in database:
        with tempfile.TemporaryDirectory(prefix="players-") as place, address_of(name, Path(place)) as (url, server):
            (tokens, lectures), port = prepare(url, clients), free_port()
            environment = {"LMS_DATABASE_URL": url, "LMS_ENV": "production", "LMS_SECRET_KEY": SECRET}
            command = (sys.executable, "-m", "lms_graphql", "serve", "--port", str(port))
            with running(command, Path(place) / "serve.log", port, environment) as pid:
                print(f"{name}, {clients} clients", flush=True)
                pids = {"the service": pid} | ({"MariaDB": server} if server is not None else {})
                for _ in range(rounds):
                    measure(port, tokens, lectures, pids, seconds)


if __name__ == "__main__":
    start(run, "benchmarks/progress")
