"""Passwords forgotten, changed and reset, and addresses confirmed, with the mails that go with it."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from lms_graphql.accounts.models import AccountToken, AuditEvent, User
from lms_graphql.mail.models import Mail, MailStatus
from tests.accounts.test_login import ME, NEW, REGISTER, login, refresh, refused, signed_in, told
from tests.accounts.test_users import count
from tests.factories import PASSWORD, Factories
from tests.live_service import Client, Service
from tests.mail_servers import Postbox

CHANGE = """mutation C($current: String!, $new: String!) {
  changePassword(input: {currentPassword: $current, newPassword: $new}) {
    session { accessToken refreshToken user { username } } errors { code path }
  }
}"""
REQUEST = "mutation R($email: String!) { requestPasswordReset(input: {email: $email}) { ok errors { code path } } }"
RESET = """mutation S($token: String!, $new: String!) {
  resetPassword(input: {token: $token, newPassword: $new}) { ok errors { code path } }
}"""
VERIFY = "mutation V($token: String!) { verifyEmail(input: {token: $token}) { ok errors { code path } } }"
SEND_AGAIN = "mutation { requestEmailVerification { ok errors { code path } } }"
BETTER = "a much better one"


def change(client: Client, bearer: str, current: str, new: str) -> Any:
    return client.execute(CHANGE, bearer=bearer, current=current, new=new)["changePassword"]


def reset(client: Client, token: str, new: str = BETTER) -> Any:
    return client.execute(RESET, token=token, new=new)["resetPassword"]


def reset_token(client: Client, postbox: Postbox, user: User) -> str:
    assert client.execute(REQUEST, email=user.email)["requestPasswordReset"] == {"ok": True, "errors": []}
    return postbox.token_to(str(user.email), "/reset-password")


def test_changing_the_password_ends_every_session_and_opens_a_new_one(
    client: Client, make: Factories, postbox: Postbox
) -> None:
    user = make.person(email="changes@example.com")
    here, there = signed_in(client, user), signed_in(client, user)
    payload = change(client, here["accessToken"], PASSWORD, BETTER)
    assert payload["errors"] == []
    assert refused(client, here["accessToken"])
    assert refused(client, there["accessToken"])
    assert told(refresh(client, there["refreshToken"]))[0][0] == "INVALID_TOKEN"
    assert client.execute(ME, bearer=payload["session"]["accessToken"])["me"]["username"] == user.username
    assert told(login(client, user)) == [("INVALID_CREDENTIALS", None)]
    assert login(client, user, BETTER)["session"] is not None
    postbox.wait_for(1)
    assert [message["Subject"] for message in postbox.taken] == ["Your password was changed"]


def test_a_wrong_current_password_changes_nothing_and_is_throttled(client: Client, make: Factories) -> None:
    user = make.person()
    bearer = signed_in(client, user)["accessToken"]
    codes = [told(change(client, bearer, "not the password", BETTER)) for _ in range(11)]
    assert codes[:10] == [[("INVALID_CREDENTIALS", ["input", "currentPassword"])]] * 10
    assert codes[10] == [("RATE_LIMITED", None)]
    assert client.execute(ME, bearer=bearer)["me"] is not None
    assert login(client, user)["session"] is not None, "signing in is counted apart"


@pytest.mark.parametrize(
    ("new", "code"), [("short", "TOO_SHORT"), ("password123", "WEAK_PASSWORD"), ("x" * 257, "TOO_LONG")]
)
def test_a_new_password_must_be_good(client: Client, make: Factories, postbox: Postbox, new: str, code: str) -> None:
    user = make.person(email="must.be.good@example.com")
    bearer = signed_in(client, user)["accessToken"]
    assert told(change(client, bearer, PASSWORD, new)) == [(code, ["input", "newPassword"])]
    token = reset_token(client, postbox, user)
    assert told(reset(client, token, new)) == [(code, ["input", "newPassword"])]
    assert reset(client, token)["ok"] is True, "a refusal does not use the token up"


def test_a_new_password_is_not_the_address(client: Client, make: Factories, postbox: Postbox) -> None:
    user = make.person(email="not.the.address@example.com")
    bearer = signed_in(client, user)["accessToken"]
    wrong = [("WEAK_PASSWORD", ["input", "newPassword"])]
    assert told(change(client, bearer, PASSWORD, "Not.The.Address@example.com")) == wrong
    assert told(reset(client, reset_token(client, postbox, user), "not.the.address@example.com")) == wrong


def test_a_password_is_reset_once_with_the_token_of_the_mail(
    client: Client, make: Factories, postbox: Postbox, service: Service
) -> None:
    user = make.person(email="Reset.Me@example.com")
    session = signed_in(client, user)
    assert client.execute(REQUEST, email="reset.me@EXAMPLE.com")["requestPasswordReset"]["ok"] is True
    token = postbox.token_to("Reset.Me@example.com", "/reset-password")
    assert reset(client, token) == {"ok": True, "errors": []}
    assert told(reset(client, token)) == [("INVALID_TOKEN", ["input", "token"])]
    assert refused(client, session["accessToken"])
    assert login(client, user, BETTER)["session"] is not None
    kinds = service.database.read_sync(lambda session: list(session.scalars(select(AuditEvent.action))))
    assert "account.password_reset" in kinds


def test_a_reset_opens_an_account_that_failures_had_shut(client: Client, make: Factories, postbox: Postbox) -> None:
    user = make.person(email="locked.out@example.com")
    for _ in range(11):
        login(client, user, "wrong password")
    assert told(login(client, user)) == [("RATE_LIMITED", None)]
    assert reset(client, reset_token(client, postbox, user))["ok"] is True
    assert login(client, user, BETTER)["session"] is not None


def test_asking_for_a_reset_says_the_same_for_any_address(
    client: Client, make: Factories, service: Service, postbox: Postbox
) -> None:
    user = make.person(email="known@example.com")
    answers = [client.execute(REQUEST, email=email) for email in (user.email, "unknown@example.com")]
    assert answers[0] == answers[1]
    postbox.token_to("known@example.com", "/reset-password")
    until = time.monotonic() + 5
    while count(service, Mail, Mail.status == MailStatus.PENDING) and time.monotonic() < until:
        time.sleep(0.02)
    kept = service.database.read_sync(
        lambda session: [(mail.status, mail.address) for mail in session.scalars(select(Mail))]
    )
    assert (MailStatus.DROPPED, None) in kept, "what was typed is not kept"
    assert [message["To"] for message in postbox.taken] == []
    assert told(client.execute(REQUEST, email="no address")["requestPasswordReset"]) == [
        ("INVALID", ["input", "email"])
    ]


def test_an_address_gets_only_so_many_reset_mails(client: Client, make: Factories, service: Service) -> None:
    user = make.person(email="flooded@example.com")
    assert all(client.execute(REQUEST, email=user.email)["requestPasswordReset"]["ok"] for _ in range(9))
    count = service.database.read_sync(lambda session: len(list(session.scalars(select(Mail.id)))))
    assert count == 5


@pytest.mark.parametrize(("minutes", "works"), [(59, True), (61, False)])
def test_a_reset_link_is_good_for_an_hour(
    client: Client, make: Factories, postbox: Postbox, service: Service, minutes: int, works: bool
) -> None:
    token = reset_token(client, postbox, make.person(email=f"hour{minutes}@example.com"))
    shift = timedelta(minutes=minutes)
    kept = service.database.read_sync(lambda session: session.scalar(select(AccountToken.expires_at)))
    assert kept is not None
    older = update(AccountToken).values(expires_at=kept - shift)
    service.database.write_sync(lambda session: session.execute(older) and None)
    assert reset(client, token)["ok"] is works


def test_a_changed_password_voids_the_reset_links(client: Client, make: Factories, postbox: Postbox) -> None:
    user = make.person(email="voids@example.com")
    token = reset_token(client, postbox, user)
    change(client, signed_in(client, user)["accessToken"], PASSWORD, "yet another one")
    assert told(reset(client, token)) == [("INVALID_TOKEN", ["input", "token"])]


def test_a_reset_lets_no_suspended_person_in(client: Client, make: Factories, postbox: Postbox) -> None:
    user = make.person(email="suspended@example.com", is_active=False)
    assert reset(client, reset_token(client, postbox, user))["ok"] is True
    assert told(login(client, user, BETTER)) == [("ACCOUNT_SUSPENDED", None)]


def test_the_address_is_confirmed_with_the_mail_of_the_registration(client: Client, postbox: Postbox) -> None:
    document = "{ me { isEmailVerified } }"
    payload = client.execute(REGISTER, input={**NEW, "email": "confirm@example.com"})["register"]
    bearer = payload["session"]["accessToken"]
    token = postbox.token_to("confirm@example.com", "/verify-email")
    assert client.execute(document, bearer=bearer)["me"]["isEmailVerified"] is False
    assert client.execute(VERIFY, token=token)["verifyEmail"] == {"ok": True, "errors": []}
    assert client.execute(document, bearer=bearer)["me"]["isEmailVerified"] is True
    assert told(client.execute(VERIFY, token=token)["verifyEmail"]) == [("INVALID_TOKEN", ["input", "token"])]
    assert client.execute(SEND_AGAIN, bearer=bearer)["requestEmailVerification"]["ok"] is True, (
        "it is confirmed already"
    )


def test_the_confirmation_is_sent_again_a_few_times(
    client: Client, make: Factories, postbox: Postbox, service: Service
) -> None:
    user = make.person(email="again@example.com")
    bearer = signed_in(client, user)["accessToken"]
    codes = [told(client.execute(SEND_AGAIN, bearer=bearer)["requestEmailVerification"]) for _ in range(6)]
    assert codes == [[]] * 5 + [[("RATE_LIMITED", None)]]
    token = postbox.token_to("again@example.com", "/verify-email")
    assert client.execute(VERIFY, token=token)["verifyEmail"]["ok"] is True
    assert client.error_codes(SEND_AGAIN) == ["UNAUTHENTICATED"]


def test_a_token_is_good_for_one_purpose(client: Client, make: Factories, postbox: Postbox) -> None:
    user = make.person(email="purpose@example.com")
    token = reset_token(client, postbox, user)
    assert told(client.execute(VERIFY, token=token)["verifyEmail"]) == [("INVALID_TOKEN", ["input", "token"])]
    assert told(reset(client, "x" * 43, "short")) == [
        ("INVALID_TOKEN", ["input", "token"]),
        ("TOO_SHORT", ["input", "newPassword"]),
    ]


def test_no_token_of_a_mail_is_kept_in_clear(
    client: Client, make: Factories, postbox: Postbox, service: Service
) -> None:
    token = reset_token(client, postbox, make.person(email="kept@example.com"))
    kept = service.database.read_sync(
        lambda session: [
            *session.scalars(select(AccountToken.token_hash)),
            *(str(mail.data) for mail in session.scalars(select(Mail))),
        ]
    )
    assert token not in str(kept)


def test_a_session_of_long_ago_knows_when_the_person_signed_in_last(client: Client, make: Factories) -> None:
    user = make.person(last_login=datetime(2020, 1, 1, tzinfo=UTC))
    signed = client.execute(ME, bearer=signed_in(client, user)["accessToken"])["me"]["lastLoginAt"]
    assert datetime.fromisoformat(signed).year >= 2026
