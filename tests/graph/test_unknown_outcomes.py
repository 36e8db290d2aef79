"""Mutations whose change may be saved although the response is an error, which does not ask to repeat them."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymysql
import pytest
from sqlalchemy import select
from sqlalchemy.engine import make_url

from lms_graphql.catalog.models import Category
from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.database import Database
from tests.catalog.course_client import CourseClient
from tests.database_proxy import Cut, run_database_proxy
from tests.factories import Factories
from tests.live_service import ACTOR_HEADER, Client, Service, run_service
from tests.mariadb import MariaDB
from tests.statement_events import listen_to_statements

MESSAGE = "The change may have been saved. Check before you repeat it."
CREATE = """mutation { created: createCategory(input: {name: "Science"}) {
  category { name children { id } } errors { code }
} }"""


@pytest.fixture
def admin(make: Factories) -> Actor:
    return make.actor(make.user(Role.SUPER_ADMIN))


def create_category(client: Client, admin: Actor) -> Any:
    return client.post({"query": CREATE}, headers={ACTOR_HEADER: f"{admin.key}:{admin.role}"})


def assert_unknown_outcome(response: Any, status: int = 200) -> None:
    (error,) = response.json()["errors"]
    assert (response.status_code, error["extensions"]["code"]) == (status, "UNKNOWN_OUTCOME")
    assert error["message"].startswith(MESSAGE)
    assert "retry-after" not in response.headers


def category_names(service: Service) -> list[str]:
    return service.database.read_sync(lambda session: list(session.scalars(select(Category.name))))


@contextmanager
def before_each_read(database: Database, act: Any) -> Iterator[None]:
    """Call `act` before each statement that only reads."""

    with listen_to_statements([database.read_engine], lambda *_: act()):
        yield


@pytest.mark.slow
@pytest.mark.parametrize("cut", Cut)
@pytest.mark.parametrize("service_settings", ["mariadb"], indirect=True)
@pytest.mark.usefixtures("no_background_commits")
def test_connection_cut_at_commit_has_unknown_outcome(
    service: Service, admin: Actor, mariadb_server: MariaDB, cut: Cut
) -> None:
    with run_database_proxy(mariadb_server.port) as proxy:
        url = make_url(service.resources.settings.database_url or "").set(port=proxy.port)
        changed = {"database_url": url.render_as_string(hide_password=False)}
        with run_service(service.resources.settings.model_copy(update=changed)) as proxied_service:
            client = Client(proxied_service)
            client.execute("{ categories { name } }")
            proxy.next_cut = cut
            response = create_category(client, admin)
            assert_unknown_outcome(response)
            assert category_names(service) == ([] if cut is Cut.BEFORE_COMMIT else ["Science"])
            proxy.is_refusing = False
            assert CourseClient(client, admin).ok("createCategory", name="Art")["name"] == "Art"
            client.close()


def test_saved_change_that_cannot_be_read_has_unknown_outcome(service: Service, client: Client, admin: Actor) -> None:
    def fail() -> None:
        if not service.database.is_sqlite:
            raise pymysql.err.OperationalError(2013, "Lost connection to server during query")
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_READ
        raise error

    with before_each_read(service.database, fail):
        response = create_category(client, admin)
    assert_unknown_outcome(response)
    assert response.json()["errors"][0]["path"] == ["created"]
    assert category_names(service) == ["Science"]


def test_unsaved_change_is_unavailable(service: Service, client: Client, admin: Actor, monkeypatch: Any) -> None:
    def fail(*_: Any) -> None:
        if not service.database.is_sqlite:
            raise pymysql.err.OperationalError(1205, "Lock wait timeout exceeded")
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr(service.engine.dialect, "do_commit", fail)
    response = create_category(client, admin)
    (error,) = response.json()["errors"]
    assert (response.status_code, error["extensions"]["code"]) == (503, "UNAVAILABLE")
    assert response.headers["retry-after"] == "1"
    monkeypatch.undo()
    assert category_names(service) == []


@pytest.mark.slow
def test_timeout_after_commit_has_unknown_outcome(service: Service, admin: Actor) -> None:
    settings = service.resources.settings.model_copy(update={"limit_seconds": 1})
    with run_service(settings) as short_service:
        client = Client(short_service)
        with before_each_read(short_service.database, lambda: time.sleep(1.5)):
            response = create_category(client, admin)
        assert_unknown_outcome(response, status=504)
        client.close()
    assert category_names(service) == ["Science"]


@pytest.mark.slow
def test_timeout_before_commit_saves_nothing(service: Service, admin: Actor, make: Factories) -> None:
    settings = service.resources.settings.model_copy(update={"limit_seconds": 1})
    with run_service(settings) as short_service:
        client = Client(short_service)
        with service.engine.connect() as connection, connection.begin() as transaction:
            connection.exec_driver_sql("UPDATE named_locks SET taken_at = taken_at")
            connection.exec_driver_sql("DELETE FROM course_categories")
            response = create_category(client, admin)
            (error,) = response.json()["errors"]
            assert (response.status_code, error["extensions"]["code"]) == (504, "TIMEOUT")
            transaction.rollback()
        client.close()
    assert category_names(service) == []
