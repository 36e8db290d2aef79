"""Requests of the session mutations: registration, login, refresh and logout, over HTTP with real tokens."""

from typing import Any

from sqlalchemy import select

from lms_graphql.accounts.models import AuditEvent, User
from tests.factories import PASSWORD
from tests.live_service import Client, Service

SESSION = """session {
  accessToken accessTokenExpiresAt refreshToken refreshTokenExpiresAt user { username role email }
} errors { code path message }"""
REGISTER = f"mutation R($input: RegisterInput!) {{ register(input: $input) {{ {SESSION} }} }}"
LOGIN = f"mutation L($input: LoginInput!) {{ login(input: $input) {{ {SESSION} }} }}"
REFRESH = f"mutation F($token: String!) {{ refreshSession(input: {{refreshToken: $token}}) {{ {SESSION} }} }}"
LOGOUT = "mutation O($token: String!) { logout(input: {refreshToken: $token}) { ok errors { code path } } }"
LOGOUT_EVERYWHERE = "mutation { logoutEverywhere { ok errors { code } } }"
ME = "{ me { username role lastLoginAt } }"

REGISTRATION = {
    "email": "Jane@Example.com",
    "username": "Jane.Doe",
    "password": "a long enough one",
    "firstName": " Jane ",
    "lastName": "Doe",
}
"""A valid input of `register`."""


def register(client: Client, **changes: Any) -> Any:
    """Return the payload of a registration that differs from `REGISTRATION` by these fields."""
    return client.execute(REGISTER, input={**REGISTRATION, **changes})["register"]


def login(client: Client, user: User, password: str = PASSWORD) -> Any:
    """Return the payload of a login."""
    return login_as(client, user.email, password)


def login_as(client: Client, email: str | None, password: str) -> Any:
    """Return the payload of a login with any email address."""
    return client.execute(LOGIN, input={"email": email, "password": password})["login"]


def new_session(client: Client, user: User) -> Any:
    """Log in and return the session. An error fails the test."""
    session = login(client, user)["session"]
    assert session is not None
    return session


def refresh(client: Client, token: str) -> Any:
    """Return the payload of a refresh."""
    return client.execute(REFRESH, token=token)["refreshSession"]


def user_errors(payload: Any) -> list[tuple[str, list[str] | None]]:
    """Return code and path of each error in a payload."""
    return [(error["code"], error["path"]) for error in payload["errors"]]


def error_code(payload: Any) -> str:
    """Return the code of the first error in a payload."""
    code: str = payload["errors"][0]["code"]
    return code


def is_rejected(client: Client, access_token: str) -> bool:
    """Return whether a request with this access token gets 401."""
    return client.post({"query": ME}, headers={"authorization": f"Bearer {access_token}"}).status_code == 401


def audit_actions(service: Service) -> list[str]:
    """Return the actions of all audit events."""
    return service.database.read_sync(lambda session: list(session.scalars(select(AuditEvent.action))))
