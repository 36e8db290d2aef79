"""When the database fails: coded answers, nothing told that is not the client's, and all well again afterwards."""

import asyncio
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
from lms_graphql.core.actor import ANONYMOUS
from lms_graphql.core.database import Database
from lms_graphql.core.db_errors import AbandonedError
from lms_graphql.graph.execution.loaders import Loaders
from lms_graphql.schema import NODE_LOADERS, schema
from lms_graphql.settings import Settings
from tests.auth import Reception
from tests.conftest import MariaDB
from tests.factories import Factories
from tests.live_service import Client, Logged, Service, running
from tests.mariadb import free_port

ASK = "{ courses { nodes { title sections { title } } } categories { name } }"


def test_a_fault_of_ours_is_told_by_a_number_alone(client: Client, service: Service) -> None:
    with service.engine.begin() as connection:
        connection.execute(text("ALTER TABLE course_terms RENAME TO course_terms_away"))
    try:
        body = client.graphql('{ courses(search: "canary words") { nodes { title } } }')
    finally:
        with service.engine.begin() as connection:
            connection.execute(text("ALTER TABLE course_terms_away RENAME TO course_terms"))
    assert [error["extensions"]["code"] for error in body["errors"]] == ["INTERNAL_ERROR"]
    assert len(body["errors"][0]["extensions"]["id"]) == 32
    assert "course_terms" not in str(body)
    assert "canary" not in str(body)


def test_a_fault_while_it_is_asked_who_this_is_is_told_alike(
    client: Client, service: Service, make: Factories
) -> None:
    reception = Reception(service.database, service.resources.settings, service.resources.signer)
    token = reception.sign_in(make.user()).access_token
    with service.engine.begin() as connection:
        connection.execute(text("ALTER TABLE signing_keys RENAME TO signing_keys_away"))
    try:
        response = client.post({"query": "{ me { id } }"}, headers={"authorization": f"Bearer {token}"})
    finally:
        with service.engine.begin() as connection:
            connection.execute(text("ALTER TABLE signing_keys_away RENAME TO signing_keys"))
    assert response.status_code == 500
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL_ERROR"
    assert len(error["extensions"]["id"]) == 32
    assert "signing_keys" not in response.text


def test_no_value_reaches_the_log_of_a_fault(
    client: Client, service: Service, logged: Logged, capfd: pytest.CaptureFixture[str]
) -> None:
    with service.engine.begin() as connection:
        connection.execute(text("ALTER TABLE courses RENAME TO courses_away"))
    try:
        client.graphql("query Q($slug: String!) { course(slug: $slug) { title } }", slug="hunter2-canary")
    finally:
        with service.engine.begin() as connection:
            connection.execute(text("ALTER TABLE courses_away RENAME TO courses"))
    assert "internal_error" in logged.text
    assert "hunter2" not in logged.text + "".join(capfd.readouterr())


def test_a_database_that_is_away_is_unavailable_and_the_service_not_ready() -> None:
    url = f"mysql+pymysql://lms:lms@127.0.0.1:{free_port()}/lms"
    with running(settings.load_settings({"LMS_DATABASE_URL": url}, dotenv=Path("/nowhere"))) as service:
        client = Client(service)
        assert set(client.error_codes("{ categories { name } }")) == {"UNAVAILABLE"}
        assert client.get("/health/ready").status_code == 503
        assert client.get("/health/live").status_code == 200
        client.close()


@pytest.fixture
def maria_service(maria: MariaDB, service_settings: Settings) -> Iterator[Service]:
    """One of its own, which gives up after a second."""
    read = service_settings.model_copy(update={"limit_seconds": 1})
    with running(read) as service:
        yield service


def kill_all(maria: MariaDB, but: int) -> None:
    import pymysql

    with pymysql.connect(unix_socket=f"{maria.folder}/socket", user="root") as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT id FROM information_schema.processlist WHERE user = 'lms' AND id <> %s", (but,))
        for (number,) in cursor.fetchall():
            cursor.execute(f"KILL {number}")


@pytest.mark.slow
@pytest.mark.parametrize("service_settings", ["mariadb"], indirect=True)
def test_connections_that_were_cut_are_noticed_by_nobody(
    client: Client, make: Factories, maria: MariaDB, service: Service
) -> None:
    make.course()
    for _ in range(5):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: client.execute(ASK), range(16)))
        kill_all(maria, but=0)
        for _ in range(10):
            assert len(client.execute(ASK)["courses"]["nodes"]) == 1
    service.engine.dispose()  # the connections for writing were cut, too: the next test starts with new ones


@pytest.mark.slow
@pytest.mark.parametrize("service_settings", ["mariadb"], indirect=True)
def test_a_request_that_takes_too_long_is_given_up_and_the_next_is_answered(
    maria_service: Service, service: Service, make: Factories
) -> None:
    make.course()
    client = Client(maria_service)
    with service.engine.connect() as holder:
        holder.execute(text("LOCK TABLES courses WRITE"))
        started = time.monotonic()
        response = client.post({"query": ASK})
        assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (504, "TIMEOUT")
        assert time.monotonic() - started < 8
        holder.execute(text("UNLOCK TABLES"))
    time.sleep(0.3)
    assert len(client.execute(ASK)["courses"]["nodes"]) == 1
    client.close()


def test_a_link_lost_in_a_batch_is_replaced_and_the_batch_read_again(empty_database: str) -> None:
    database = Database(empty_database)
    calls: list[int] = []

    def read(session: object, actor: object, keys: object) -> dict[int, str]:
        calls.append(threading.get_ident())
        if len(calls) == 1 and not database.is_sqlite:
            number = session.scalar(text("SELECT CONNECTION_ID()"))  # type: ignore[attr-defined]
            database.write_sync(lambda other: other.execute(text(f"KILL {number}")) and None)
        assert session.scalar(text("SELECT 1")) == 1  # type: ignore[attr-defined]
        return {1: "there"}

    async def ask() -> None:
        assert await Loaders(database, ANONYMOUS, []).load(read, 1, None) == "there"
        assert await Loaders(database, ANONYMOUS, []).load(read, 1, None) == "there"

    asyncio.run(ask())
    assert len(calls) == (2 if database.is_sqlite else 3)
    database.dispose()


def test_a_write_whose_caller_is_gone_before_the_commit_is_rolled_back(empty_database: str) -> None:
    database = Database(empty_database)
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE marks (id INTEGER PRIMARY KEY)"))
    entered, go_on = threading.Event(), threading.Event()

    def work(session: object) -> None:
        session.execute(text("INSERT INTO marks VALUES (1)"))  # type: ignore[attr-defined]
        entered.set()
        go_on.wait(5)

    async def ask() -> None:
        task = asyncio.ensure_future(database.write(work))
        await asyncio.to_thread(entered.wait, 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()

    asyncio.run(ask())
    database.dispose()
    again = Database(empty_database)
    assert again.read_sync(lambda session: session.scalar(text("SELECT COUNT(*) FROM marks"))) == 0
    given_up = threading.Event()
    given_up.set()
    with pytest.raises(AbandonedError):
        again.write_sync(lambda session: None, given_up)
    again.dispose()


def test_what_a_failed_commit_leaves_is_not_committed_with_what_comes_next(empty_database: str) -> None:
    database = Database(empty_database, pool_size=1)
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE marks (id INTEGER PRIMARY KEY)"))

    def fail(connection: object) -> None:
        event.remove(database.engine, "commit", fail)
        raise OperationalError("COMMIT", None, sqlite3.OperationalError("disk is full"))

    def insert(number: int) -> Callable[[Session], object]:
        return lambda session: session.execute(text(f"INSERT INTO marks VALUES ({number})"))

    event.listen(database.engine, "commit", fail)
    with pytest.raises(OperationalError):
        database.write_sync(insert(1))
    database.write_sync(insert(2))
    assert database.read_sync(lambda session: session.scalars(text("SELECT id FROM marks")).all()) == [2]
    database.dispose()


def test_whoever_is_signed_in_may_ask_for_more(client: Client, make: Factories) -> None:
    document = "{ courses(first: 100) { nodes { sections { lectures { id } } } } }"
    assert client.error_codes(document) == ["QUERY_TOO_COMPLEX"]
    assert client.error_codes(document, as_=make.actor(make.user())) == []


def test_a_size_given_as_a_float_costs_what_it_brings(client: Client) -> None:
    document = "query Q($n: Int) { courses(first: $n) { nodes { id } } }"
    for size in (100, 100.0):
        assert client.graphql(document, n=size)["extensions"]["cost"] == 100


def test_every_kind_of_node_can_be_asked_for_by_its_id() -> None:
    kinds = {
        kind.name
        for kind in schema._schema.type_map.values()
        if isinstance(kind, GraphQLObjectType) and any(one.name == "Node" for one in kind.interfaces)
    }
    assert kinds == set(NODE_LOADERS)
