"""The command `benchmarks/login_storm`: response times of reads while very many users sign in at once."""

import asyncio
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.commands import run_command
from benchmarks.processes import cpu_seconds, stolen_seconds
from benchmarks.service import Connection, auth_context, new_database, run_service
from lms_graphql.accounts.models import User
from lms_graphql.accounts.services.sessions import create_session
from lms_graphql.catalog.models import Course, CourseStatus, Lecture, LectureType, Section
from lms_graphql.core import clock
from lms_graphql.core.database import Database
from lms_graphql.core.password_hashing import hash_password
from lms_graphql.operations import migrations
from tests.mariadb import free_port

USERS = 400
READS_PER_SECOND = 40
NICENESS = 10
PASSWORD = "the password of all of them"
LOGIN = "mutation ($e: String!, $p: String!) { login(input: {email: $e, password: $p}) { session { accessToken } } }"
TREE = "query ($s: String!) { course(slug: $s) { id title sections { id title lectures { id title type } } } }"
SLUG = "tree"
ME = "{ me { id } }"


@dataclass
class ReadTimes:
    """Response times of each kind of read, in seconds."""

    by_kind: dict[str, list[float]] = field(default_factory=lambda: {"me": [], "tree": []})

    def format_row(self, title: str) -> str:
        cells = [f"{title:14}"]
        for kind, times in self.by_kind.items():
            cells += [f"{kind} p50 {_milliseconds(times, 0.5):6.1f} ms  p99 {_milliseconds(times, 0.99):6.1f} ms"]
        return "  ".join([*cells, f"all p99 {_milliseconds(self.all, 0.99):6.1f} ms", f"({len(self.all)} reads)"])

    @property
    def all(self) -> list[float]:
        return [seconds for times in self.by_kind.values() for seconds in times]


def _milliseconds(times: list[float], part: float) -> float:
    """Return this quantile of the times, in milliseconds."""
    return sorted(times)[min(len(times) - 1, int(part * len(times)))] * 1000


async def read(port: int, bearer: str, seconds: float) -> ReadTimes:
    """Read READS_PER_SECOND times a second, by one client that waits for each response."""
    times, connection = ReadTimes(), Connection(port, bearer)
    started = time.perf_counter()
    for number in range(int(seconds * READS_PER_SECOND)):
        await asyncio.sleep(max(0.0, started + number / READS_PER_SECOND - time.perf_counter()))
        kind = ("me", "tree")[number % 2]
        sent_at = time.perf_counter()
        status, body = await (connection.send(ME) if kind == "me" else connection.send(TREE, s=SLUG))
        times.by_kind[kind].append(time.perf_counter() - sent_at)
        if status != 200 or b'"errors"' in body:
            raise click.ClickException(f"A read failed with status {status}: {body.decode()[:200]}")
    connection.close()
    return times


async def storm(port: int, logins_per_second: int, seconds: float) -> tuple[Counter[str], list[float]]:
    """Start this many logins each second, whether the previous ones have ended or not.

    Return the number of logins by outcome, and the response times of the successful ones in seconds.
    """
    outcomes, times, idle = Counter[str](), list[float](), list[Connection]()

    async def login(number: int) -> None:
        connection = idle.pop() if idle else Connection(port)
        sent_at = time.perf_counter()
        variables = {"e": f"person{number % USERS}@example.com", "p": PASSWORD}
        try:
            status, body = await connection.send(LOGIN, **variables)
        except (OSError, EOFError):  # the server has closed the connection, which was idle for long
            connection = Connection(port)
            status, body = await connection.send(LOGIN, **variables)
        idle.append(connection)
        succeeded = status == 200 and b'"accessToken"' in body
        outcomes["succeeded" if succeeded else f"{status}" if status != 200 else "failed"] += 1
        if succeeded:
            times.append(time.perf_counter() - sent_at)

    started, in_flight = time.perf_counter(), set[asyncio.Task[None]]()
    for number in range(int(logins_per_second * seconds)):
        await asyncio.sleep(max(0.0, started + number / logins_per_second - time.perf_counter()))
        task = asyncio.create_task(login(number))
        in_flight.add(task)
        task.add_done_callback(in_flight.discard)
    await asyncio.gather(*in_flight)
    for connection in idle:
        connection.close()
    return outcomes, times


def storm_in_process(port: int, logins_per_second: int, seconds: float, results: "Queue[Any]") -> None:
    """Run the storm in this process, with a lower priority than the server and the reads, which are measured."""
    os.nice(NICENESS)
    result = asyncio.run(storm(port, logins_per_second, seconds))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    results.put((*result, usage.ru_utime + usage.ru_stime))


def prepare(url: str) -> str:
    """Create users who can sign in, and a course of 15 lectures. Return an access token of one of them."""
    database = Database(url)
    migrations.migrate(database.engine)
    password_hash = hash_password(PASSWORD)

    def insert_rows(session: Session) -> str:
        for number in range(USERS):
            name = {"username": f"person{number}", "first_name": "P", "last_name": str(number)}
            session.add(User(email=f"person{number}@example.com", password_hash=password_hash, **name))
        session.flush()
        user = session.scalars(select(User).order_by(User.id)).first()
        assert user is not None
        _add_course(session, user)
        return create_session(session, auth_context(url), user.id, user.role).access_token

    token = database.write_sync(insert_rows)
    database.dispose()
    return token


def _add_course(session: Session, instructor: User) -> None:
    course = Course(
        title="Tree",
        slug=SLUG,
        description="",
        instructor_id=instructor.id,
        currency="USD",
        status=CourseStatus.PUBLISHED,
        published_at=clock.now(),
    )
    session.add(course)
    session.flush()
    for section_index in range(3):
        section = Section(course_id=course.id, title="Section", description="", order_index=section_index)
        session.add(section)
        session.flush()
        values = {"section_id": section.id, "course_id": course.id, "lecture_type": LectureType.TEXT}
        session.add_all(Lecture(title="Lecture", description="", order_index=index, **values) for index in range(5))


def measure(port: int, token: str, pids: dict[str, int], logins_per_second: int, seconds: float) -> float:
    """Measure reads without the storm and during it. Return how many times longer their p99 is in the storm."""
    asyncio.run(read(port, token, 1))  # warm-up: the first requests are slower
    asyncio.run(storm(port, 20, 1))
    without_storm = asyncio.run(read(port, token, seconds))
    print(without_storm.format_row("without storm"), flush=True)
    results: multiprocessing.Queue[Any] = multiprocessing.Queue()
    process = multiprocessing.Process(target=storm_in_process, args=(port, logins_per_second, seconds, results))
    cpu_before, stolen_before = {name: cpu_seconds(pid) for name, pid in pids.items()}, stolen_seconds()
    process.start()
    during_storm = asyncio.run(read(port, token, seconds))
    outcomes, login_times, storm_cpu = results.get(timeout=60)
    process.join()
    cpu = {name: cpu_seconds(pid) - cpu_before[name] for name, pid in pids.items()}
    cpu |= {"storm": storm_cpu, "stolen by the host": stolen_seconds() - stolen_before}
    print(during_storm.format_row("in the storm"))
    p50, p99 = (_milliseconds(login_times or [0.0], part) for part in (0.5, 0.99))
    counts = ", ".join(f"{number} {outcome}" for outcome, number in sorted(outcomes.items()))
    print(f"  logins: {counts}; successful ones: p50 {p50:.0f} ms, p99 {p99:.0f} ms")
    shares = ", ".join(f"{name} {spent / seconds:.0%}" for name, spent in cpu.items())
    print(f"  CPU, of one core: {shares}")
    ratio = _milliseconds(during_storm.all, 0.99) / _milliseconds(without_storm.all, 0.99)
    print(f"  p99 of reads: {ratio:.1f} times that without the storm", flush=True)
    return ratio


@click.command()
@click.option("--database", type=click.Choice(["mariadb", "sqlite"]), multiple=True, default=["mariadb", "sqlite"])
@click.option("--logins-per-second", type=click.IntRange(1, 1000), default=200, show_default=True)
@click.option("--seconds", type=click.FloatRange(1, 60), default=10, show_default=True)
@click.option("--rounds", type=click.IntRange(1, 10), default=1, show_default=True)
def run(database: tuple[str, ...], logins_per_second: int, seconds: float, rounds: int) -> None:
    """Measure reads on one process of this API while very many users sign in."""
    for kind in database:
        with tempfile.TemporaryDirectory(prefix="storm-") as name, new_database(kind, Path(name)) as (url, server):
            token, port = prepare(url), free_port()
            rate_limit = {"LMS_LOGIN_FAILURES_PER_ADDRESS": "1000000"}  # all logins have one client IP
            with run_service(url, Path(name), port, **rate_limit) as pid:
                print(f"\n{kind}")
                pids = {"service": pid} | ({"MariaDB": server} if server is not None else {})
                ratios = [measure(port, token, pids, logins_per_second, seconds) for _ in range(rounds)]
                median = statistics.median(ratios)
                print(f"{kind}: p99 {median:.1f} times that without the storm, median of {rounds}", flush=True)


if __name__ == "__main__":
    run_command(run, "benchmarks/login_storm")
