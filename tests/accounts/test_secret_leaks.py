"""Passwords, tokens and addresses are in no log and, but for where an address belongs, in no column."""

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
from tests.auth import Reception
from tests.concurrency import RaceRequest
from tests.conftest import MariaDB
from tests.factories import PASSWORD, Factories
from tests.live_service import Client, Service, plain_http
from tests.mail_servers import Postbox
from tests.processes import Fleet, fleet

ADDRESS, NOBODYS = "canary.jane@canary-mail.com", "canary.nobody@canary-mail.com"
FIRST, SECOND, THIRD, WRONG = (f"canary pass-word {number}" for number in ("one", "two", "three", "wrong"))
MAY_HOLD_ADDRESSES = {"users.email", "users.email_key", "mails.address"}
SESSION = "{ session { accessToken refreshToken } errors { code } }"
REGISTER = f"mutation Register($input: RegisterInput!) {{ register(input: $input) {SESSION} }}"
LOGIN = f"mutation Login($input: LoginInput!) {{ login(input: $input) {SESSION} }}"
REFRESH = f"mutation Refresh($token: String!) {{ refreshSession(input: {{refreshToken: $token}}) {SESSION} }}"
CHANGE = f"mutation Change($input: ChangePasswordInput!) {{ changePassword(input: $input) {SESSION} }}"
FORGOTTEN = "mutation ($email: String!) { requestPasswordReset(input: {email: $email}) { ok errors { code } } }"
RESET = "mutation ($input: ResetPasswordInput!) { resetPassword(input: $input) { ok errors { code } } }"
VERIFY = "mutation ($token: String!) { verifyEmail(input: {token: $token}) { ok errors { code } } }"


@dataclass
class Life:
    """One person's dealings with a process of the service, and all that nobody else may learn of them."""

    fleet: Fleet
    mailed: Callable[[str], str]
    secrets: set[str] = field(default_factory=lambda: {ADDRESS, NOBODYS, FIRST, SECOND, THIRD, WRONG})

    def __post_init__(self) -> None:
        self.http = plain_http(self.fleet.urls[0])

    def execute(self, document: str, bearer: str | None = None, **variables: Any) -> Any:
        response = self.http.send(RaceRequest(document, variables, bearer).request(self.http))
        data = response.json().get("data")
        payload = next(iter(data.values())) if data else None
        if payload and payload.get("session"):
            self.secrets |= set(payload["session"].values())
        return payload

    def login(self, email: str, password: str) -> Any:
        return self.execute(LOGIN, input={"email": email, "password": password})

    def follow(self, path: str) -> str:
        token = self.mailed(path)
        self.secrets.add(token)
        return token

    def live(self) -> None:
        person = {"email": ADDRESS, "username": "jane.doe", "firstName": "Jane", "lastName": "Doe"}
        opened = self.execute(REGISTER, input={**person, "password": FIRST})["session"]
        assert self.execute(VERIFY, token=self.follow("/verify-email"))["ok"]
        assert self.execute(REGISTER, input={**person, "password": FIRST})["session"] is None
        assert self.login(ADDRESS, FIRST)["session"]
        assert self.login(ADDRESS, WRONG)["session"] is None
        assert self.login(NOBODYS, WRONG)["session"] is None
        assert self.execute(REFRESH, token=opened["refreshToken"])["session"]
        assert self.execute(REFRESH, token=opened["refreshToken"])["session"] is None
        late = update(RefreshToken).where(RefreshToken.token_hash == token_hash(opened["refreshToken"]))
        long_ago = clock.now() - timedelta(hours=1)
        self.fleet.database.write_sync(lambda session: session.execute(late.values(used_at=long_ago)) and None)
        assert self.execute(REFRESH, token=opened["refreshToken"])["session"] is None
        for email in (ADDRESS, NOBODYS):
            assert self.execute(FORGOTTEN, email=email)["ok"]
        assert self.execute(RESET, input={"token": self.follow("/reset-password"), "newPassword": SECOND})["ok"]
        token = self.login(ADDRESS, SECOND)["session"]["accessToken"]
        assert self.execute(CHANGE, token, input={"currentPassword": WRONG, "newPassword": THIRD})["session"] is None
        assert self.execute(CHANGE, token, input={"currentPassword": SECOND, "newPassword": THIRD})["session"]
        assert self.execute("{ me { id } }", token) is None, "401"

    def stumble(self) -> None:
        """Whatever may go wrong on the client's side, with the secrets in it."""
        good = self.login(ADDRESS, THIRD)["session"]
        said = f'login(input: {{email: "{ADDRESS}", password: "{THIRD}"}})'
        documents = [
            f"mutation {{ {said} {{ session {{ accessToken }} ",
            f"mutation {{ {said} {{ sesion {{ accessToken }} }} }}",
            f'mutation {{ login(input: {{email: "{ADDRESS}", passwort: "{THIRD}"}}) {{ errors {{ code }} }} }}',
            f'mutation {{ "{THIRD}" }}',
            f'{{ node(id: "{ADDRESS}") {{ id }} users(search: "{ADDRESS}") {{ totalCount }} }}',
        ]
        bodies: list[Any] = [{"query": document} for document in documents]
        bodies += [{"query": "{ me { id } }", "operationName": THIRD}, {"query": LOGIN, "variables": THIRD}]
        bodies += [{"query": LOGIN, "variables": {"input": {"email": [ADDRESS], "password": {"is": THIRD}}}}]
        for body in bodies:
            self.http.post("/graphql", json=body)
        broken = f'{{"query": "{LOGIN}", "variables": {{"input": {{"email": "{ADDRESS}", "password": "{THIRD}"'
        for content in (broken, f'"{THIRD}"', broken + "\\x", f"{ADDRESS}\0{THIRD}"):
            self.http.post("/graphql", content=content, headers={"content-type": "application/json"})
        self.http.get("/graphql", params={"query": f"mutation {{ {said} {{ errors {{ code }} }} }}"})
        self.http.get(f"/verify-email?token={good['refreshToken']}")
        basic = base64.b64encode(f"{ADDRESS}:{THIRD}".encode()).decode()
        self.secrets.add(basic)
        for header in (f"Basic {basic}", f"Bearer {good['refreshToken']}", f"Bearer {good['accessToken']}x"):
            answer = self.http.post("/graphql", json={"query": "{ me { id } }"}, headers={"authorization": header})
            assert answer.status_code == 401

    def go_through_faults(self) -> None:
        """Each table in turn is not there, while everything is tried that needs it."""
        good = self.login(ADDRESS, THIRD)["session"]
        person = {"email": f"new.{ADDRESS}", "username": "new.one", "firstName": "New", "lastName": "One"}
        for table in (
            "users",
            "sessions",
            "refresh_tokens",
            "account_tokens",
            "rate_limit_counters",
            "audit_events",
            "mails",
        ):
            with away(self.fleet.database.engine, table):
                self.login(ADDRESS, THIRD)
                self.execute(REFRESH, token=good["refreshToken"])
                self.execute(REGISTER, input={**person, "password": FIRST})
                self.execute(FORGOTTEN, email=ADDRESS)
                self.execute(VERIFY, token=good["refreshToken"])
                self.execute(CHANGE, good["accessToken"], input={"currentPassword": THIRD, "newPassword": FIRST})


@contextmanager
def away(engine: Engine, table: str) -> Iterator[None]:
    def rename(old: str, new: str) -> None:
        with engine.begin() as connection:
            if engine.dialect.name == "sqlite":  # or what refers to it would follow it
                connection.execute(text("PRAGMA legacy_alter_table = ON"))
            connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))

    rename(table, f"{table}_away")
    try:
        yield
    finally:
        rename(f"{table}_away", table)


def columns_with(session: Session, secrets: set[str]) -> set[str]:
    """Where in the database one of these stands, in whatever letters."""
    found = set()
    words = [secret.casefold() for secret in secrets]
    for table in metadata.sorted_tables:
        for row in session.connection().execute(select(table)).mappings():
            for column, value in row.items():
                if any(word in str(value).casefold() for word in words):
                    found.add(f"{table.name}.{column.name if isinstance(column, Column) else column}")
    return found


def in_files(folder: Path) -> Callable[[str], str]:
    """The newest token in the mail that development writes to files."""

    def token(path: str) -> str:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            for file in sorted((folder / "mail").glob("*.eml"), reverse=True):
                message = message_from_bytes(file.read_bytes(), policy=policy.default)
                plain = message.get_body(("plain",))
                if plain and (found := re.search(path + r"\?token=([\w-]+)", plain.get_content())):
                    return found[1]
            time.sleep(0.05)
        raise AssertionError(f"There is no mail with {path}.")

    return token


def assert_kept(said: str, secrets: set[str]) -> None:
    assert len(secrets) > 15
    told = said.casefold()
    assert '"login"' in told, "the log tells what happened"
    assert "internal_error" in told, "and what went wrong"
    assert [secret for secret in secrets if secret.casefold() in told] == []


def lived(running: Fleet, mailed: Callable[[str], str]) -> set[str]:
    """What is secret after all of it; nothing of that is in the database."""
    life = Life(running, mailed)
    with life.http:
        life.live()
        life.stumble()
        life.go_through_faults()
    kept = running.database.read_sync(lambda session: columns_with(session, life.secrets))
    assert kept <= MAY_HOLD_ADDRESSES
    assert kept >= {"users.email", "users.email_key"}, "the search finds what is there"
    holding = text("SELECT COUNT(*) FROM mails WHERE address IS NOT NULL AND status <> 'pending'")
    assert running.database.read_sync(lambda session: session.scalar(holding)) == 0
    return life.secrets


@pytest.mark.slow
def test_no_secret_is_told_or_kept_in_development(tmp_path: Path) -> None:
    with fleet(tmp_path, f"sqlite:///{tmp_path}/lms.db", 1) as running:
        secrets = lived(running, in_files(tmp_path))
    assert_kept(running.processes[0].said, secrets)


@pytest.mark.slow
def test_no_secret_is_told_or_kept_in_production(
    tmp_path: Path, maria: MariaDB, mail_server: tuple[Postbox, str]
) -> None:
    box, address = mail_server
    with fleet(tmp_path, maria.new_database("lms_secrets"), 1, LMS_ENV="production", LMS_SMTP_URL=address) as running:
        secrets = lived(running, lambda path: box.token_to(ADDRESS, path))
    assert_kept(running.processes[0].said, secrets)


ROLE = "mutation ($id: ID!) { setUserRole(input: {userId: $id, role: INSTRUCTOR}) { errors { code } } }"
SUSPEND = "mutation ($id: ID!) { suspendUser(input: {userId: $id}) { errors { code } } }"


def test_what_cannot_be_written_down_is_not_done(service: Service, client: Client, make: Factories) -> None:
    """The account of who did what is in the transaction of what was done: the one never comes without the other."""
    person, admin = make.person(), make.user(Role.SUPER_ADMIN)
    reception = Reception(service.database, service.resources.settings, service.resources.signer)
    global_id, by_admin = global_ids.encode("User", person.id), reception.sign_in(admin).access_token
    own = reception.sign_in(person).access_token
    right = {"email": person.email, "password": PASSWORD}
    new = {"currentPassword": PASSWORD, "newPassword": SECOND}
    asked: list[tuple[str, str, str | None, dict[str, Any]]] = [
        ("account.sign_in_failed", LOGIN, None, {"input": {**right, "password": WRONG}}),
        ("account.signed_in", LOGIN, None, {"input": right}),
        ("account.password_changed", CHANGE, own, {"input": new}),
        ("account.role_changed", ROLE, by_admin, {"id": global_id}),
        ("account.suspended", SUSPEND, by_admin, {"id": global_id}),
    ]
    for what, document, token, variables in asked:
        before = service.database.read_sync(accounts)
        with away(service.engine, "audit_events"):
            assert client.error_codes(document, bearer=token, **variables) == ["INTERNAL_ERROR"], what
        assert service.database.read_sync(accounts) == before, what
        client.execute(document, bearer=token, **variables)
        events = service.database.read_sync(lambda session: session.scalars(select(AuditEvent.action)).all())
        assert list(events).count(what) == 1


def accounts(session: Session) -> list[Any]:
    """How all accounts and their sessions stand."""
    people = select(User.id, User.role, User.is_active, User.password_hash, User.last_login).order_by(User.id)
    return [*session.execute(people), *session.execute(select(UserSession.id, UserSession.ended_at))]
