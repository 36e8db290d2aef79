"""Idempotency keys: each key has one effect, however often and whenever its request comes."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from lms_graphql.core.database import Database
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.idempotency import MAX_KEY_LENGTH, IdempotencyKey, IdempotentRequest, run_once
from tests.concurrency import run_at_once

RACERS = 8


@pytest.fixture
def database(empty_database: str) -> Iterator[Database]:
    database = Database(empty_database, pool_size=RACERS, threads=RACERS)
    with database.engine.begin() as connection:
        IdempotencyKey.metadata.create_all(connection, [IdempotencyKey.metadata.tables["idempotency_keys"]])
        connection.execute(text("CREATE TABLE counters (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)"))
        connection.execute(text("INSERT INTO counters VALUES (1, 0)"))
    yield database
    database.dispose()


def buy(database: Database, key: str = "key", actor_key: int = 1, operation: str = "buy", **values: Any) -> int:
    """Run a request whose effect is to increment the counter. Return what the request returns: the counter then."""

    def work(session: Session) -> int:
        def increment() -> int:
            session.execute(text("UPDATE counters SET n = n + 1 WHERE id = 1"))
            number: int = session.scalar(text("SELECT n FROM counters WHERE id = 1"))
            if values.get("fails"):
                raise DomainError(ErrorCode.PRICE_CHANGED, "The price has changed.")
            return number

        return run_once(session, IdempotentRequest(actor_key, operation, key, values), increment)

    return database.write_sync(work)


def error_of(database: Database, **request: Any) -> tuple[ErrorCode, tuple[str, ...]]:
    with pytest.raises(DomainError) as caught:
        buy(database, **request)
    return caught.value.code, caught.value.path


def test_repeated_request_returns_the_first_result(database: Database) -> None:
    assert [buy(database, price="9.99") for _ in range(3)] == [1, 1, 1]


@pytest.mark.parametrize(
    "other", [{"key": "key "}, {"key": "KEY"}, {"key": "kéy"}, {"actor_key": 2}, {"operation": "refund"}]
)
def test_other_key_actor_or_operation_has_its_own_effect(database: Database, other: dict[str, Any]) -> None:
    assert [buy(database), buy(database, **other), buy(database)] == [1, 2, 1]


def test_key_with_other_input_is_rejected(database: Database) -> None:
    assert buy(database, price="9.99", course="a") == 1
    mismatch = (ErrorCode.IDEMPOTENCY_MISMATCH, ("idempotency_key",))
    assert error_of(database, price="9.98", course="a") == mismatch
    assert error_of(database, price="9.99") == mismatch
    assert buy(database, course="a", price="9.99") == 1, "the order of the input does not matter"


def test_rejected_request_does_not_use_up_its_key(database: Database) -> None:
    assert error_of(database, fails=True)[0] is ErrorCode.PRICE_CHANGED
    assert buy(database, fails=False) == 1


@pytest.mark.parametrize(
    ("key", "code"),
    [("", ErrorCode.REQUIRED), (" \t", ErrorCode.REQUIRED), ("x" * (MAX_KEY_LENGTH + 1), ErrorCode.TOO_LONG)],
)
def test_unusable_key_is_rejected(database: Database, key: str, code: ErrorCode) -> None:
    assert error_of(database, key=key) == (code, ("idempotency_key",))


def test_longest_key_is_accepted(database: Database) -> None:
    assert buy(database, key="😀" * MAX_KEY_LENGTH) == 1


def test_concurrent_requests_with_one_key_have_one_effect(database: Database) -> None:
    for number in range(1, 11):
        assert set(run_at_once(*[partial(buy, database, key=f"key {number}")] * RACERS)) == {number}
    count = database.read_sync(lambda session: session.scalar(select(func.count()).select_from(IdempotencyKey)))
    assert count == 10
