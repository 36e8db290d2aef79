"""Failures of the database: error codes, no leaks in responses and logs, and recovery."""

import asyncio
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from graphql import GraphQLObjectType
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lms_graphql import settings
from lms_graphql.core import engines
from lms_graphql.core.actor import ANONYMOUS
from lms_graphql.core.database import Database
from lms_graphql.core.db_errors import AbandonedError
from lms_graphql.graph.execution.loaders import Loaders
from lms_graphql.schema import NODE_LOADERS, schema
from lms_graphql.settings import Settings
from tests.auth import SessionIssuer
from tests.factories import Factories
from tests.live_service import Client, LogCapture, Service, run_service
from tests.mariadb import MariaDB, free_port
from tests.statement_events import listen_to_statements

QUERY = "{ courses { nodes { title sections { title } } } categories { name } }"


def test_internal_error_reveals_only_an_id(client: Client, service: Service) -> None:
    with service.engine.begin() as connection:
        connection.execute(text("ALTER TABLE course_terms RENAME TO course_terms_renamed"))
    try:
        body = client.graphql('{ courses(search: "canary words") { nodes { title } } }')
    finally:
        with service.engine.begin() as connection:
            connection.execute(text("ALTER TABLE course_terms_renamed RENAME TO course_terms"))
    assert [error["extensions"]["code"] for error in body["errors"]] == ["INTERNAL_ERROR"]
    assert len(body["errors"][0]["extensions"]["id"]) == 32
    assert "course_terms" not in str(body)
    assert "canary" not in str(body)


def test_id_of_internal_error_is_the_request_id(client: Client, service: Service, captured_log: LogCapture) -> None:
    with service.engine.begin() as connection:
        connection.execute(text("ALTER TABLE course_terms RENAME TO course_terms_renamed"))
    try:
        query = {"query": '{ courses(search: "words") { nodes { title } } }'}
        response = client.post(query, headers={"x-request-id": "from-the-client"})
    finally:
        with service.engine.begin() as connection:
            connection.execute(text("ALTER TABLE course_terms_renamed RENAME TO course_terms"))
    assert response.json()["errors"][0]["extensions"]["id"] == "from-the-client"
    (line,) = [json.loads(line) for line in captured_log.text.splitlines() if '"internal_error"' in line]
    assert line["request_id"] == "from-the-client"


def test_internal_error_in_authentication_reveals_only_an_id(
    client: Client, service: Service, make: Factories
) -> None:
    sessions = SessionIssuer(service.database, service.resources.settings, service.resources.signer)
    token = sessions.sign_in(make.user()).access_token
    with service.engine.begin() as connection:
        connection.execute(text("ALTER TABLE signing_keys RENAME TO signing_keys_renamed"))
    try:
        response = client.post({"query": "{ me { id } }"}, headers={"authorization": f"Bearer {token}"})
    finally:
        with service.engine.begin() as connection:
            connection.execute(text("ALTER TABLE signing_keys_renamed RENAME TO signing_keys"))
    assert response.status_code == 500
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL_ERROR"
    assert len(error["extensions"]["id"]) == 32
    assert "signing_keys" not in response.text


def test_internal_error_log_has_no_values(
    client: Client, service: Service, captured_log: LogCapture, capfd: pytest.CaptureFixture[str]
) -> None:
    with service.engine.begin() as connection:
        connection.execute(text("ALTER TABLE courses RENAME TO courses_renamed"))
    try:
        client.graphql("query Q($slug: String!) { course(slug: $slug) { title } }", slug="hunter2-canary")
    finally:
        with service.engine.begin() as connection:
            connection.execute(text("ALTER TABLE courses_renamed RENAME TO courses"))
    assert "internal_error" in captured_log.text
    assert "hunter2" not in captured_log.text + "".join(capfd.readouterr())


def test_service_is_unavailable_without_database() -> None:
    url = f"mysql+pymysql://lms:lms@127.0.0.1:{free_port()}/lms"
    with run_service(settings.load_settings({"LMS_DATABASE_URL": url}, dotenv=Path("/nowhere"))) as service:
        client = Client(service)
        assert set(client.error_codes("{ categories { name } }")) == {"UNAVAILABLE"}
        assert client.get("/health/ready").status_code == 503
        assert client.get("/health/live").status_code == 200
        client.close()


@pytest.fixture
def short_timeout_service(mariadb_server: MariaDB, service_settings: Settings) -> Iterator[Service]:
    """Run a service whose requests time out soon."""
    with run_service(service_settings.model_copy(update={"limit_seconds": 2})) as service:
        yield service


def kill_connections(mariadb_server: MariaDB) -> None:
    with mariadb_server.connect_as_root() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE user = 'lms'")
        for (connection_id,) in cursor.fetchall():
            cursor.execute(f"KILL {connection_id}")


@pytest.mark.slow
@pytest.mark.parametrize("service_settings", ["mariadb"], indirect=True)
def test_killed_connections_do_not_fail_requests(
    client: Client, make: Factories, mariadb_server: MariaDB, service: Service
) -> None:
    make.course()
    for _ in range(5):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: client.execute(QUERY), range(16)))
        kill_connections(mariadb_server)
        for _ in range(10):
            assert len(client.execute(QUERY)["courses"]["nodes"]) == 1
    service.engine.dispose()  # the write connections were killed too, and the next test must get new ones


@pytest.mark.slow
@pytest.mark.parametrize("service_settings", ["mariadb"], indirect=True)
def test_slow_request_times_out_and_next_succeeds(
    short_timeout_service: Service, service: Service, make: Factories
) -> None:
    make.course()
    client = Client(short_timeout_service)
    with service.engine.connect() as locking_connection:
        locking_connection.execute(text("LOCK TABLES courses WRITE"))
        started = time.monotonic()
        response = client.post({"query": QUERY})
        assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (504, "TIMEOUT")
        assert time.monotonic() - started < 20, "the lock would last for ever"
        locking_connection.execute(text("UNLOCK TABLES"))
    time.sleep(0.3)
    assert len(client.execute(QUERY)["courses"]["nodes"]) == 1
    client.close()


@pytest.mark.slow
def test_authentication_and_execution_share_one_deadline(service: Service, make: Factories) -> None:
    """Each of the two reads takes less than the limit, and both together take more."""
    sessions = SessionIssuer(service.database, service.resources.settings, service.resources.signer)
    token = sessions.sign_in(make.user()).access_token
    settings = service.resources.settings.model_copy(update={"limit_seconds": 2})
    with run_service(settings) as short_service:
        client = Client(short_service)
        client.execute("{ categories { name } }")  # the first connection runs further statements
        with listen_to_statements([short_service.database.read_engine], lambda *_: time.sleep(1.3)):
            response = client.post({"query": "{ me { id } }"}, headers={"authorization": f"Bearer {token}"})
        client.close()
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (504, "TIMEOUT")


def test_batch_is_read_again_when_connection_is_lost(empty_database: str) -> None:
    database = Database(empty_database)
    calls: list[int] = []

    def read(session: object, actor: object, keys: object) -> dict[int, str]:
        calls.append(threading.get_ident())
        if len(calls) == 1 and not database.is_sqlite:
            connection_id = session.scalar(text("SELECT CONNECTION_ID()"))  # type: ignore[attr-defined]
            database.write_sync(lambda other: other.execute(text(f"KILL {connection_id}")) and None)
        assert session.scalar(text("SELECT 1")) == 1  # type: ignore[attr-defined]
        return {1: "value"}

    async def load_twice() -> None:
        assert await Loaders(database, ANONYMOUS, []).load(read, 1, None) == "value"
        assert await Loaders(database, ANONYMOUS, []).load(read, 1, None) == "value"

    asyncio.run(load_twice())
    assert len(calls) == (2 if database.is_sqlite else 3)
    database.dispose()


def test_write_is_rolled_back_when_caller_is_cancelled(empty_database: str) -> None:
    database = Database(empty_database)
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE marks (id INTEGER PRIMARY KEY)"))
    started, may_finish = threading.Event(), threading.Event()

    def work(session: object) -> None:
        session.execute(text("INSERT INTO marks VALUES (1)"))  # type: ignore[attr-defined]
        started.set()
        may_finish.wait(30)

    async def write_and_cancel() -> None:
        task = asyncio.ensure_future(database.write(work))
        await asyncio.to_thread(started.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        may_finish.set()

    asyncio.run(write_and_cancel())
    database.dispose()
    database = Database(empty_database)
    assert database.read_sync(lambda session: session.scalar(text("SELECT COUNT(*) FROM marks"))) == 0
    abandoned = threading.Event()
    abandoned.set()
    with pytest.raises(AbandonedError):
        database.write_sync(lambda session: None, abandoned)
    database.dispose()


def test_failed_commit_does_not_leak_into_next_commit(empty_database: str) -> None:
    database = Database(empty_database, pool_size=1)
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE marks (id INTEGER PRIMARY KEY)"))

    def fail(connection: object) -> None:
        event.remove(database.engine, "commit", fail)
        raise OperationalError("COMMIT", None, sqlite3.OperationalError("disk is full"))

    def insert(key: int) -> Callable[[Session], object]:
        return lambda session: session.execute(text(f"INSERT INTO marks VALUES ({key})"))

    event.listen(database.engine, "commit", fail)
    with pytest.raises(OperationalError):
        database.write_sync(insert(1))
    database.write_sync(insert(2))
    assert database.read_sync(lambda session: session.scalars(text("SELECT id FROM marks")).all()) == [2]
    database.dispose()


@pytest.mark.slow
def test_write_is_retried_once_after_lock_timeout(mariadb_server: MariaDB) -> None:
    database = Database(mariadb_server.new_database("lms_lock_timeout"), pool_size=1, threads=1)
    database.write_sync(lambda session: session.execute(text("CREATE TABLE t (id INT PRIMARY KEY)")) and None)
    database.write_sync(lambda session: session.execute(text("INSERT INTO t VALUES (1)")) and None)
    attempts = []

    def work(session: Session) -> None:
        attempts.append(time.monotonic())
        session.execute(text("UPDATE t SET id = 2 WHERE id = 1"))

    with database.engine.connect() as blocker:
        other = Database(database.url, pool_size=1, threads=1)
        blocker.execute(text("SELECT * FROM t FOR UPDATE"))
        released = threading.Timer(engines.LOCK_TIMEOUT_SECONDS + 0.5, blocker.rollback)
        released.start()
        other.write_sync(work)
        released.join()
    assert len(attempts) == 2
    other.dispose()
    database.dispose()


def test_signed_in_user_has_higher_cost_limit(client: Client, make: Factories) -> None:
    document = "{ courses(first: 100) { nodes { sections { lectures { id } } } } }"
    assert client.error_codes(document) == ["QUERY_TOO_COMPLEX"]
    assert client.error_codes(document, as_=make.actor(make.user())) == []


def test_page_size_as_float_costs_the_same(client: Client) -> None:
    document = "query Q($n: Int) { courses(first: $n) { nodes { id } } }"
    for size in (100, 100.0):
        assert client.graphql(document, n=size)["extensions"]["cost"] == 100


def test_every_node_type_has_a_loader() -> None:
    node_types = {
        object_type.name
        for object_type in schema._schema.type_map.values()
        if isinstance(object_type, GraphQLObjectType)
        and any(interface.name == "Node" for interface in object_type.interfaces)
    }
    assert node_types == set(NODE_LOADERS)
