"""Sessions: refresh tokens, logout, signing keys and the deletion of expired rows."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import jwt
import pytest
from sqlalchemy import func, select, update

from lms_graphql.accounts.models import RefreshToken, SigningKey, UserSession
from lms_graphql.accounts.services.retention import purge_expired
from lms_graphql.accounts.services.sessions import end_all_sessions, require_active_session, rotate_keys
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import RequestError, RequestErrorCode
from lms_graphql.core.idempotency import IdempotencyKey, IdempotentRequest, run_once
from lms_graphql.core.signing import token_hash
from lms_graphql.core.statements import execute_dml
from lms_graphql.settings import Settings
from tests.accounts.session_client import (
    LOGOUT,
    LOGOUT_EVERYWHERE,
    ME,
    audit_actions,
    error_code,
    is_rejected,
    login,
    new_session,
    refresh,
    user_errors,
)
from tests.factories import Factories
from tests.live_service import Client, Service, run_service


def test_refresh_again_returns_same_successor(client: Client, make: Factories, service: Service) -> None:
    first = new_session(client, make.user_with_password())
    second, again = (refresh(client, first["refreshToken"])["session"] for _ in range(2))
    assert second["refreshToken"] != first["refreshToken"]
    assert again["refreshToken"] == second["refreshToken"]
    assert again["refreshTokenExpiresAt"] == second["refreshTokenExpiresAt"]
    for session in (second, again):
        assert client.execute(ME, bearer=session["accessToken"])["me"] is not None
    count = select(func.count()).select_from(RefreshToken)
    assert service.database.read_sync(lambda session: session.scalar(count)) == 2
    assert refresh(client, again["refreshToken"])["session"] is not None


def test_reuse_ends_session_when_successor_was_used(client: Client, make: Factories, service: Service) -> None:
    first = new_session(client, make.user_with_password())
    second = refresh(client, first["refreshToken"])["session"]
    third = refresh(client, second["refreshToken"])["session"]
    reuse = refresh(client, first["refreshToken"])
    assert user_errors(reuse) == [("INVALID_TOKEN", ["input", "refreshToken"])]
    assert is_rejected(client, third["accessToken"])
    assert error_code(refresh(client, third["refreshToken"])) == "INVALID_TOKEN"
    assert "session.token_reused" in audit_actions(service)


def test_refresh_again_fails_after_logout(client: Client, make: Factories) -> None:
    first = new_session(client, make.user_with_password())
    second = refresh(client, first["refreshToken"])["session"]
    client.execute(LOGOUT, token=second["refreshToken"])
    assert error_code(refresh(client, first["refreshToken"])) == "INVALID_TOKEN"


def test_refresh_with_replaced_secret_continues_session(
    client: Client, make: Factories, service: Service, service_settings: Settings
) -> None:
    """A token whose successor was derived with the old secret gives no session, but ends none either."""
    first = new_session(client, make.user_with_password())
    second = refresh(client, first["refreshToken"])["session"]
    with run_service(service_settings.model_copy(update={"secret_key": "another secret"})) as restarted_service:
        restarted = Client(restarted_service)
        assert error_code(refresh(restarted, first["refreshToken"])) == "INVALID_TOKEN"
        third = refresh(restarted, second["refreshToken"])["session"]
        assert restarted.execute(ME, bearer=third["accessToken"])["me"] is not None
        restarted.close()


def test_late_reuse_of_refresh_token_ends_session(client: Client, make: Factories, service: Service) -> None:
    first = new_session(client, make.user_with_password())
    second = refresh(client, first["refreshToken"])["session"]
    used = update(RefreshToken).where(RefreshToken.used_at.is_not(None))
    earlier = used.values(used_at=datetime.now(UTC) - timedelta(seconds=11))
    service.database.write_sync(lambda session: session.execute(earlier) and None)
    assert error_code(refresh(client, first["refreshToken"])) == "INVALID_TOKEN"
    assert is_rejected(client, second["accessToken"])
    assert error_code(refresh(client, second["refreshToken"])) == "INVALID_TOKEN"
    assert "session.token_reused" in audit_actions(service)


def test_expired_refresh_token_is_invalid(client: Client, make: Factories, service: Service) -> None:
    session = new_session(client, make.user_with_password())
    expire = update(RefreshToken).values(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    service.database.write_sync(lambda session: session.execute(expire) and None)
    assert error_code(refresh(client, session["refreshToken"])) == "INVALID_TOKEN"


@pytest.mark.parametrize("token", ["", "x", "é" * 50, "a" * 10_000])
def test_malformed_refresh_token_is_invalid(client: Client, token: str) -> None:
    expected = [("INVALID_TOKEN", ["input", "refreshToken"])]
    assert user_errors(refresh(client, token)) == expected
    assert user_errors(client.execute(LOGOUT, token=token)["logout"]) == expected


def test_refresh_token_is_stored_as_hash(client: Client, make: Factories, service: Service) -> None:
    session = new_session(client, make.user_with_password())
    stored = service.database.read_sync(lambda session: list(session.scalars(select(RefreshToken.token_hash))))
    assert session["refreshToken"] not in str(stored)
    assert len(stored[0]) == 64


def test_logout_ends_one_session_at_once(client: Client, make: Factories) -> None:
    user = make.user_with_password()
    session, other_session = new_session(client, user), new_session(client, user)
    assert client.execute(LOGOUT, token=session["refreshToken"])["logout"] == {"ok": True, "errors": []}
    assert is_rejected(client, session["accessToken"])
    assert error_code(refresh(client, session["refreshToken"])) == "INVALID_TOKEN"
    assert client.execute(ME, bearer=other_session["accessToken"])["me"] is not None
    repeated = client.execute(LOGOUT, token=session["refreshToken"])["logout"]
    assert repeated == {"ok": True, "errors": []}, "the session is over, as the caller wants"


def test_logout_everywhere_ends_all_sessions_of_viewer(client: Client, make: Factories) -> None:
    user, other_user = make.user_with_password(), make.user_with_password()
    sessions = [new_session(client, user) for _ in range(3)]
    other_session = new_session(client, other_user)
    data = client.execute(LOGOUT_EVERYWHERE, bearer=sessions[0]["accessToken"])
    assert data["logoutEverywhere"]["ok"] is True
    assert all(is_rejected(client, session["accessToken"]) for session in sessions)
    assert client.execute(ME, bearer=other_session["accessToken"])["me"] is not None
    assert client.error_codes(LOGOUT_EVERYWHERE) == ["UNAUTHENTICATED"]


def test_tokens_of_retired_key_stay_valid(client: Client, make: Factories, service: Service) -> None:
    user = make.user_with_password()
    old_token = new_session(client, user)["accessToken"]
    assert service.database.write_sync(rotate_keys) == "k2"
    new_token = new_session(client, user)["accessToken"]
    assert jwt.get_unverified_header(new_token)["kid"] == "k2"
    assert client.execute(ME, bearer=old_token)["me"] is not None
    assert client.execute(ME, bearer=new_token)["me"] is not None
    first_key = update(SigningKey).where(SigningKey.key_id == "k1")
    retire_earlier = first_key.values(retired_at=datetime.now(UTC) - timedelta(minutes=1))
    service.database.write_sync(lambda session: session.execute(retire_earlier) and None)
    assert is_rejected(client, old_token), "it states an issue time after its key was retired"


def test_write_fails_when_session_ended_before_transaction(client: Client, make: Factories, service: Service) -> None:
    """The request was authenticated, and its session ended before its transaction began."""
    user = make.user_with_password()
    new_session(client, user)
    key = service.database.read_sync(lambda session: session.scalar(select(UserSession.id)))
    actor = Actor(user.id, user.role, key)
    started_at = datetime.now(UTC)
    service.database.write_sync(lambda session: require_active_session(session, actor, started_at))
    service.database.write_sync(lambda session: end_all_sessions(session, user.id))
    service.database.write_sync(lambda session: require_active_session(session, actor, started_at))
    later = datetime.now(UTC)
    with pytest.raises(RequestError) as raised:
        service.database.write_sync(lambda session: require_active_session(session, actor, later))
    assert raised.value.code is RequestErrorCode.UNAUTHENTICATED


def test_refresh_deletes_tokens_used_long_ago(client: Client, make: Factories, service: Service) -> None:
    first = new_session(client, make.user_with_password())
    second = refresh(client, first["refreshToken"])["session"]
    third = refresh(client, second["refreshToken"])["session"]
    long_ago = datetime.now(UTC) - timedelta(days=8)
    used = update(RefreshToken).where(RefreshToken.token_hash == token_hash(first["refreshToken"]))
    service.database.write_sync(lambda session: execute_dml(session, used.values(used_at=long_ago)))
    assert refresh(client, third["refreshToken"])["errors"] == []
    count = select(func.count()).select_from(RefreshToken)
    assert service.database.read_sync(lambda session: session.scalar(count)) == 3
    assert not is_rejected(client, third["accessToken"])


def test_purge_deletes_expired_sessions(client: Client, make: Factories, service: Service) -> None:
    user = make.user_with_password()
    old, new = new_session(client, user), new_session(client, user)
    login(client, user, "wrong password")
    long_ago = datetime.now(UTC) - timedelta(days=40)

    def expire_first(session: Any) -> None:
        first = session.scalar(select(UserSession.id).order_by(UserSession.id))
        session.execute(update(UserSession).where(UserSession.id == first).values(expires_at=long_ago))

    service.database.write_sync(expire_first)
    assert service.database.write_sync(lambda session: purge_expired(session, 15)) == 2
    assert is_rejected(client, old["accessToken"])
    assert client.execute(ME, bearer=new["accessToken"])["me"] is not None


def test_purge_deletes_idempotency_keys_after_a_week(service: Service) -> None:
    def use_key(session: Any) -> int:
        return run_once(session, IdempotentRequest(1, "purchaseCourse", "key", {}), lambda: 7)

    database, now = service.database, datetime.now(UTC)
    for age, deleted in ((timedelta(hours=72), 0), (timedelta(days=8), 1)):
        database.write_sync(use_key)
        set_age = update(IdempotencyKey).values(created_at=now - age)
        database.write_sync(partial(execute_dml, statement=set_age))
        assert database.write_sync(lambda session: purge_expired(session, 15)) == deleted
