"""Sessions of a user: the list, their details, and ending one of them."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from lms_graphql.accounts.models import User, UserSession
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Role
from lms_graphql.core.statements import execute_dml
from tests.accounts.session_client import LOGIN, REFRESH, audit_actions, is_rejected, user_errors
from tests.auth import SessionIssuer
from tests.factories import PASSWORD, Factories
from tests.live_service import Client, Service, StatementRecorder

FIELDS = "id createdAt lastUsedAt expiresAt clientIp userAgent isCurrent"
SESSIONS = f"{{ me {{ sessions {{ {FIELDS} }} }} }}"
SESSIONS_OF_USER = f"query S($id: ID!) {{ node(id: $id) {{ ... on User {{ sessions {{ {FIELDS} }} }} }} }}"
NODE = f"query N($id: ID!) {{ node(id: $id) {{ ... on UserSession {{ {FIELDS} }} }} }}"
END = "mutation E($id: ID!) { endSession(input: {sessionId: $id}) { ok errors { code path } } }"
OK = {"ok": True, "errors": []}
NOT_FOUND = [("NOT_FOUND", ["input", "sessionId"])]


@pytest.fixture
def session_issuer(service: Service) -> SessionIssuer:
    return SessionIssuer(service.database, service.resources.settings, service.resources.signer)


def sessions(client: Client, bearer: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = client.execute(SESSIONS, bearer=bearer)["me"]["sessions"]
    return listed


def end(client: Client, bearer: str, id: str) -> Any:
    return client.execute(END, bearer=bearer, id=id)["endSession"]


def send_as(client: Client, user_agent: bytes, document: str, **variables: Any) -> Any:
    """Send a mutation with this header, and return its session."""
    headers = {b"user-agent": user_agent}
    data = client.post({"query": document, "variables": variables}, headers=headers).json()["data"]
    return next(iter(data.values()))["session"]


def set_values(service: Service, user: User, **values: Any) -> None:
    statement = update(UserSession).where(UserSession.user_id == user.id).values(values)
    service.database.write_sync(lambda session: execute_dml(session, statement))


def test_sessions_show_login_and_last_refresh(client: Client, make: Factories, service: Service) -> None:
    user = make.user_with_password()
    first = send_as(client, b"Laptop", LOGIN, input={"email": user.email, "password": PASSWORD})
    yesterday = clock.now() - timedelta(days=1)
    set_values(service, user, last_used_at=yesterday, created_at=yesterday, client_ip="192.0.2.1")
    second = send_as(client, b"Phone", LOGIN, input={"email": user.email, "password": PASSWORD})
    phone, laptop = sessions(client, second["accessToken"])
    assert [(row["userAgent"], row["isCurrent"]) for row in (phone, laptop)] == [("Phone", True), ("Laptop", False)]
    assert (phone["clientIp"], laptop["clientIp"]) == ("127.0.0.1", "192.0.2.1")
    assert phone["lastUsedAt"] == phone["createdAt"]
    assert phone["expiresAt"] == second["refreshTokenExpiresAt"]

    first = send_as(client, b"Laptop 2", REFRESH, token=first["refreshToken"])
    refreshed, _ = sessions(client, first["accessToken"])
    assert {name for name in laptop if refreshed[name] != laptop[name]} == {
        "lastUsedAt",
        "expiresAt",
        "clientIp",
        "userAgent",
        "isCurrent",
    }
    assert (refreshed["userAgent"], refreshed["clientIp"], refreshed["isCurrent"]) == ("Laptop 2", "127.0.0.1", True)
    assert refreshed["lastUsedAt"] > phone["lastUsedAt"]
    assert client.execute(NODE, bearer=first["accessToken"], id=refreshed["id"])["node"] == refreshed


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (b"Mozilla/5.0 (X11; Linux)", "Mozilla/5.0 (X11; Linux)"),
        (b"", None),
        (b"x" * 1_000, "x" * 300),
        ("Büro 🖥️".encode(), "Büro 🖥️"),
        ("Büro".encode("latin-1"), "Büro"),
        (b"a\tb", "a b"),
        ("a\x85b".encode("latin-1"), "a b"),
        (b'<script>alert("1")</script>', '<script>alert("1")</script>'),
    ],
)
def test_user_agent_is_shown_as_sent(
    client: Client, make: Factories, session_issuer: SessionIssuer, sent: bytes, shown: str | None
) -> None:
    issued = session_issuer.sign_in(make.user())
    session = send_as(client, sent, REFRESH, token=issued.refresh_token)
    (listed,) = sessions(client, session["accessToken"])
    assert listed["userAgent"] == shown


def test_ended_and_expired_sessions_leave_the_list(
    client: Client, make: Factories, service: Service, session_issuer: SessionIssuer
) -> None:
    user = make.user()
    bearer = session_issuer.sign_in(user).access_token
    (current,) = sessions(client, bearer)
    set_values(service, user, expires_at=clock.now() - timedelta(seconds=1))
    assert sessions(client, bearer) == []
    set_values(service, user, expires_at=clock.now() + timedelta(days=1))
    other = session_issuer.sign_in(user).access_token
    assert end(client, other, current["id"]) == OK
    assert current["id"] not in [row["id"] for row in sessions(client, other)]
    assert client.execute(NODE, bearer=other, id=current["id"])["node"] is None


def test_sessions_are_for_the_user_and_super_admins(
    client: Client, make: Factories, session_issuer: SessionIssuer
) -> None:
    user, instructor = make.user(), make.user(Role.INSTRUCTOR)
    bearer = session_issuer.sign_in(user).access_token
    (current,) = sessions(client, bearer)
    user_id = global_ids.encode("User", user.id)
    for stranger in (make.actor(make.user()), make.actor(instructor)):
        body = client.graphql(SESSIONS_OF_USER, as_=stranger, id=user_id)
        assert body["data"]["node"] == {"sessions": None}
        assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert client.execute(NODE, as_=stranger, id=current["id"])["node"] is None
    admin = make.actor(make.user(Role.SUPER_ADMIN))
    expected = {**current, "isCurrent": False}
    assert client.execute(SESSIONS_OF_USER, as_=admin, id=user_id)["node"]["sessions"] == [expected]
    assert client.execute(NODE, as_=admin, id=current["id"])["node"] == expected


def test_ended_session_is_over_at_once(
    client: Client, make: Factories, service: Service, session_issuer: SessionIssuer
) -> None:
    user = make.user()
    lost, bearer = (session_issuer.sign_in(user) for _ in range(2))
    lost_id = global_ids.encode("UserSession", lost.actor.session_key or 0)
    assert end(client, bearer.access_token, lost_id) == OK
    assert is_rejected(client, lost.access_token)
    refreshed = client.execute(REFRESH, token=lost.refresh_token)["refreshSession"]
    assert user_errors(refreshed) == [("INVALID_TOKEN", ["input", "refreshToken"])]
    assert end(client, bearer.access_token, lost_id) == OK, "it is over, as the user wants"
    assert audit_actions(service) == ["session.ended"]


def test_current_session_can_be_ended(client: Client, make: Factories, session_issuer: SessionIssuer) -> None:
    bearer = session_issuer.sign_in(make.user()).access_token
    (current,) = sessions(client, bearer)
    document = f"mutation E($id: ID!) {{ endSession(input: {{sessionId: $id}}) {{ ok }} {SECOND} }}"
    body = client.graphql(document, bearer=bearer, id=current["id"])
    assert body["data"] == {"endSession": {"ok": True}, "updateProfile": None}
    assert body["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED", "the rest of the request is anonymous"
    assert is_rejected(client, bearer)


SECOND = "updateProfile(input: {}) { user { id } }"


def test_sessions_of_others_are_not_found(
    client: Client, make: Factories, service: Service, session_issuer: SessionIssuer
) -> None:
    victim = session_issuer.sign_in(make.user())
    victim_id = global_ids.encode("UserSession", victim.actor.session_key or 0)
    bearer = session_issuer.sign_in(make.user()).access_token
    for id in (victim_id, global_ids.encode("UserSession", 2**40), global_ids.encode("User", victim.actor.key or 0)):
        assert user_errors(end(client, bearer, id)) == NOT_FOUND
    assert user_errors(end(client, bearer, "nonsense")) == NOT_FOUND
    admin = session_issuer.sign_in(make.user(Role.SUPER_ADMIN)).access_token
    assert client.error_codes(END, bearer=admin, id=victim_id) == ["FORBIDDEN"], "super admins see it"
    assert client.error_codes(END, id=victim_id) == ["UNAUTHENTICATED"]
    assert not is_rejected(client, victim.access_token)
    assert audit_actions(service) == []


def test_deletion_erases_details_of_sessions(
    client: Client, make: Factories, service: Service, session_issuer: SessionIssuer
) -> None:
    issued = session_issuer.sign_in(make.user())
    session = send_as(client, b"Phone", REFRESH, token=issued.refresh_token)
    document = "mutation D($id: ID!) { deleteUser(input: {userId: $id}) { errors { code } } }"
    user_id = global_ids.encode("User", issued.actor.key or 0)
    assert client.execute(document, bearer=session["accessToken"], id=user_id)["deleteUser"]["errors"] == []
    details = select(UserSession.client_ip, UserSession.user_agent)
    assert service.database.read_sync(lambda session: session.execute(details).all()) == [(None, None)]


@pytest.mark.query_budget
def test_lists_of_sessions_take_one_statement(
    client: Client, make: Factories, service: Service, statements: StatementRecorder
) -> None:
    users, now = [make.user() for _ in range(3)], clock.now()
    rows = [
        {"user_id": user.id, "expires_at": now + timedelta(days=1), "last_used_at": now - timedelta(minutes=number)}
        for user, sessions in zip(users, (0, 1, 120), strict=True)
        for number in range(sessions)
    ]
    service.database.write_sync(lambda session: session.execute(insert(UserSession), rows) and None)
    admin = make.actor(make.user(Role.SUPER_ADMIN))
    document = "query L($first: Int) { users(orderBy: OLDEST, first: $first) { nodes { sessions { lastUsedAt } } } }"
    for first, lengths in ((1, [0]), (3, [0, 1, 100])):
        with statements:
            nodes = client.execute(document, as_=admin, first=first)["users"]["nodes"]
        assert [len(node["sessions"]) for node in nodes] == lengths
        assert statements.count == 2
    times = [row["lastUsedAt"] for row in nodes[2]["sessions"]]
    assert times == sorted(times, reverse=True)
