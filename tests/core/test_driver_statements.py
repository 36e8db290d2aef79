"""Constant statements that go straight to the driver, compared with the same ones executed by SQLAlchemy."""

import gc
import weakref
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Update, bindparam, cast, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Category, Course, CourseStatus
from lms_graphql.core import db_errors
from lms_graphql.core.actor import Role
from lms_graphql.core.driver_statements import DriverStatement, driver_statement
from lms_graphql.core.query_counter import counting
from lms_graphql.core.statements import KEYS, NOW, RowSelect, execute_dml, fetch_rows
from tests.factories import Factories
from tests.live_service import Service

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("service_settings", ["mariadb"], indirect=True)]

ODD_TEXTS = ["'; DROP TABLE users; -- ", '"', "\\", "\\' OR 1=1 -- ", "%s %(keys)s %%", "\0", "naïve 𝔘 🂡", "", " a\n"]
BY_NAME: RowSelect = select(Category.id, Category.name, Category.description).where(
    Category.name == bindparam("name")
)
BY_NAMES: RowSelect = select(Category.id, Category.name).where(Category.name.in_(KEYS)).order_by(Category.id)
COLUMN_TYPES: RowSelect = (
    select(User.id, User.role, User.is_active, User.bio, User.last_login, User.created_at, cast(User.id, BigInteger))
    .where(User.id.in_(KEYS), User.created_at <= NOW, User.role.in_((Role.LEARNER, Role.INSTRUCTOR)))
    .order_by(User.id)
)
SLEEP: RowSelect = select(func.sleep(bindparam("seconds")))
RENAME = update(Category).where(Category.id == bindparam("key")).values(description=bindparam("text"))


@pytest.fixture
def connection(service: Service) -> Iterator[Connection]:
    with service.engine.begin() as connection:
        yield connection


def compiled(statement: RowSelect | Update, connection: Connection, binds: Mapping[str, Any]) -> DriverStatement:
    driver_statement(statement, connection, binds)  # the first time, SQLAlchemy executes the statement
    prepared = driver_statement(statement, connection, binds)
    assert prepared is not None
    return prepared


def test_rows_have_the_values_and_types_of_sqlalchemy(connection: Connection, make: Factories) -> None:
    users = [
        make.user(),
        make.user(role=Role.INSTRUCTOR, bio="Ä 🂡", last_login=datetime(2026, 1, 1, 0, 0, 0, 1, UTC)),
    ]
    binds = {"keys": [user.id for user in users], "now": datetime.now(UTC) + timedelta(hours=1)}
    expected = [tuple(row) for row in connection.execute(COLUMN_TYPES, binds)]
    rows = compiled(COLUMN_TYPES, connection, binds).fetch(connection, binds)
    assert rows is not None
    assert list(rows) == expected
    assert len(expected) == 2
    assert [list(map(type, row)) for row in rows] == [list(map(type, row)) for row in expected]


@pytest.mark.parametrize("odd_text", ODD_TEXTS)
def test_odd_text_is_a_value_only(connection: Connection, odd_text: str) -> None:
    prepared = compiled(BY_NAME, connection, {"name": odd_text})
    key = connection.execute(
        insert(Category).values(name=odd_text, name_key=f"odd {odd_text}", slug="odd", description=odd_text)
    ).inserted_primary_key
    assert key is not None
    assert prepared.fetch(connection, {"name": odd_text}) == ((key[0], odd_text, odd_text),)
    lists = compiled(BY_NAMES, connection, {"keys": [odd_text]})
    assert lists.fetch(connection, {"keys": [odd_text, "another"]}) == ((key[0], odd_text),)
    assert (
        compiled(RENAME, connection, {"key": 1, "text": ""}).update(connection, {"key": key[0], "text": odd_text})
        == 1
    )
    connection.rollback()


def test_empty_list_is_left_to_sqlalchemy(service: Service) -> None:
    for _ in range(3):
        assert list(service.database.read_sync(lambda session: fetch_rows(session, BY_NAMES, {"keys": []}))) == []


def test_update_sets_the_time_of_the_change(service: Service, make: Factories) -> None:
    category = make.category()
    before = datetime.now(UTC)

    def change(session: Session) -> tuple[list[int], int]:
        counts = [execute_dml(session, RENAME, {"key": category.id, "text": f"text {number}"}) for number in range(3)]
        return counts, execute_dml(session, RENAME, {"key": -1, "text": ""})

    assert service.database.write_sync(change) == ([1, 1, 1], 0)
    stored = service.database.read_sync(lambda session: session.get_one(Category, category.id))
    assert stored.description == "text 2"
    assert stored.updated_at >= before


def test_statements_are_counted_once(service: Service) -> None:
    counts: list[int] = []
    for _ in range(3):
        service.database.read_sync(counting(lambda session: fetch_rows(session, BY_NAMES, {"keys": ["a"]}), counts))
    assert counts == [1, 1, 1]


def test_statement_built_for_one_execution_is_not_compiled(connection: Connection) -> None:
    assert driver_statement(select(Course.id), connection, {}) is None


def test_compiled_statement_goes_with_its_statement(connection: Connection) -> None:
    statement = select(Course.id).where(Course.status == CourseStatus.DRAFT)
    prepared = weakref.ref(compiled(statement, connection, {}))
    assert prepared() is not None
    del statement
    gc.collect()
    assert prepared() is None


FAILURES: list[tuple[str, Callable[[Session], Any], type[DBAPIError]]] = [
    ("duplicate", lambda session: rename_user(session, "taken@example.com"), IntegrityError),
    ("timeout", lambda session: fetch_rows(session, SLEEP, {"seconds": 5}), OperationalError),
]
SET_EMAIL = update(User).where(User.id == bindparam("key")).values(email_key=bindparam("new_email"))


def rename_user(session: Session, email: str) -> None:
    key = session.scalar(select(func.max(User.id)))
    execute_dml(session, SET_EMAIL, {"key": key, "new_email": f"free-{email}"})
    execute_dml(session, SET_EMAIL, {"key": key, "new_email": email})


@pytest.mark.parametrize(("name", "work", "expected"), FAILURES, ids=[name for name, *_ in FAILURES])
def test_driver_errors_have_sqlalchemys_class_without_values(
    service: Service, make: Factories, name: str, work: Callable[[Session], Any], expected: type[DBAPIError]
) -> None:
    make.user(email="taken@example.com")
    make.user()

    def run(session: Session) -> None:
        session.execute(text("SET SESSION max_statement_time = 0.2"))
        fetch_rows(session, SLEEP, {"seconds": 0})
        work(session)

    with pytest.raises(expected) as caught:
        service.database.write_sync(run)
    service.engine.dispose()  # the setting belongs to the connection
    assert db_errors.is_statement_timeout(caught.value) == (name == "timeout")
    assert caught.value.params is None or "taken@example.com" not in str(caught.value).split("[SQL", 1)[1]


def test_lost_connection_is_replaced(service: Service, make: Factories) -> None:
    category = make.category()
    expected = [(category.id, category.name)]

    def read(session: Session) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in fetch_rows(session, BY_NAMES, {"keys": [category.name]})]

    assert [service.database.read_sync(read) for _ in range(3)] == [expected] * 3

    def kill_itself(session: Session) -> None:
        session.connection().connection.cursor().execute(f"KILL {session.scalar(text('SELECT CONNECTION_ID()'))}")

    with pytest.raises(Exception, match=r"1317|1927|2013"):
        service.database.read_sync(kill_itself)
    assert service.database.read_sync(read) == expected
