"""Secrets: no log and no column contains passwords, tokens or email addresses, except the columns for addresses."""

import base64
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Engine, select, text, update
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import AuditEvent, RefreshToken, User, UserSession
from lms_graphql.all_models import metadata
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Role
from lms_graphql.core.signing import token_hash
from tests.auth import SessionIssuer
from tests.concurrency import RaceRequest
from tests.factories import PASSWORD, Factories
from tests.live_service import Client, Service, plain_http
from tests.mail_servers import Mailbox
from tests.mariadb import MariaDB
from tests.processes import Cluster, run_cluster

EMAIL, UNKNOWN_EMAIL = "canary.jane@canary-mail.com", "canary.nobody@canary-mail.com"
PASSWORD_1, PASSWORD_2, PASSWORD_3, WRONG_PASSWORD = (
    f"canary pass-word {number}" for number in ("one", "two", "three", "wrong")
)
RESPELLED_EMAIL, NEW_EMAIL = "Canary.Jane@canary-mail.com", "canary.new@canary-mail.com"
"""The first one is confirmed, so that the user still logs in with `EMAIL`. The second one is not."""
EMAIL_COLUMNS = {"users.email", "users.email_key", "mails.address", "email_changes.email"}
SESSION = "{ session { accessToken refreshToken } errors { code } }"
REGISTER = f"mutation Register($input: RegisterInput!) {{ register(input: $input) {SESSION} }}"
LOGIN = f"mutation Login($input: LoginInput!) {{ login(input: $input) {SESSION} }}"
REFRESH = f"mutation Refresh($token: String!) {{ refreshSession(input: {{refreshToken: $token}}) {SESSION} }}"
CHANGE_PASSWORD = f"mutation Change($input: ChangePasswordInput!) {{ changePassword(input: $input) {SESSION} }}"
REQUEST_RESET = "mutation ($email: String!) { requestPasswordReset(input: {email: $email}) { ok errors { code } } }"
RESET_PASSWORD = "mutation ($input: ResetPasswordInput!) { resetPassword(input: $input) { ok errors { code } } }"
CHANGE_EMAIL = (
    "mutation ($input: RequestEmailChangeInput!) { requestEmailChange(input: $input) { ok errors { code } } }"
)
CONFIRM_EMAIL = "mutation ($token: String!) { confirmEmailChange(input: {token: $token}) { ok errors { code } } }"
VERIFY_EMAIL = "mutation ($token: String!) { verifyEmail(input: {token: $token}) { ok errors { code } } }"


@dataclass
class Scenario:
    """A user's requests to one process of the service, and the secrets in requests and responses."""

    cluster: Cluster
    read_mailed_token: Callable[[str], str]
    secrets: set[str] = field(
        default_factory=lambda: {EMAIL, NEW_EMAIL, UNKNOWN_EMAIL, PASSWORD_1, PASSWORD_2, PASSWORD_3, WRONG_PASSWORD}
    )

    def __post_init__(self) -> None:
        self.http = plain_http(self.cluster.urls[0])

    def execute(self, document: str, bearer: str | None = None, **variables: Any) -> Any:
        response = self.http.send(RaceRequest(document, variables, bearer).build(self.http))
        data = response.json().get("data")
        payload = next(iter(data.values())) if data else None
        if payload and payload.get("session"):
            self.secrets |= set(payload["session"].values())
        return payload

    def login(self, email: str, password: str) -> Any:
        return self.execute(LOGIN, input={"email": email, "password": password})

    def change_password(self, bearer: str, current: str, new: str) -> Any:
        return self.execute(CHANGE_PASSWORD, bearer, input={"currentPassword": current, "newPassword": new})

    def request_email_change(self, bearer: str, new_email: str, password: str) -> Any:
        return self.execute(CHANGE_EMAIL, bearer, input={"newEmail": new_email, "currentPassword": password})

    def mailed_token(self, path: str) -> str:
        token = self.read_mailed_token(path)
        self.secrets.add(token)
        return token

    def use_all_mutations(self) -> None:
        """Use every mutation that handles a secret, with success and with errors."""
        names = {"email": EMAIL, "username": "jane.doe", "firstName": "Jane", "lastName": "Doe"}
        session = self.execute(REGISTER, input={**names, "password": PASSWORD_1})["session"]
        assert self.execute(VERIFY_EMAIL, token=self.mailed_token("/verify-email"))["ok"]
        assert self.execute(REGISTER, input={**names, "password": PASSWORD_1})["session"] is None
        assert self.login(EMAIL, PASSWORD_1)["session"]
        assert self.login(EMAIL, WRONG_PASSWORD)["session"] is None
        assert self.login(UNKNOWN_EMAIL, WRONG_PASSWORD)["session"] is None
        assert self.execute(REFRESH, token=session["refreshToken"])["session"]
        assert self.execute(REFRESH, token=session["refreshToken"])["session"]
        old_token = update(RefreshToken).where(RefreshToken.token_hash == token_hash(session["refreshToken"]))
        long_ago = clock.now() - timedelta(hours=1)
        self.cluster.database.write_sync(lambda session: session.execute(old_token.values(used_at=long_ago)) and None)
        assert self.execute(REFRESH, token=session["refreshToken"])["session"] is None
        for email in (EMAIL, UNKNOWN_EMAIL):
            assert self.execute(REQUEST_RESET, email=email)["ok"]
        reset = {"token": self.mailed_token("/reset-password"), "newPassword": PASSWORD_2}
        assert self.execute(RESET_PASSWORD, input=reset)["ok"]
        token = self.login(EMAIL, PASSWORD_2)["session"]["accessToken"]
        assert self.change_password(token, WRONG_PASSWORD, PASSWORD_3)["session"] is None
        session = self.change_password(token, PASSWORD_2, PASSWORD_3)["session"]
        assert self.execute("{ me { id } }", token) is None, "the old session gets 401"
        self.change_email(session["accessToken"])

    def change_email(self, bearer: str) -> None:
        """Use the mutations that change an email address."""
        assert not self.request_email_change(bearer, NEW_EMAIL, WRONG_PASSWORD)["ok"]
        assert self.request_email_change(bearer, RESPELLED_EMAIL, PASSWORD_3)["ok"]
        assert self.execute(CONFIRM_EMAIL, token=self.mailed_token("/confirm-email-change"))["ok"]
        assert self.request_email_change(bearer, NEW_EMAIL, PASSWORD_3)["ok"]

    def send_invalid_requests(self) -> None:
        """Send secrets in requests that are invalid in many ways."""
        session = self.login(EMAIL, PASSWORD_3)["session"]
        login = f'login(input: {{email: "{EMAIL}", password: "{PASSWORD_3}"}})'
        documents = [
            f"mutation {{ {login} {{ session {{ accessToken }} ",
            f"mutation {{ {login} {{ sesion {{ accessToken }} }} }}",
            f'mutation {{ login(input: {{email: "{EMAIL}", passwort: "{PASSWORD_3}"}}) {{ errors {{ code }} }} }}',
            f'mutation {{ "{PASSWORD_3}" }}',
            f'{{ node(id: "{EMAIL}") {{ id }} users(search: "{EMAIL}") {{ totalCount }} }}',
        ]
        bodies: list[Any] = [{"query": document} for document in documents]
        bodies += [{"query": "{ me { id } }", "operationName": PASSWORD_3}, {"query": LOGIN, "variables": PASSWORD_3}]
        bodies += [{"query": LOGIN, "variables": {"input": {"email": [EMAIL], "password": {"is": PASSWORD_3}}}}]
        for body in bodies:
            self.http.post("/graphql", json=body)
        truncated = f'{{"query": "{LOGIN}", "variables": {{"input": {{"email": "{EMAIL}", "password": "{PASSWORD_3}"'
        for content in (truncated, f'"{PASSWORD_3}"', truncated + "\\x", f"{EMAIL}\0{PASSWORD_3}"):
            self.http.post("/graphql", content=content, headers={"content-type": "application/json"})
        self.http.get("/graphql", params={"query": f"mutation {{ {login} {{ errors {{ code }} }} }}"})
        self.http.get(f"/verify-email?token={session['refreshToken']}")
        basic = base64.b64encode(f"{EMAIL}:{PASSWORD_3}".encode()).decode()
        self.secrets.add(basic)
        for header in (f"Basic {basic}", f"Bearer {session['refreshToken']}", f"Bearer {session['accessToken']}x"):
            response = self.http.post("/graphql", json={"query": "{ me { id } }"}, headers={"authorization": header})
            assert response.status_code == 401

    def cause_database_errors(self) -> None:
        """Remove each table in turn, and use the mutations that need it."""
        session = self.login(EMAIL, PASSWORD_3)["session"]
        names = {"email": f"new.{EMAIL}", "username": "new.one", "firstName": "New", "lastName": "One"}
        for table in (
            "users",
            "sessions",
            "refresh_tokens",
            "account_tokens",
            "email_changes",
            "rate_limit_counters",
            "audit_events",
            "mails",
        ):
            with missing_table(self.cluster.database.engine, table):
                self.login(EMAIL, PASSWORD_3)
                self.execute(REFRESH, token=session["refreshToken"])
                self.execute(REGISTER, input={**names, "password": PASSWORD_1})
                self.execute(REQUEST_RESET, email=EMAIL)
                self.execute(VERIFY_EMAIL, token=session["refreshToken"])
                self.request_email_change(session["accessToken"], NEW_EMAIL, PASSWORD_3)
                self.change_password(session["accessToken"], PASSWORD_3, PASSWORD_1)


@contextmanager
def missing_table(engine: Engine, table: str) -> Iterator[None]:
    def rename(old: str, new: str) -> None:
        with engine.begin() as connection:
            if engine.dialect.name == "sqlite":  # or the foreign keys to it would be renamed too
                connection.execute(text("PRAGMA legacy_alter_table = ON"))
            connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))

    rename(table, f"{table}_missing")
    try:
        yield
    finally:
        rename(f"{table}_missing", table)


def columns_with(session: Session, secrets: set[str]) -> set[str]:
    """Return the columns that contain any of the secrets, regardless of case."""
    columns = set()
    folded = [secret.casefold() for secret in secrets]
    for table in metadata.sorted_tables:
        for row in session.connection().execute(select(table)).mappings():
            for column, value in row.items():
                if any(secret in str(value).casefold() for secret in folded):
                    columns.add(f"{table.name}.{column.name if isinstance(column, Column) else column}")
    return columns


def token_in_files(folder: Path) -> Callable[[str], str]:
    """Return a function that reads the newest token for a path from the mail files of development."""

    def token(path: str) -> str:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for file in sorted((folder / "mail").glob("*.eml"), reverse=True):
                message = message_from_bytes(file.read_bytes(), policy=policy.default)
                plain = message.get_body(("plain",))
                if plain and (match := re.search(path + r"\?token=([\w-]+)", plain.get_content())):
                    return match[1]
            time.sleep(0.05)
        raise AssertionError(f"There is no mail with {path}.")

    return token


def assert_not_logged(log: str, secrets: set[str]) -> None:
    assert len(secrets) > 15
    folded = log.casefold()
    assert '"login"' in folded, "the log contains the operations"
    assert "internal_error" in folded, "the log contains the errors"
    assert [secret for secret in secrets if secret.casefold() in folded] == []


def run_scenario(cluster: Cluster, read_mailed_token: Callable[[str], str]) -> set[str]:
    """Run all requests, check that the database contains no secret, and return the secrets."""
    scenario = Scenario(cluster, read_mailed_token)
    with scenario.http:
        scenario.use_all_mutations()
        scenario.send_invalid_requests()
        scenario.cause_database_errors()
    columns = cluster.database.read_sync(lambda session: columns_with(session, scenario.secrets))
    assert columns <= EMAIL_COLUMNS
    assert columns >= {"users.email", "users.email_key"}, "the search works"
    with_email = text("SELECT COUNT(*) FROM mails WHERE address IS NOT NULL AND status <> 'pending'")
    assert cluster.database.read_sync(lambda session: session.scalar(with_email)) == 0
    return scenario.secrets


@pytest.mark.slow
def test_development_neither_logs_nor_stores_secrets(tmp_path: Path) -> None:
    with run_cluster(tmp_path, f"sqlite:///{tmp_path}/lms.db", 1) as cluster:
        secrets = run_scenario(cluster, token_in_files(tmp_path))
    assert_not_logged(cluster.processes[0].output, secrets)


@pytest.mark.slow
def test_production_neither_logs_nor_stores_secrets(
    tmp_path: Path, mariadb_server: MariaDB, service_mail_server: tuple[Mailbox, str]
) -> None:
    mailbox, smtp_url = service_mail_server
    with run_cluster(
        tmp_path, mariadb_server.new_database("lms_secrets"), 1, LMS_ENV="production", LMS_SMTP_URL=smtp_url
    ) as cluster:

        def mailed_token(path: str) -> str:
            return mailbox.token_sent_to(RESPELLED_EMAIL if path == "/confirm-email-change" else EMAIL, path)

        secrets = run_scenario(cluster, mailed_token)
    assert_not_logged(cluster.processes[0].output, secrets)


ROLE = "mutation ($id: ID!) { setUserRole(input: {userId: $id, role: INSTRUCTOR}) { errors { code } } }"
SUSPEND = "mutation ($id: ID!) { suspendUser(input: {userId: $id}) { errors { code } } }"


def test_change_is_rolled_back_when_audit_event_fails(service: Service, client: Client, make: Factories) -> None:
    """A change and its audit event are written in one transaction."""
    user, admin = make.user_with_password(), make.user(Role.SUPER_ADMIN)
    session_issuer = SessionIssuer(service.database, service.resources.settings, service.resources.signer)
    user_id, admin_token = global_ids.encode("User", user.id), session_issuer.sign_in(admin).access_token
    user_token = session_issuer.sign_in(user).access_token
    correct = {"email": user.email, "password": PASSWORD}
    new_password = {"currentPassword": PASSWORD, "newPassword": PASSWORD_2}
    requests: list[tuple[str, str, str | None, dict[str, Any]]] = [
        ("account.sign_in_failed", LOGIN, None, {"input": {**correct, "password": WRONG_PASSWORD}}),
        ("account.signed_in", LOGIN, None, {"input": correct}),
        ("account.password_changed", CHANGE_PASSWORD, user_token, {"input": new_password}),
        ("account.role_changed", ROLE, admin_token, {"id": user_id}),
        ("account.suspended", SUSPEND, admin_token, {"id": user_id}),
    ]
    for action, document, token, variables in requests:
        before = service.database.read_sync(account_states)
        with missing_table(service.engine, "audit_events"):
            assert client.error_codes(document, bearer=token, **variables) == ["INTERNAL_ERROR"], action
        assert service.database.read_sync(account_states) == before, action
        client.execute(document, bearer=token, **variables)
        events = service.database.read_sync(lambda session: session.scalars(select(AuditEvent.action)).all())
        assert list(events).count(action) == 1


def account_states(session: Session) -> list[Any]:
    """Return the state of all accounts and their sessions."""
    users = select(User.id, User.role, User.is_active, User.password_hash, User.last_login).order_by(User.id)
    return [*session.execute(users), *session.execute(select(UserSession.id, UserSession.ended_at))]
