"""The command `benchmarks/sign_in_storm`: how reads fare while very many sign in at once."""

import asyncio
import multiprocessing
import os
import resource
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import click
import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.commands import start
from benchmarks.mariadb import private_mariadb
from benchmarks.processes import HOST, cpu_seconds, free_port, running, stolen_seconds
from lms_graphql.accounts.models import User
from lms_graphql.accounts.services.sessions import AuthContext, create_session
from lms_graphql.catalog.models import Course, CourseStatus, Lecture, LectureType, Section
from lms_graphql.core import clock
from lms_graphql.core.database import Database
from lms_graphql.core.password_hashing import hash_password
from lms_graphql.core.signing import Signer
from lms_graphql.operations import migrations
from lms_graphql.settings import Settings

PEOPLE = 400
READS_A_SECOND = 40
NICENESS = 10
PASSWORD = "the password of all of them"
SECRET = "a secret of the benchmark that nobody guesses: 71c0"
LOGIN = "mutation ($e: String!, $p: String!) { login(input: {email: $e, password: $p}) { session { accessToken } } }"
TREE = "query ($s: String!) { course(slug: $s) { id title sections { id title lectures { id title type } } } }"
SLUG = "tree"
ME = "{ me { id } }"


@dataclass
class Reads:
    """Seconds that each kind took."""

    taken: dict[str, list[float]] = field(default_factory=lambda: {"me": [], "tree": []})

    def row(self, name: str) -> str:
        cells = [f"{name:14}"]
        for kind, taken in self.taken.items():
            cells += [f"{kind} p50 {_at(taken, 0.5):6.1f} ms  p99 {_at(taken, 0.99):6.1f} ms"]
        return "  ".join([*cells, f"all p99 {_at(self.all, 0.99):6.1f} ms", f"({len(self.all)} reads)"])

    @property
    def all(self) -> list[float]:
        return [one for taken in self.taken.values() for one in taken]


def _at(taken: list[float], part: float) -> float:
    return sorted(taken)[min(len(taken) - 1, int(part * len(taken)))] * 1000


class Connection:
    """One request after the other."""

    def __init__(self, port: int, bearer: str | None = None) -> None:
        self._port = port
        self._head = f"authorization: Bearer {bearer}\r\n" if bearer else ""
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, document: str, **variables: Any) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(HOST, self._port)
        reader, writer = self._streams
        body = orjson.dumps({"query": document, "variables": variables})
        head = f"POST /graphql HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/json\r\n{self._head}"
        writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        told = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(told.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        return int(told[9:12]), await reader.readexactly(length)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


async def read(port: int, bearer: str, seconds: float) -> Reads:
    """One client that asks so many times a second, one after the other."""
    reads, connection = Reads(), Connection(port, bearer)
    began = time.perf_counter()
    for number in range(int(seconds * READS_A_SECOND)):
        await asyncio.sleep(max(0.0, began + number / READS_A_SECOND - time.perf_counter()))
        kind = ("me", "tree")[number % 2]
        asked = time.perf_counter()
        status, body = await (connection.ask(ME) if kind == "me" else connection.ask(TREE, s=SLUG))
        reads.taken[kind].append(time.perf_counter() - asked)
        if status != 200 or b'"errors"' in body:
            raise click.ClickException(f"A read was answered {status}: {body.decode()[:200]}")
    connection.close()
    return reads


async def storm(port: int, a_second: int, seconds: float) -> tuple[Counter[str], list[float]]:
    """So many begin to sign in each second, whether those before have come to their end or not."""
    told, taken, idle = Counter[str](), list[float](), list[Connection]()

    async def sign_in(number: int) -> None:
        connection = idle.pop() if idle else Connection(port)
        asked = time.perf_counter()
        said = {"e": f"person{number % PEOPLE}@example.com", "p": PASSWORD}
        try:
            status, body = await connection.ask(LOGIN, **said)
        except (OSError, EOFError):  # it lay idle for so long that the server has closed it
            connection = Connection(port)
            status, body = await connection.ask(LOGIN, **said)
        idle.append(connection)
        is_in = status == 200 and b'"accessToken"' in body
        told["signed in" if is_in else f"{status}" if status != 200 else "refused"] += 1
        if is_in:
            taken.append(time.perf_counter() - asked)

    began, under_way = time.perf_counter(), set[asyncio.Task[None]]()
    for number in range(int(a_second * seconds)):
        await asyncio.sleep(max(0.0, began + number / a_second - time.perf_counter()))
        task = asyncio.create_task(sign_in(number))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    for connection in idle:
        connection.close()
    return told, taken


def storm_beside(port: int, a_second: int, seconds: float, told: "Queue[Any]") -> None:
    """In a process of its own that gives way to the server and to the reads, which are what is measured."""
    os.nice(NICENESS)
    result = asyncio.run(storm(port, a_second, seconds))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    told.put((*result, usage.ru_utime + usage.ru_stime))


def prepare(url: str) -> str:
    """People who can sign in, and a course of 15 lectures. The access token of one of them."""
    database = Database(url)
    migrations.migrate(database.engine)
    hashed = hash_password(PASSWORD)

    def fill(session: Session) -> str:
        for number in range(PEOPLE):
            name = {"username": f"person{number}", "first_name": "P", "last_name": str(number)}
            session.add(User(email=f"person{number}@example.com", password_hash=hashed, **name))
        session.flush()
        first = session.scalars(select(User).order_by(User.id)).first()
        assert first is not None
        course = Course(
            title="Tree",
            slug=SLUG,
            description="",
            instructor_id=first.id,
            currency="USD",
            status=CourseStatus.PUBLISHED,
            published_at=clock.now(),
        )
        session.add(course)
        session.flush()
        for place in range(3):
            section = Section(course_id=course.id, title="Section", description="", order_index=place)
            session.add(section)
            session.flush()
            of = {"section_id": section.id, "course_id": course.id, "lecture_type": LectureType.TEXT}
            session.add_all(Lecture(title="Lecture", description="", order_index=number, **of) for number in range(5))
        desk = AuthContext(Signer(SECRET), Settings(database_url=url, access_token_minutes=60), HOST)
        return create_session(session, desk, first.id, first.role).access_token

    token = database.write_sync(fill)
    database.dispose()
    return token


@contextmanager
def address_of(database: str, folder: Path) -> Iterator[tuple[str, int | None]]:
    """Where it is, and the process of its server where it has one."""
    if database == "sqlite":
        yield f"sqlite:///{folder}/storm.db", None
        return
    with private_mariadb(folder) as server:
        yield server.url, server.pid


def measure(port: int, token: str, pids: dict[str, int], a_second: int, seconds: float) -> float:
    """Reads alone, then during the storm: how many times longer the slowest of a hundred took."""
    asyncio.run(read(port, token, 1))  # what is slow the first time is not what this is about
    asyncio.run(storm(port, 20, 1))
    idle = asyncio.run(read(port, token, seconds))
    print(idle.row("idle"), flush=True)
    told: multiprocessing.Queue[Any] = multiprocessing.Queue()
    beside = multiprocessing.Process(target=storm_beside, args=(port, a_second, seconds, told))
    before, stolen = {name: cpu_seconds(pid) for name, pid in pids.items()}, stolen_seconds()
    beside.start()
    stormy = asyncio.run(read(port, token, seconds))
    counted, taken, spent = told.get(timeout=60)
    beside.join()
    print(stormy.row("in the storm"))
    ends = ", ".join(f"{number} {what}" for what, number in sorted(counted.items()))
    print(
        f"  sign-ins: {ends}; those in: p50 {_at(taken or [0.0], 0.5):.0f} ms, p99 {_at(taken or [0.0], 0.99):.0f} ms"
    )
    shares = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()} | {"the storm itself": spent}
    shares["taken by the host"] = stolen_seconds() - stolen
    print("  CPU: " + ", ".join(f"{name} {used / seconds:.0%}" for name, used in shares.items()) + " of one core")
    ratio = _at(stormy.all, 0.99) / _at(idle.all, 0.99)
    print(f"  p99 of reads: {ratio:.1f} times idle", flush=True)
    return ratio


@click.command()
@click.option("--database", type=click.Choice(["mariadb", "sqlite"]), multiple=True, default=["mariadb", "sqlite"])
@click.option("--a-second", type=click.IntRange(1, 1000), default=200, show_default=True, help="Sign-ins begun.")
@click.option("--seconds", type=click.FloatRange(1, 60), default=10, show_default=True)
@click.option("--rounds", type=click.IntRange(1, 10), default=1, show_default=True)
def run(database: tuple[str, ...], a_second: int, seconds: float, rounds: int) -> None:
    """Measure how reads fare on one process of this API while very many sign in."""
    for name in database:
        with tempfile.TemporaryDirectory(prefix="storm-") as place, address_of(name, Path(place)) as (url, server):
            token, port = prepare(url), free_port()
            environment = {"LMS_DATABASE_URL": url, "LMS_ENV": "production", "LMS_SECRET_KEY": SECRET}
            environment["LMS_LOGIN_FAILURES_PER_ADDRESS"] = "1000000"  # all come from one address here
            command = (sys.executable, "-m", "lms_graphql", "serve", "--port", str(port))
            with running(command, Path(place) / "serve.log", port, environment) as pid:
                print(f"\n{name}")
                pids = {"the service": pid} | ({"MariaDB": server} if server is not None else {})
                ratios = [measure(port, token, pids, a_second, seconds) for _ in range(rounds)]
                print(
                    f"{name}: p99 of reads {statistics.median(ratios):.1f} times idle, median of {rounds}", flush=True
                )


if __name__ == "__main__":
    start(run, "benchmarks/sign_in_storm")
