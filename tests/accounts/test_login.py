"""Login: credentials, failure limits, access tokens, the actor after mutations that start or end a session."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from lms_graphql.accounts import email_addresses
from lms_graphql.accounts.models import User
from lms_graphql.core.actor import Role
from lms_graphql.core.password_hashing import check_password
from tests.accounts.session_client import (
    ME,
    audit_actions,
    error_code,
    login,
    login_as,
    new_session,
    refresh,
    user_errors,
)
from tests.factories import PASSWORD, Factories, global_id
from tests.live_service import Client, Service


def test_login_accepts_email_in_any_case(client: Client, make: Factories) -> None:
    user = make.user_with_password(Role.INSTRUCTOR, email="Ada.Lovelace@example.com")
    payload = login_as(client, " ADA.lovelace@EXAMPLE.com ", PASSWORD)
    assert payload["errors"] == []
    me = client.execute(ME, bearer=payload["session"]["accessToken"])["me"]
    assert (me["username"], me["role"]) == (user.username, "INSTRUCTOR")
    assert datetime.now(UTC) - datetime.fromisoformat(me["lastLoginAt"]) < timedelta(minutes=1)


def test_login_updates_time_of_last_login(client: Client, make: Factories) -> None:
    user = make.user_with_password(last_login=datetime(2020, 1, 1, tzinfo=UTC))
    last_login = client.execute(ME, bearer=new_session(client, user)["accessToken"])["me"]["lastLoginAt"]
    assert datetime.fromisoformat(last_login).year >= 2026


def test_access_token_states_user_role_and_expiry(client: Client, make: Factories) -> None:
    user = make.user_with_password()
    token = new_session(client, user)["accessToken"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims.keys() == {"sub", "role", "sid", "iat", "exp", "iss", "aud"}
    assert (claims["sub"], claims["role"]) == (str(user.id), "learner")
    assert claims["exp"] - claims["iat"] == 15 * 60
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "at+jwt", "kid": "k1"}


def test_unknown_email_and_wrong_password_return_same_error(
    client: Client, make: Factories, service: Service
) -> None:
    user = make.user_with_password()
    deleted = make.user_with_password(email=None, deleted_at=datetime.now(UTC), is_active=False)
    wrong_password = login(client, user, "not the password")
    unknown_email = login_as(client, "nobody@example.com", PASSWORD)
    empty = login_as(client, "", "")
    assert deleted.email is None
    assert wrong_password == unknown_email == empty
    assert user_errors(wrong_password) == [("INVALID_CREDENTIALS", None)]
    assert audit_actions(service) == ["account.sign_in_failed"] * 3


def test_suspension_is_disclosed_only_with_correct_password(client: Client, make: Factories) -> None:
    user = make.user_with_password(is_active=False)
    assert user_errors(login(client, user, "wrong password")) == [("INVALID_CREDENTIALS", None)]
    assert user_errors(login(client, user)) == [("ACCOUNT_SUSPENDED", None)]


def test_ten_failures_block_only_new_logins_of_account(client: Client, make: Factories, service: Service) -> None:
    user, other_user = make.user_with_password(), make.user_with_password()
    session = new_session(client, user)
    codes = [error_code(login(client, user, "wrong password")) for _ in range(12)]
    assert codes == ["INVALID_CREDENTIALS"] * 10 + ["RATE_LIMITED"] * 2
    assert user_errors(login(client, user)) == [("RATE_LIMITED", None)]
    assert login(client, other_user)["session"] is not None, "other accounts are not limited"
    assert client.execute(ME, bearer=session["accessToken"])["me"] is not None, "sessions stay valid"
    assert refresh(client, session["refreshToken"])["session"] is not None


def test_logins_with_unknown_email_are_limited_too(client: Client) -> None:
    codes = [error_code(login_as(client, "nobody@example.com", "wrong password")) for _ in range(11)]
    assert codes == ["INVALID_CREDENTIALS"] * 10 + ["RATE_LIMITED"]


@pytest.mark.parametrize("email", ["x" * 1_560_000, "." * 1_560_000 + "@example.com", "a@" + "é" * 780_000])
def test_oversized_email_is_processed_quickly(client: Client, email: str) -> None:
    assert error_code(login_as(client, email, "wrong password")) == "INVALID_CREDENTIALS"
    started = time.thread_time()
    for _ in range(10):
        email_addresses.normalize_email(email)
    assert time.thread_time() - started < 0.05


def test_successful_logins_are_not_counted(client: Client, make: Factories) -> None:
    user = make.user_with_password()
    assert all(login(client, user)["session"] for _ in range(12))


def test_login_replaces_hash_with_weak_parameters(client: Client, make: Factories, service: Service) -> None:
    weak_hash = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    user = make.user_with_password(password_hash=weak_hash)
    new_session(client, user)
    stored = service.database.read_sync(lambda session: session.scalar(select(User.password_hash)))
    assert stored != weak_hash
    assert check_password(stored or "", PASSWORD) == (True, False)
    new_session(client, user)


def test_document_with_two_logins_is_rejected(client: Client) -> None:
    login_field = 'login(input: {email: "a@example.com", password: "x"}) { errors { code } }'
    for document in (
        f"mutation {{ a: {login_field} b: {login_field} }}",
        f"mutation {{ ...F ...F }} fragment F on Mutation {{ {login_field} }}",
        f"mutation {{ {login_field} ... on Mutation {{ b: {login_field} }} }}",
    ):
        assert client.error_codes(document) == ["QUERY_TOO_COMPLEX"]


def test_fields_after_login_run_as_its_user(client: Client, make: Factories) -> None:
    user = make.user_with_password()
    document = """mutation L($input: LoginInput!) {
      login(input: $input) { session { user { username email permissions } } }
      updateProfile(input: {bio: "Back again."}) { user { username bio } }
    }"""
    data = client.execute(document, input={"email": user.email, "password": PASSWORD})
    assert data["login"]["session"]["user"]["email"] == user.email
    assert data["updateProfile"]["user"] == {"username": user.username, "bio": "Back again."}


SESSION_ENDINGS: list[Callable[[str, str], str]] = [
    lambda token, user_id: "logoutEverywhere { ok }",
    lambda token, user_id: f'logout(input: {{refreshToken: "{token}"}}) {{ ok }}',
    lambda token, user_id: f'deleteUser(input: {{userId: "{user_id}"}}) {{ deletedId }}',
]
"""Mutation fields that end the session of a refresh token and a user."""


@pytest.mark.parametrize("ending", SESSION_ENDINGS)
def test_fields_after_end_of_session_run_anonymously(
    client: Client, make: Factories, ending: Callable[[str, str], str]
) -> None:
    user = make.user_with_password()
    session = new_session(client, user)
    first_field = ending(session["refreshToken"], global_id("User", user))
    next_field = 'updateProfile(input: {bio: "still here"}) { user { id } }'
    body = client.graphql(f"mutation {{ {first_field} {next_field} }}", bearer=session["accessToken"])
    assert body["data"]["updateProfile"] is None
    assert [error["extensions"]["code"] for error in body["errors"]] == ["UNAUTHENTICATED"]


def test_super_admin_cannot_create_users_after_suspending_themselves(client: Client, make: Factories) -> None:
    make.user(Role.SUPER_ADMIN)
    admin = make.user_with_password(Role.SUPER_ADMIN)
    document = f"""mutation {{
      suspendUser(input: {{userId: "{global_id("User", admin)}"}}) {{ user {{ isActive }} errors {{ code }} }}
      createUser(input: {{email: "x@example.com", username: "xxx", password: "a long enough one", firstName: "X",
        lastName: "Y", role: SUPER_ADMIN}}) {{ user {{ id }} }}
    }}"""
    body = client.graphql(document, bearer=new_session(client, admin)["accessToken"])
    assert body["data"]["createUser"] is None
    assert body["data"]["suspendUser"]["errors"] == []
