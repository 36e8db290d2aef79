"""Admission of password operations to the hashing pool."""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from lms_graphql.accounts.services.password_operations import PasswordOperations
from lms_graphql.accounts.services.registration import RegistrationData
from lms_graphql.accounts.services.sessions import AuthContext
from lms_graphql.core.actor import Role
from lms_graphql.core.concurrency import ReadPriorityGate
from lms_graphql.core.errors import DomainErrors, RequestError, RequestErrorCode
from lms_graphql.core.password_hashing import (
    MAX_IN_FLIGHT,
    MAX_IN_FLIGHT_PER_CLIENT,
    MAX_QUEUED_PER_CLIENT,
    PasswordHashingPool,
    hash_password,
)
from lms_graphql.core.signing import Signer
from lms_graphql.settings import Settings

CLIENT_IP, OTHER_IP = "192.0.2.1", "192.0.2.2"
PASSWORD = "a long enough one"
VALID = RegistrationData("jane@example.com", "jane", "Jane", "Doe")
INVALID = VALID._replace(email="no address")
Operation = Callable[[PasswordOperations], Awaitable[Any]]
OPERATIONS: dict[str, Operation] = {
    "register": lambda operations: operations.register(VALID, PASSWORD),
    "create_user": lambda operations: operations.create_user(VALID, PASSWORD, Role.LEARNER),
    "login": lambda operations: operations.login("jane@example.com", PASSWORD),
    "change_password": lambda operations: operations.change_password(PASSWORD, "another long one"),
    "request_email_change": lambda operations: operations.request_email_change("jane@example.com", PASSWORD),
    "reset_password": lambda operations: operations.reset_password("token", PASSWORD),
}


async def fail_on_write(*_: Any, **__: Any) -> Any:
    raise AssertionError("The operation wrote something.")


def operations_without_database(hashing: PasswordHashingPool) -> PasswordOperations:
    auth = AuthContext(Signer("a secret"), Settings(database_url="sqlite:///unused.db"), CLIENT_IP)
    return PasswordOperations(auth, hashing, ReadPriorityGate(), fail_on_write)


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation_writes_nothing_without_admission(name: str) -> None:
    hashing = PasswordHashingPool()
    operations = operations_without_database(hashing)

    async def run() -> None:
        await OPERATIONS[name](operations)

    with contextlib.ExitStack() as stack:
        for _ in range(MAX_IN_FLIGHT_PER_CLIENT):
            stack.enter_context(hashing.admit(CLIENT_IP))
        with pytest.raises(RequestError) as raised:
            asyncio.run(run())
    assert raised.value.code is RequestErrorCode.UNAVAILABLE
    hashing.close()


def test_invalid_input_needs_no_admission() -> None:
    hashing = PasswordHashingPool()
    operations = operations_without_database(hashing)
    with contextlib.ExitStack() as stack:
        for _ in range(MAX_IN_FLIGHT_PER_CLIENT):
            stack.enter_context(hashing.admit(CLIENT_IP))
        with pytest.raises(DomainErrors):
            asyncio.run(operations.register(INVALID, PASSWORD))
        with pytest.raises(DomainErrors):
            asyncio.run(operations.create_user(INVALID, PASSWORD, Role.LEARNER))
        with pytest.raises(DomainErrors):
            asyncio.run(operations.request_email_change(INVALID.email, PASSWORD))
    hashing.close()


def test_one_client_cannot_take_all_queue_slots() -> None:
    hashing = PasswordHashingPool()
    with contextlib.ExitStack() as stack:
        for _ in range(MAX_QUEUED_PER_CLIENT):
            stack.enter_context(hashing.queue_slot(CLIENT_IP))
        with pytest.raises(RequestError):
            hashing.admit(CLIENT_IP)
        hashing.admit(OTHER_IP)
    hashing.admit(CLIENT_IP)
    hashing.close()


def test_operations_in_flight_are_limited() -> None:
    """If the database stalls, logins that wait for it would otherwise take all capacity from readers."""
    hashing = PasswordHashingPool()
    with contextlib.ExitStack() as stack:
        for number in range(MAX_IN_FLIGHT):
            stack.enter_context(hashing.admit(f"{number}"))
        with pytest.raises(RequestError):
            hashing.admit(OTHER_IP)
    hashing.admit(OTHER_IP)
    hashing.close()


def test_one_client_cannot_take_all_admissions() -> None:
    hashing = PasswordHashingPool()
    with contextlib.ExitStack() as stack:
        for _ in range(MAX_IN_FLIGHT_PER_CLIENT):
            stack.enter_context(hashing.admit(CLIENT_IP))
        with pytest.raises(RequestError):
            hashing.admit(CLIENT_IP)
        hashing.admit(OTHER_IP)
    hashing.admit(CLIENT_IP)
    hashing.close()


def test_passwords_are_hashed_if_the_priority_cannot_be_lowered(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", fail)  # as in a sandbox whose filter of system calls lacks it
    hashing = PasswordHashingPool()
    assert asyncio.run(hashing.verify(hash_password(PASSWORD), PASSWORD)).is_correct
    hashing.close()
