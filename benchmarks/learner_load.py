"""Mutations that the learners of one course send to one service process, and the command that measures them."""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing, nullcontext
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import click
import orjson
from sqlalchemy.orm import Session

from benchmarks.bare_sql import BareSql
from benchmarks.processes import cpu_seconds
from benchmarks.service import Connection, auth_context, new_database, run_service
from lms_graphql.accounts.models import User
from lms_graphql.accounts.services.sessions import create_session
from lms_graphql.catalog.models import Course, CourseStatus, Enrollment, EnrollmentSource
from lms_graphql.core import clock
from lms_graphql.core.database import Database
from lms_graphql.operations import migrations
from tests.mariadb import free_port

DATABASES = ("mariadb", "sqlite")
WARM_UP_SECONDS = 1
"""The first requests are slower."""


class LearnerLoad(NamedTuple):
    """A mutation that each learner sends again as soon as it was answered, each time with the next variables.

    `insert_content` inserts what the learners use into their course, and returns its ids. `start` prepares a learner
    with a connection and these ids, and returns the variables of all requests.
    """

    noun: str
    mutation: str
    document: str
    insert_content: Callable[[Session, Course], list[str]]
    start: Callable[[Connection, list[str]], Awaitable[Iterator[dict[str, Any]]]]


async def send_mutation(connection: Connection, document: str, mutation: str, variables: dict[str, Any]) -> Any:
    """Return the payload of the mutation. End the benchmark if it failed."""
    status, body = await connection.send(document, **variables)
    payload = orjson.loads(body)["data"][mutation] if status == 200 else None
    if payload is None or payload["errors"]:
        raise click.ClickException(f"{mutation} failed with status {status}: {body.decode()[:200]}")
    return payload


def insert_learners(url: str, clients: int, load: LearnerLoad) -> tuple[list[str], list[str]]:
    """Return access tokens of learners who are enrolled in one course, and the ids of what they use there."""
    database = Database(url)
    migrations.migrate(database.engine)

    def insert_rows(session: Session) -> tuple[list[str], list[str]]:
        users = [_user(number) for number in range(clients + 1)]
        session.add_all(users)
        session.flush()
        course = _course(session, instructor=users.pop())
        enrollment = {"course_id": course.id, "source": EnrollmentSource.FREE, "enrolled_at": clock.now()}
        session.add_all(Enrollment(user_id=user.id, **enrollment) for user in users)
        ids = load.insert_content(session, course)
        auth = auth_context(url)
        return [create_session(session, auth, user.id, user.role).access_token for user in users], ids

    inserted = database.write_sync(insert_rows)
    database.dispose()
    return inserted


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
    )
    session.add(course)
    session.flush()
    return course


class Learner(NamedTuple):
    connection: Connection
    variables: Iterator[dict[str, Any]]


async def measure(
    load: LearnerLoad,
    learners: Sequence[Learner],
    pids: dict[str, int],
    rounds: Sequence[float],
    bare: BareSql | None,
) -> None:
    """Let all learners send requests after a warm-up. Print the result of each round of so many seconds.

    With `bare`, the statements of a request are executed between the rounds, and their cost is compared.
    """
    await _send_all(load, learners, WARM_UP_SECONDS)
    if bare is not None:
        count = await bare.capture(lambda: _send_next(load, learners[0]))
        print(f"  bare SQL: {count} statements", flush=True)
    ratios = []
    for seconds in rounds:
        cpu_before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        started = time.perf_counter()
        times = await _send_all(load, learners, seconds)
        rate = len(times) / (time.perf_counter() - started)
        p50, p99 = (times[int(part * len(times))] * 1000 for part in (0.5, 0.99))
        cpu = {name: (cpu_seconds(pid) - cpu_before[name]) / len(times) * 1000 for name, pid in pids.items()}
        if bare is not None:
            cpu["bare SQL"] = bare.cpu_milliseconds()
            ratios.append(cpu["service"] / cpu["bare SQL"])
        shares = ", ".join(f"{name} {milliseconds:.2f} ms" for name, milliseconds in cpu.items())
        print(f"  {rate:6.0f} {load.noun}/s  p50 {p50:.1f} ms  p99 {p99:.1f} ms  CPU of each: {shares}", flush=True)
    if ratios:
        print(f"  service / bare SQL: {median(ratios):.2f} ×", flush=True)


async def _send_next(load: LearnerLoad, learner: Learner) -> None:
    await send_mutation(learner.connection, load.document, load.mutation, next(learner.variables))


async def _send_all(load: LearnerLoad, learners: Sequence[Learner], seconds: float) -> list[float]:
    """Return the response times of all learners in seconds, in ascending order."""
    times: list[float] = []
    deadline = time.perf_counter() + seconds

    async def send_requests(learner: Learner) -> None:
        while (sent_at := time.perf_counter()) < deadline:
            await _send_next(load, learner)
            times.append(time.perf_counter() - sent_at)

    await asyncio.gather(*map(send_requests, learners))
    return sorted(times)


def load_command(load: LearnerLoad) -> click.Command:
    """Return the command that measures the load."""

    @click.command(help=f"Measure how many {load.noun} one process of this API handles per second.")
    @click.option("--database", type=click.Choice(DATABASES), multiple=True, default=DATABASES)
    @click.option("--clients", type=click.IntRange(1, 200), default=16, show_default=True)
    @click.option("--seconds", type=click.FloatRange(1, 60), default=8, show_default=True)
    @click.option("--rounds", type=click.IntRange(1, 10), default=3, show_default=True)
    def run(database: tuple[str, ...], clients: int, seconds: float, rounds: int) -> None:
        for kind in database:
            with tempfile.TemporaryDirectory(prefix="load-") as name, new_database(kind, Path(name)) as (url, server):
                (tokens, ids), port = insert_learners(url, clients, load), free_port()
                with run_service(url, Path(name), port) as pid:
                    print(f"{kind}, {clients} clients", flush=True)
                    pids = {"service": pid} | ({"MariaDB": server} if server is not None else {})
                    asyncio.run(_measure_service(load, url, port, tokens, ids, pids, [seconds] * rounds))

    return run


async def _measure_service(
    load: LearnerLoad,
    url: str,
    port: int,
    tokens: Sequence[str],
    ids: list[str],
    pids: dict[str, int],
    rounds: Sequence[float],
) -> None:
    connections = [Connection(port, token) for token in tokens]
    learners = [Learner(connection, await load.start(connection, ids)) for connection in connections]
    with closing(BareSql(url)) if "MariaDB" in pids else nullcontext() as bare:
        await measure(load, learners, pids, rounds, bare)
    for connection in connections:
        connection.close()
