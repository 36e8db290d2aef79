"""Changes of usernames: validation, uniqueness, and the days between two changes."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from lms_graphql.accounts.models import User
from lms_graphql.core import clock
from lms_graphql.core.actor import Role
from lms_graphql.core.statements import execute_dml
from lms_graphql.settings import Settings
from tests.accounts.session_client import audit_actions
from tests.factories import Factories
from tests.live_service import Client, Service, run_service

UPDATE = """mutation P($input: UpdateProfileInput!) {
  updateProfile(input: $input) { user { username } errors { code path limit message } }
}"""
USER = "query U($username: String!) { user(username: $username) { id } }"
SEARCH = "query S($search: String!) { users(filter: {search: $search}) { nodes { username } } }"


def rename(client: Client, make: Factories, user: User, username: str | None, **fields: str) -> Any:
    return client.execute(UPDATE, as_=make.actor(user), input={"username": username, **fields})["updateProfile"]


def error(payload: Any) -> tuple[str, list[str], str | None]:
    """Return code, path and limit of the only error."""
    (found,) = payload["errors"]
    assert payload["user"] is None
    return found["code"], found["path"], found["limit"]


def set_age_of_change(service: Service, **age: float) -> None:
    statement = update(User).values(username_changed_at=clock.now() - timedelta(**age))
    service.database.write_sync(lambda session: execute_dml(session, statement))


def test_changed_username_replaces_old_one(client: Client, make: Factories, service: Service) -> None:
    user, admin = make.user(username="before"), make.actor(make.user(Role.SUPER_ADMIN))
    assert rename(client, make, user, " After.1 ") == {"user": {"username": "After.1"}, "errors": []}
    assert client.execute(USER, as_=admin, username="AFTER.1")["user"] is not None
    assert client.execute(USER, as_=admin, username="before")["user"] is None
    found = [client.execute(SEARCH, as_=admin, search=word)["users"]["nodes"] for word in ("after.1", "before")]
    assert found == [[{"username": "After.1"}], []]
    assert audit_actions(service) == ["account.username_changed"]


def test_second_change_waits_for_30_days(client: Client, make: Factories, service: Service) -> None:
    user = make.user(username="first")
    assert rename(client, make, user, "second")["errors"] == []
    payload = rename(client, make, user, "third", bio="Not saved either.")
    assert error(payload) == ("RATE_LIMITED", ["input", "username"], "30")
    due_at = clock.now() + timedelta(days=30)
    assert f"{due_at:%Y-%m-%d}" in payload["errors"][0]["message"]
    set_age_of_change(service, days=29.9)
    assert error(rename(client, make, user, "first"))[0] == "RATE_LIMITED", "the way back waits, too"
    set_age_of_change(service, days=30.1)
    assert rename(client, make, user, "third")["errors"] == []


def test_same_username_is_no_change(client: Client, make: Factories, service: Service) -> None:
    user = make.user(username="same")
    for _ in range(2):
        assert rename(client, make, user, "same", bio="About me")["errors"] == []
    assert audit_actions(service) == []
    assert rename(client, make, user, "Same")["user"] == {"username": "Same"}, "another case is a change"
    assert rename(client, make, user, "Same")["errors"] == []


def test_taken_username_is_rejected(client: Client, make: Factories, service: Service) -> None:
    user = make.user(username="mine")
    make.user(username="Taken")
    assert error(rename(client, make, user, "tAKEN")) == ("ALREADY_EXISTS", ["input", "username"], None)
    assert rename(client, make, user, "free")["errors"] == [], "an error costs no wait"
    assert error(rename(client, make, user, "taken"))[0] == "RATE_LIMITED"


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("username", "code"),
    [
        (None, "REQUIRED"),
        (" ", "REQUIRED"),
        ("ab", "TOO_SHORT"),
        ("x" * 31, "TOO_LONG"),
        ("a b", "INVALID"),
        ("é" * 3, "INVALID"),
    ],
)
def test_username_must_be_valid(client: Client, make: Factories, username: str | None, code: str) -> None:
    assert error(rename(client, make, make.user(), username))[:2] == (code, ["input", "username"])


@pytest.mark.sqlite_only
def test_setting_of_0_days_allows_every_change(
    client: Client, make: Factories, service: Service, service_settings: Settings
) -> None:
    user = make.user()
    with run_service(service_settings.model_copy(update={"username_change_days": 0})) as other_service:
        other_client = Client(other_service)
        for number in range(3):
            assert rename(other_client, make, user, f"name{number}")["errors"] == []
        other_client.close()
