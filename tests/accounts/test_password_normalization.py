"""Passwords in all their spellings: keyboards and systems write the same letter in different ways."""

import time

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from lms_graphql.accounts.models import User
from lms_graphql.accounts.password_policy import password_errors
from lms_graphql.core.actor import Role
from lms_graphql.core.password_hashing import check_password, hash_password, normalize_password
from tests.accounts.session_client import login, login_as, register
from tests.accounts.test_credentials import change, new_session_with, reset, reset_token
from tests.factories import Factories
from tests.live_service import Client, Service
from tests.mail_servers import Mailbox

COMPOSED, DECOMPOSED = "Gar\u00e7on \u00e9l\u00e9gant", "Garc\u0327on e\u0301le\u0301gant"
FULL_WIDTH = "\uff27ar\u00e7on\u3000\u00e9l\u00e9gant"
SPELLINGS = {"composed": COMPOSED, "decomposed": DECOMPOSED, "full width": FULL_WIDTH}
CREATE_USER = """mutation C($input: CreateUserInput!) { createUser(input: $input) { errors { code } } }"""
MAX_SECONDS = 0.05


def old_hash(password: str) -> str:
    """Return a hash as it was made before passwords were normalized, with today's parameters."""
    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1).hash(password)


def stored_hash(service: Service, user: User) -> str:
    statement = select(User.password_hash).where(User.id == user.id)
    return str(service.database.read_sync(lambda session: session.scalar(statement)))


@pytest.mark.parametrize("registered", SPELLINGS.values(), ids=SPELLINGS)
def test_registered_password_is_valid_in_all_spellings(client: Client, registered: str) -> None:
    assert register(client, password=registered)["errors"] == []
    for spelling in SPELLINGS.values():
        assert login_as(client, "jane@example.com", spelling)["errors"] == []


def test_old_hash_is_replaced_at_login(client: Client, make: Factories, service: Service) -> None:
    hashed = old_hash(DECOMPOSED)
    user = make.user_with_password(password_hash=hashed)
    assert login(client, user, COMPOSED)["session"] is None, "the old hash knows one spelling"
    assert login(client, user, DECOMPOSED)["errors"] == []
    assert check_password(stored_hash(service, user), COMPOSED) == (True, False)
    assert login(client, user, COMPOSED)["errors"] == []


def test_old_hash_of_normal_password_is_not_replaced(client: Client, make: Factories, service: Service) -> None:
    hashed = old_hash(COMPOSED)
    user = make.user_with_password(password_hash=hashed)
    assert login(client, user, DECOMPOSED)["errors"] == []
    assert stored_hash(service, user) == hashed


def test_changed_and_reset_passwords_are_normalized(client: Client, make: Factories, mailbox: Mailbox) -> None:
    user = make.user_with_password(email="spelling@example.com", password_hash=old_hash(DECOMPOSED))
    bearer = new_session_with(client, user, DECOMPOSED)["accessToken"]
    assert change(client, bearer, DECOMPOSED, f"new {DECOMPOSED}")["errors"] == []
    assert login(client, user, f"new {COMPOSED}")["errors"] == []
    assert reset(client, reset_token(client, mailbox, user), f"newer {DECOMPOSED}")["ok"] is True
    assert login(client, user, f"newer {COMPOSED}")["errors"] == []


def test_password_of_created_user_is_normalized(client: Client, make: Factories) -> None:
    names = {"username": "garcon", "firstName": "G", "lastName": "E", "role": "LEARNER"}
    account = {"email": "garcon@example.com", "password": DECOMPOSED, **names}
    admin = make.actor(make.user(Role.SUPER_ADMIN))
    assert client.execute(CREATE_USER, as_=admin, input=account)["createUser"] == {"errors": []}
    assert login_as(client, "garcon@example.com", COMPOSED)["errors"] == []


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("e\u0301" * 5, "TOO_SHORT"),
        ("\ufdfa", "TOO_SHORT"),
        ("\uff50assword123", "WEAK_PASSWORD"),
        ("\uff4aane@example.com", "WEAK_PASSWORD"),
        ("x" * 256 + "\u0301", "TOO_LONG"),
        ("\ufdfa" * 15, "TOO_LONG"),
    ],
)
def test_policy_applies_to_normalized_password(password: str, code: str) -> None:
    assert [error.code for error in password_errors(password, "jane@example.com")] == [code]


def test_longest_password_is_accepted_in_all_spellings() -> None:
    for spelling in ("\u00e9" * 253 + "xyz", "e\u0301" * 253 + "xyz"):
        assert password_errors(spelling) == []
        assert check_password(hash_password("\u00e9" * 253 + "xyz"), spelling).is_correct


@pytest.mark.parametrize("text", ["\u0316\u0301" * 390_000, "\ufdfa" * 780_000, "\u0316\u0301" * 512])
def test_long_text_is_normalized_quickly(text: str) -> None:
    started = time.thread_time()
    normalize_password(text)
    assert time.thread_time() - started < MAX_SECONDS
