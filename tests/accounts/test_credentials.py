"""Credentials: password change and reset, verification of email addresses, and their mails."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from lms_graphql.accounts.models import AccountToken, User
from lms_graphql.mail.models import Mail, MailStatus
from tests.accounts.session_client import (
    ME,
    audit_actions,
    error_code,
    is_rejected,
    login,
    new_session,
    refresh,
    register,
    user_errors,
)
from tests.accounts.test_users import count
from tests.factories import PASSWORD, Factories
from tests.live_service import Client, Service
from tests.mail_servers import Mailbox

CHANGE_PASSWORD = """mutation C($current: String!, $new: String!) {
  changePassword(input: {currentPassword: $current, newPassword: $new}) {
    session { accessToken refreshToken user { username } } errors { code path }
  }
}"""
REQUEST_RESET = (
    "mutation R($email: String!) { requestPasswordReset(input: {email: $email}) { ok errors { code path } } }"
)
RESET_PASSWORD = """mutation S($token: String!, $new: String!) {
  resetPassword(input: {token: $token, newPassword: $new}) { ok errors { code path } }
}"""
VERIFY_EMAIL = "mutation V($token: String!) { verifyEmail(input: {token: $token}) { ok errors { code path } } }"
REQUEST_VERIFICATION = "mutation { requestEmailVerification { ok errors { code path } } }"
NEW_PASSWORD = "a much better one"


def change(client: Client, bearer: str, current: str, new: str) -> Any:
    return client.execute(CHANGE_PASSWORD, bearer=bearer, current=current, new=new)["changePassword"]


def reset(client: Client, token: str, new: str = NEW_PASSWORD) -> Any:
    return client.execute(RESET_PASSWORD, token=token, new=new)["resetPassword"]


def new_session_with(client: Client, user: User, password: str) -> Any:
    session = login(client, user, password)["session"]
    assert session is not None
    return session


def reset_token(client: Client, mailbox: Mailbox, user: User) -> str:
    assert client.execute(REQUEST_RESET, email=user.email)["requestPasswordReset"] == {"ok": True, "errors": []}
    return mailbox.token_sent_to(str(user.email), "/reset-password")


def test_password_change_replaces_all_sessions(client: Client, make: Factories, mailbox: Mailbox) -> None:
    user = make.user_with_password(email="changes@example.com")
    session, other_session = new_session(client, user), new_session(client, user)
    payload = change(client, session["accessToken"], PASSWORD, NEW_PASSWORD)
    assert payload["errors"] == []
    assert is_rejected(client, session["accessToken"])
    assert is_rejected(client, other_session["accessToken"])
    assert error_code(refresh(client, other_session["refreshToken"])) == "INVALID_TOKEN"
    assert client.execute(ME, bearer=payload["session"]["accessToken"])["me"]["username"] == user.username
    assert user_errors(login(client, user)) == [("INVALID_CREDENTIALS", None)]
    assert login(client, user, NEW_PASSWORD)["session"] is not None
    mailbox.wait_for(1)
    assert [message["Subject"] for message in mailbox.received] == ["Your password was changed"]


def test_wrong_current_passwords_are_limited(client: Client, make: Factories) -> None:
    user = make.user_with_password()
    bearer = new_session(client, user)["accessToken"]
    errors = [user_errors(change(client, bearer, "not the password", NEW_PASSWORD)) for _ in range(11)]
    assert errors[:10] == [[("INVALID_CREDENTIALS", ["input", "currentPassword"])]] * 10
    assert errors[10] == [("RATE_LIMITED", None)]
    assert client.execute(ME, bearer=bearer)["me"] is not None
    assert login(client, user)["session"] is not None, "logins have a limit of their own"


@pytest.mark.parametrize(
    ("new", "code"), [("short", "TOO_SHORT"), ("password123", "WEAK_PASSWORD"), ("x" * 257, "TOO_LONG")]
)
def test_new_password_must_satisfy_policy(
    client: Client, make: Factories, mailbox: Mailbox, new: str, code: str
) -> None:
    user = make.user_with_password(email="must.be.good@example.com")
    bearer = new_session(client, user)["accessToken"]
    assert user_errors(change(client, bearer, PASSWORD, new)) == [(code, ["input", "newPassword"])]
    token = reset_token(client, mailbox, user)
    assert user_errors(reset(client, token, new)) == [(code, ["input", "newPassword"])]
    assert reset(client, token)["ok"] is True, "an error does not use up the token"


def test_new_password_must_differ_from_email(client: Client, make: Factories, mailbox: Mailbox) -> None:
    user = make.user_with_password(email="not.the.address@example.com")
    bearer = new_session(client, user)["accessToken"]
    expected = [("WEAK_PASSWORD", ["input", "newPassword"])]
    assert user_errors(change(client, bearer, PASSWORD, "Not.The.Address@example.com")) == expected
    assert user_errors(reset(client, reset_token(client, mailbox, user), "not.the.address@example.com")) == expected


def test_reset_token_from_mail_is_valid_once(
    client: Client, make: Factories, mailbox: Mailbox, service: Service
) -> None:
    user = make.user_with_password(email="Reset.Me@example.com")
    session = new_session(client, user)
    assert client.execute(REQUEST_RESET, email="reset.me@EXAMPLE.com")["requestPasswordReset"]["ok"] is True
    token = mailbox.token_sent_to("Reset.Me@example.com", "/reset-password")
    assert reset(client, token) == {"ok": True, "errors": []}
    assert user_errors(reset(client, token, "yet another one")) == [("INVALID_TOKEN", ["input", "token"])]
    assert is_rejected(client, session["accessToken"])
    assert login(client, user, NEW_PASSWORD)["session"] is not None
    assert "account.password_reset" in audit_actions(service)


def test_reset_again_with_same_password_changes_nothing(
    client: Client, make: Factories, mailbox: Mailbox, service: Service
) -> None:
    user = make.user_with_password(email="lost.answer@example.com")
    token = reset_token(client, mailbox, user)
    assert reset(client, token)["ok"] is True
    session = new_session_with(client, user, NEW_PASSWORD)
    assert reset(client, token) == {"ok": True, "errors": []}
    assert not is_rejected(client, session["accessToken"]), "no session ends"
    assert audit_actions(service).count("account.password_reset") == 1
    age = update(AccountToken).values(used_at=datetime.now(UTC) - timedelta(seconds=11))
    service.database.write_sync(lambda session: session.execute(age) and None)
    assert user_errors(reset(client, token)) == [("INVALID_TOKEN", ["input", "token"])]


def test_reset_again_fails_after_another_password_change(client: Client, make: Factories, mailbox: Mailbox) -> None:
    user = make.user_with_password(email="changed.since@example.com")
    token = reset_token(client, mailbox, user)
    assert reset(client, token)["ok"] is True
    bearer = new_session_with(client, user, NEW_PASSWORD)["accessToken"]
    assert change(client, bearer, NEW_PASSWORD, "yet another one")["errors"] == []
    assert user_errors(reset(client, token)) == [("INVALID_TOKEN", ["input", "token"])]


def test_password_reset_clears_failed_logins(client: Client, make: Factories, mailbox: Mailbox) -> None:
    user = make.user_with_password(email="locked.out@example.com")
    for _ in range(11):
        login(client, user, "wrong password")
    assert user_errors(login(client, user)) == [("RATE_LIMITED", None)]
    assert reset(client, reset_token(client, mailbox, user))["ok"] is True
    assert login(client, user, NEW_PASSWORD)["session"] is not None


def test_reset_request_does_not_reveal_accounts(
    client: Client, make: Factories, service: Service, mailbox: Mailbox
) -> None:
    user = make.user_with_password(email="known@example.com")
    known, unknown = (client.execute(REQUEST_RESET, email=email) for email in (user.email, "unknown@example.com"))
    assert known == unknown
    mailbox.token_sent_to("known@example.com", "/reset-password")
    deadline = time.monotonic() + 30
    while count(service, Mail, Mail.status == MailStatus.PENDING) and time.monotonic() < deadline:
        time.sleep(0.02)
    mails = service.database.read_sync(
        lambda session: [(mail.status, mail.address) for mail in session.scalars(select(Mail))]
    )
    assert (MailStatus.DROPPED, None) in mails, "the address that was entered is not stored"
    assert [message["To"] for message in mailbox.received] == []
    assert user_errors(client.execute(REQUEST_RESET, email="no address")["requestPasswordReset"]) == [
        ("INVALID", ["input", "email"])
    ]


def test_reset_mails_to_one_account_are_limited(client: Client, make: Factories, service: Service) -> None:
    user = make.user_with_password(email="flooded@example.com")
    assert all(client.execute(REQUEST_RESET, email=user.email)["requestPasswordReset"]["ok"] for _ in range(9))
    assert count(service, Mail) == 5


@pytest.mark.parametrize(("minutes", "is_valid"), [(59, True), (61, False)])
def test_reset_token_is_valid_for_one_hour(
    client: Client, make: Factories, mailbox: Mailbox, service: Service, minutes: int, is_valid: bool
) -> None:
    token = reset_token(client, mailbox, make.user_with_password(email=f"hour{minutes}@example.com"))
    expires_at = service.database.read_sync(lambda session: session.scalar(select(AccountToken.expires_at)))
    assert expires_at is not None
    age = update(AccountToken).values(expires_at=expires_at - timedelta(minutes=minutes))
    service.database.write_sync(lambda session: session.execute(age) and None)
    assert reset(client, token)["ok"] is is_valid


def test_password_change_invalidates_reset_tokens(client: Client, make: Factories, mailbox: Mailbox) -> None:
    user = make.user_with_password(email="voids@example.com")
    token = reset_token(client, mailbox, user)
    change(client, new_session(client, user)["accessToken"], PASSWORD, "yet another one")
    assert user_errors(reset(client, token)) == [("INVALID_TOKEN", ["input", "token"])]


def test_password_reset_does_not_activate_suspended_user(client: Client, make: Factories, mailbox: Mailbox) -> None:
    user = make.user_with_password(email="suspended@example.com", is_active=False)
    assert reset(client, reset_token(client, mailbox, user))["ok"] is True
    assert user_errors(login(client, user, NEW_PASSWORD)) == [("ACCOUNT_SUSPENDED", None)]


def test_registration_mail_verifies_email(client: Client, mailbox: Mailbox) -> None:
    document = "{ me { isEmailVerified } }"
    bearer = register(client, email="confirm@example.com")["session"]["accessToken"]
    token = mailbox.token_sent_to("confirm@example.com", "/verify-email")
    assert client.execute(document, bearer=bearer)["me"]["isEmailVerified"] is False
    assert client.execute(VERIFY_EMAIL, token=token)["verifyEmail"] == {"ok": True, "errors": []}
    assert client.execute(document, bearer=bearer)["me"]["isEmailVerified"] is True
    assert user_errors(client.execute(VERIFY_EMAIL, token=token)["verifyEmail"]) == [
        ("INVALID_TOKEN", ["input", "token"])
    ]
    repeated = client.execute(REQUEST_VERIFICATION, bearer=bearer)["requestEmailVerification"]
    assert repeated["ok"] is True, "the address is verified already"


def test_verification_mails_are_limited(client: Client, make: Factories, mailbox: Mailbox, service: Service) -> None:
    user = make.user_with_password(email="again@example.com")
    bearer = new_session(client, user)["accessToken"]
    payloads = [client.execute(REQUEST_VERIFICATION, bearer=bearer)["requestEmailVerification"] for _ in range(6)]
    assert [user_errors(payload) for payload in payloads] == [[]] * 5 + [[("RATE_LIMITED", None)]]
    token = mailbox.token_sent_to("again@example.com", "/verify-email")
    assert client.execute(VERIFY_EMAIL, token=token)["verifyEmail"]["ok"] is True
    assert client.error_codes(REQUEST_VERIFICATION) == ["UNAUTHENTICATED"]


def test_mailed_token_is_valid_for_one_purpose(client: Client, make: Factories, mailbox: Mailbox) -> None:
    user = make.user_with_password(email="purpose@example.com")
    token = reset_token(client, mailbox, user)
    assert user_errors(client.execute(VERIFY_EMAIL, token=token)["verifyEmail"]) == [
        ("INVALID_TOKEN", ["input", "token"])
    ]
    assert user_errors(reset(client, "x" * 43, "short")) == [
        ("INVALID_TOKEN", ["input", "token"]),
        ("TOO_SHORT", ["input", "newPassword"]),
    ]


def test_mailed_token_is_stored_as_hash(client: Client, make: Factories, mailbox: Mailbox, service: Service) -> None:
    token = reset_token(client, mailbox, make.user_with_password(email="stored@example.com"))
    stored = service.database.read_sync(
        lambda session: [
            *session.scalars(select(AccountToken.token_hash)),
            *(str(mail.data) for mail in session.scalars(select(Mail))),
        ]
    )
    assert token not in str(stored)
