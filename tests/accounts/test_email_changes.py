"""Changes of email addresses: requests with the current password, mails to both addresses, and confirmations."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, update

from lms_graphql.accounts.models import EmailChange, EmailChangeToken, RateLimitCounter, TokenPurpose, User
from lms_graphql.accounts.services.account_tokens import make_token
from lms_graphql.accounts.services.retention import purge_expired
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Role
from lms_graphql.core.statements import execute_dml
from lms_graphql.mail.models import Mail, MailStatus
from tests.accounts.session_client import audit_actions, is_rejected, login_as, user_errors
from tests.accounts.test_credentials import NEW_PASSWORD, VERIFY_EMAIL, change, reset
from tests.accounts.test_users import count
from tests.auth import SessionIssuer
from tests.factories import PASSWORD, Factories
from tests.live_service import Client, Service, StatementRecorder
from tests.mail_servers import Mailbox

REQUEST = """mutation R($email: String!, $password: String!) {
  requestEmailChange(input: {newEmail: $email, currentPassword: $password}) { ok errors { code path } }
}"""
CONFIRM = "mutation C($token: String!) { confirmEmailChange(input: {token: $token}) { ok errors { code path } } }"
ME = "{ me { email isEmailVerified } }"
USERS = "query U($search: String!) { users(filter: {search: $search}) { nodes { email } } }"
SUSPEND = "mutation S($id: ID!) { suspendUser(input: {userId: $id}) { errors { code } } }"
DELETE = "mutation D($id: ID!) { deleteUser(input: {userId: $id}) { errors { code } } }"
OK = {"ok": True, "errors": []}
INVALID_TOKEN = [("INVALID_TOKEN", ["input", "token"])]
PATH = "/confirm-email-change"
NEW_EMAIL = "new.address@example.com"


def request_change(client: Client, bearer: str, email: str = NEW_EMAIL, password: str = PASSWORD) -> Any:
    return client.execute(REQUEST, bearer=bearer, email=email, password=password)["requestEmailChange"]


def confirm(client: Client, token: str, bearer: str | None = None) -> Any:
    return client.execute(CONFIRM, bearer=bearer, token=token)["confirmEmailChange"]


def mailed_token(service: Service, user: User, purpose: TokenPurpose) -> str:
    return service.database.write_sync(lambda session: make_token(session, user.id, purpose))


def set_failures(service: Service, number: int) -> None:
    """Set all counters of rate limits, because each attempt takes as long as a password is verified."""
    statement = update(RateLimitCounter).values(failures=number)
    service.database.write_sync(lambda session: execute_dml(session, statement))


@pytest.fixture
def user(make: Factories) -> User:
    return make.user_with_password(email="current@example.com")


@pytest.fixture
def session_issuer(service: Service) -> SessionIssuer:
    return SessionIssuer(service.database, service.resources.settings, service.resources.signer)


@pytest.fixture
def bearer(session_issuer: SessionIssuer, user: User) -> str:
    return session_issuer.sign_in(user).access_token


@pytest.fixture
def token(client: Client, bearer: str, mailbox: Mailbox) -> str:
    """Return the token of a requested change to `NEW_EMAIL`."""
    assert request_change(client, bearer) == OK
    return mailbox.token_sent_to(NEW_EMAIL, PATH)


def test_confirmed_address_replaces_current_one(
    client: Client, make: Factories, service: Service, user: User, bearer: str, token: str
) -> None:
    admin = make.actor(make.user(Role.SUPER_ADMIN))
    assert client.execute(ME, bearer=bearer)["me"] == {"email": user.email, "isEmailVerified": False}
    assert confirm(client, token) == OK
    assert client.execute(ME, bearer=bearer)["me"] == {"email": NEW_EMAIL, "isEmailVerified": True}
    assert login_as(client, NEW_EMAIL, PASSWORD)["errors"] == []
    assert user_errors(login_as(client, user.email, PASSWORD)) == [("INVALID_CREDENTIALS", None)]
    found = [
        client.execute(USERS, as_=admin, search=email)["users"]["nodes"] for email in (NEW_EMAIL, str(user.email))
    ]
    assert found == [[{"email": NEW_EMAIL}], []]
    actions = audit_actions(service)
    assert [actions.count(f"account.email_{action}") for action in ("change_requested", "changed")] == [1, 1]
    assert user_errors(confirm(client, token)) == INVALID_TOKEN, "it works once"


def test_notice_to_current_address_has_no_link(client: Client, mailbox: Mailbox, user: User, bearer: str) -> None:
    assert request_change(client, bearer) == OK
    mailbox.wait_for(2)
    (notice,) = [message for message in mailbox.received if message["To"] == user.email]
    assert notice["Subject"] == "A new email address was requested"
    for kind in ("plain", "html"):
        text = notice.get_body((kind,)).get_content()  # type: ignore[union-attr]
        assert "change your password" in text
        assert not any(part in text for part in ("://", "href", NEW_EMAIL))


def test_other_sessions_end_on_confirmation(
    client: Client, session_issuer: SessionIssuer, user: User, bearer: str, token: str
) -> None:
    other_token = session_issuer.sign_in(user).access_token
    assert confirm(client, token) == OK
    assert is_rejected(client, other_token)
    assert not is_rejected(client, bearer), "it requested the change"


def test_confirming_session_goes_on_instead_of_requesting_one(
    client: Client, make: Factories, session_issuer: SessionIssuer, user: User, bearer: str, token: str
) -> None:
    confirming = session_issuer.sign_in(user).access_token
    assert confirm(client, token, confirming) == OK
    assert [is_rejected(client, access_token) for access_token in (confirming, bearer)] == [False, True]


def test_session_of_another_user_does_not_count_as_confirming(
    client: Client, make: Factories, session_issuer: SessionIssuer, bearer: str, token: str
) -> None:
    stranger = session_issuer.sign_in(make.user()).access_token
    assert confirm(client, token, stranger) == OK
    assert not is_rejected(client, bearer)
    assert client.execute(ME, bearer=stranger)["me"]["email"] != NEW_EMAIL


def test_tokens_of_former_address_become_invalid(client: Client, service: Service, user: User, token: str) -> None:
    verify, reset_password = (mailed_token(service, user, purpose) for purpose in TokenPurpose)
    assert confirm(client, token) == OK
    assert user_errors(client.execute(VERIFY_EMAIL, token=verify)["verifyEmail"]) == INVALID_TOKEN
    assert user_errors(reset(client, reset_password)) == INVALID_TOKEN


def test_token_serves_one_purpose(client: Client, service: Service, user: User, token: str) -> None:
    for purpose in TokenPurpose:
        other = mailed_token(service, user, purpose)
        assert user_errors(confirm(client, other)) == INVALID_TOKEN
    assert user_errors(client.execute(VERIFY_EMAIL, token=token)["verifyEmail"]) == INVALID_TOKEN
    assert user_errors(reset(client, token)) == INVALID_TOKEN
    assert user_errors(confirm(client, "x" * 43)) == INVALID_TOKEN
    assert confirm(client, token) == OK


@pytest.mark.parametrize(("hours", "is_valid"), [(23.9, True), (24.1, False)])
def test_token_is_valid_for_24_hours(
    client: Client, service: Service, token: str, hours: float, is_valid: bool
) -> None:
    expires_at = service.database.read_sync(lambda session: session.scalar(select(EmailChangeToken.expires_at)))
    assert expires_at is not None
    age = update(EmailChangeToken).values(expires_at=expires_at - timedelta(hours=hours))
    service.database.write_sync(lambda session: execute_dml(session, age))
    assert confirm(client, token)["ok"] is is_valid


def test_address_that_is_taken_by_then_is_not_given(
    client: Client, make: Factories, user: User, bearer: str, token: str
) -> None:
    make.user(email="New.Address@Example.com")
    assert user_errors(confirm(client, token)) == INVALID_TOKEN
    assert client.execute(ME, bearer=bearer)["me"]["email"] == user.email


def test_further_request_replaces_former_one(client: Client, mailbox: Mailbox, bearer: str, token: str) -> None:
    assert request_change(client, bearer, "third@example.com") == OK
    newest = mailbox.token_sent_to("third@example.com", PATH)
    assert user_errors(confirm(client, token)) == INVALID_TOKEN
    assert confirm(client, newest) == OK


def suspend_and_activate(client: Client, make: Factories, user: User, _: str) -> None:
    admin, id = make.actor(make.user(Role.SUPER_ADMIN)), global_ids.encode("User", user.id)
    assert client.execute(SUSPEND, as_=admin, id=id)["suspendUser"]["errors"] == []
    activate = SUSPEND.replace("suspendUser", "activateUser")
    assert client.execute(activate, as_=admin, id=id)["activateUser"]["errors"] == []


def delete_account(client: Client, make: Factories, user: User, bearer: str) -> None:
    id = global_ids.encode("User", user.id)
    assert client.execute(DELETE, bearer=bearer, id=id)["deleteUser"]["errors"] == []


def change_password(client: Client, make: Factories, user: User, bearer: str) -> None:
    assert change(client, bearer, PASSWORD, NEW_PASSWORD)["errors"] == []


def request_current_address(client: Client, make: Factories, user: User, bearer: str) -> None:
    assert request_change(client, bearer, str(user.email)) == OK


@pytest.mark.parametrize("cancel", [suspend_and_activate, delete_account, change_password, request_current_address])
def test_request_is_cancelled(
    client: Client,
    make: Factories,
    service: Service,
    user: User,
    bearer: str,
    token: str,
    cancel: Callable[[Client, Factories, User, str], None],
) -> None:
    cancel(client, make, user, bearer)
    assert user_errors(confirm(client, token)) == INVALID_TOKEN
    assert count(service, EmailChange) == count(service, EmailChangeToken) == 0


def test_password_reset_cancels_request(client: Client, service: Service, user: User, token: str) -> None:
    assert reset(client, mailed_token(service, user, TokenPurpose.RESET_PASSWORD))["ok"] is True
    assert user_errors(confirm(client, token)) == INVALID_TOKEN


def test_current_password_is_required_and_shares_its_limit(client: Client, service: Service, bearer: str) -> None:
    wrong_password = [("INVALID_CREDENTIALS", ["input", "currentPassword"])]
    assert user_errors(request_change(client, bearer, password="not the password")) == wrong_password
    assert audit_actions(service) == ["account.email_change_failed"]
    set_failures(service, 9)
    assert user_errors(change(client, bearer, "not the password", NEW_PASSWORD)) == wrong_password
    assert user_errors(request_change(client, bearer)) == [("RATE_LIMITED", None)]
    assert count(service, EmailChange) == count(service, Mail) == 0


def test_requests_of_one_user_are_limited(client: Client, service: Service, bearer: str) -> None:
    assert request_change(client, bearer) == OK
    set_failures(service, 5)
    assert user_errors(request_change(client, bearer, "further@example.com")) == [("RATE_LIMITED", None)]
    assert count(service, EmailChange, EmailChange.email == NEW_EMAIL) == 1, "the former request is still there"


@pytest.mark.parametrize(("email", "code"), [("no address", "INVALID"), (" ", "REQUIRED"), ("x" * 255, "TOO_LONG")])
def test_new_address_must_be_valid(client: Client, bearer: str, email: str, code: str) -> None:
    assert user_errors(request_change(client, bearer, email)) == [(code, ["input", "newEmail"])]


def test_only_logged_in_users_request_changes(client: Client) -> None:
    assert client.error_codes(REQUEST, email=NEW_EMAIL, password=PASSWORD) == ["UNAUTHENTICATED"]


def test_taken_address_gets_no_mail(
    client: Client, make: Factories, service: Service, mailbox: Mailbox, user: User, bearer: str
) -> None:
    make.user(email="Taken@example.com")
    assert request_change(client, bearer, "taken@EXAMPLE.com") == OK
    deadline = time.monotonic() + 30
    while count(service, Mail, Mail.status == MailStatus.PENDING) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert count(service, Mail, Mail.status == MailStatus.DROPPED) == count(service, EmailChange) == 1
    assert mailbox.recipients == [user.email]
    assert count(service, EmailChangeToken) == 0


@pytest.mark.query_budget
@pytest.mark.usefixtures("no_background_commits")
def test_taken_address_takes_the_same_statements(
    client: Client, make: Factories, statements: StatementRecorder, bearer: str
) -> None:
    make.user(email="taken@example.com")
    texts = []
    for email in ("first@example.com", "taken@example.com", "free@example.com"):
        with statements:
            assert request_change(client, bearer, email) == OK
        texts.append(statements.texts)
    _, taken, free = texts  # the first request inserts the counters of rate limits
    assert [text for text in taken if "counters" not in text] == [text for text in free if "counters" not in text]
    assert len(taken) == len(free)


def test_address_in_another_spelling_can_be_confirmed(client: Client, mailbox: Mailbox, bearer: str) -> None:
    assert request_change(client, bearer, "Present@Example.com") == OK
    assert confirm(client, mailbox.token_sent_to("Present@example.com", PATH)) == OK
    assert client.execute(ME, bearer=bearer)["me"]["email"] == "Present@example.com"


def test_old_request_is_deleted(service: Service, token: str) -> None:
    for age, deleted in ((timedelta(days=6), 0), (timedelta(days=8), 1)):
        set_age = update(EmailChange).values(created_at=clock.now() - age)
        service.database.write_sync(partial(execute_dml, statement=set_age))
        assert service.database.write_sync(lambda session: purge_expired(session, 15)) == deleted
    assert count(service, EmailChangeToken) == 0
