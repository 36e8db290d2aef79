"""Deadlocks at each statement of each accounts mutation, including COMMIT: the retry has the same result."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import (
    AccountToken,
    AuditEvent,
    EmailChange,
    RateLimitCounter,
    RefreshToken,
    TokenPurpose,
    User,
)
from lms_graphql.accounts.services.account_tokens import make_token
from lms_graphql.accounts.services.email_changes import make_email_change_token
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Role
from lms_graphql.core.password_hashing import hash_password
from lms_graphql.core.signing import token_hash
from lms_graphql.mail.models import Mail
from lms_graphql.mail.outbox import MAIL_ENQUEUED
from tests.auth import SessionIssuer
from tests.error_injection import MAX_STATEMENTS, ErrorInjector
from tests.factories import Factories
from tests.live_service import Client, Service

pytestmark = pytest.mark.parametrize(
    "service_settings", [pytest.param("mariadb", marks=pytest.mark.slow)], indirect=True
)
PASSWORD, NEW_PASSWORD = "a long enough one", "another long enough one"
HASH = hash_password(PASSWORD)


class Scenario:
    """A user and a super admin, both logged in. Each round creates new ones, so that no rows must be deleted."""

    def __init__(self, service: Service, make: Factories, number: int) -> None:
        self.database = service.database
        self.session_issuer = SessionIssuer(service.database, service.resources.settings, service.resources.signer)
        self.number = number
        names = {"email": f"p{number}@example.com", "username": f"p{number}"}
        self.user = make.user(Role.LEARNER, password_hash=HASH, **names)
        self.email = self.user.email
        self.global_id = global_ids.encode("User", self.user.id)
        self.session = self.session_issuer.sign_in(self.user)
        self.token = self.session.access_token
        admin_names = {"email": f"a{number}@example.com", "username": f"a{number}"}
        self.admin_token = self.session_issuer.sign_in(make.user(Role.SUPER_ADMIN, **admin_names)).access_token

    def mailed_token(self, purpose: TokenPurpose) -> str:
        return self.database.write_sync(lambda session: make_token(session, self.user.id, purpose))

    def email_change_token(self) -> str:
        change = EmailChange(user_id=self.user.id, email=f"q{self.number}@example.com")

        def add(session: Session) -> str:
            session.add(change)
            session.flush()
            return make_email_change_token(session, change)

        return self.database.write_sync(add)

    def token_used_long_ago(self) -> str:
        used = update(RefreshToken).where(RefreshToken.token_hash == token_hash(self.session.refresh_token))
        long_ago = clock.now() - timedelta(hours=1)
        self.database.write_sync(lambda session: session.execute(used.values(used_at=long_ago)) and None)
        return self.session.refresh_token

    def suspended_user_id(self) -> str:
        suspend = update(User).where(User.id == self.user.id).values(is_active=False)
        self.database.write_sync(lambda session: session.execute(suspend) and None)
        return self.global_id

    def application_id(self, client: Client) -> str:
        payload = client.execute(APPLY, bearer=self.token)["applyToTeach"]
        return str(payload["application"]["id"])

    def registration(self) -> dict[str, str]:
        name = f"newcomer{self.number}"
        credentials = {"email": f"{name}@example.com", "username": name, "password": PASSWORD}
        return {**credentials, "firstName": "New", "lastName": "Comer"}


SESSION = "{ session { accessToken refreshToken user { id role } } errors { code path } }"
USER = "{ user { id role bio isActive } errors { code path } }"
OK = "{ ok errors { code path } }"
APPLY = """mutation { applyToTeach(input: {motivation: "I like to", experience: "Ten years"}) {
  application { id status } errors { code path }
} }"""
Request = tuple[str, str | None, dict[str, Any]]
"""Document, access token and variables."""

MUTATIONS: dict[str, Callable[[Scenario, Client], Request]] = {
    "register": lambda scenario, _: (
        f"mutation ($p: RegisterInput!) {{ register(input: $p) {SESSION} }}",
        None,
        {"p": scenario.registration()},
    ),
    "login": lambda scenario, _: (
        f'mutation ($e: String!) {{ login(input: {{email: $e, password: "{PASSWORD}"}}) {SESSION} }}',
        None,
        {"e": scenario.email},
    ),
    "login with a wrong password": lambda scenario, _: (
        f'mutation ($e: String!) {{ login(input: {{email: $e, password: "a wrong one"}}) {SESSION} }}',
        None,
        {"e": scenario.email},
    ),
    "refreshSession": lambda scenario, _: (
        f"mutation ($t: String!) {{ refreshSession(input: {{refreshToken: $t}}) {SESSION} }}",
        None,
        {"t": scenario.session.refresh_token},
    ),
    "refreshSession with a token used long ago": lambda scenario, _: (
        f"mutation ($t: String!) {{ refreshSession(input: {{refreshToken: $t}}) {SESSION} }}",
        None,
        {"t": scenario.token_used_long_ago()},
    ),
    "logout": lambda scenario, _: (
        f"mutation ($t: String!) {{ logout(input: {{refreshToken: $t}}) {OK} }}",
        None,
        {"t": scenario.session.refresh_token},
    ),
    "logoutEverywhere": lambda scenario, _: (f"mutation {{ logoutEverywhere {OK} }}", scenario.token, {}),
    "changePassword": lambda scenario, _: (
        f'mutation ($o: String!) {{ changePassword(input: {{currentPassword: $o, newPassword: "{NEW_PASSWORD}"}})'
        f" {SESSION} }}",
        scenario.token,
        {"o": PASSWORD},
    ),
    "changePassword with a wrong one": lambda scenario, _: (
        f'mutation ($o: String!) {{ changePassword(input: {{currentPassword: $o, newPassword: "{NEW_PASSWORD}"}})'
        f" {SESSION} }}",
        scenario.token,
        {"o": "a wrong one"},
    ),
    "requestPasswordReset": lambda scenario, _: (
        f"mutation ($e: String!) {{ requestPasswordReset(input: {{email: $e}}) {OK} }}",
        None,
        {"e": scenario.email},
    ),
    "resetPassword": lambda scenario, _: (
        f'mutation ($t: String!) {{ resetPassword(input: {{token: $t, newPassword: "{NEW_PASSWORD}"}}) {OK} }}',
        None,
        {"t": scenario.mailed_token(TokenPurpose.RESET_PASSWORD)},
    ),
    "requestEmailVerification": lambda scenario, _: (
        f"mutation {{ requestEmailVerification {OK} }}",
        scenario.token,
        {},
    ),
    "verifyEmail": lambda scenario, _: (
        f"mutation ($t: String!) {{ verifyEmail(input: {{token: $t}}) {OK} }}",
        None,
        {"t": scenario.mailed_token(TokenPurpose.VERIFY_EMAIL)},
    ),
    "requestEmailChange": lambda scenario, _: (
        f"mutation ($i: RequestEmailChangeInput!) {{ requestEmailChange(input: $i) {OK} }}",
        scenario.token,
        {"i": {"newEmail": f"q{scenario.number}@example.com", "currentPassword": PASSWORD}},
    ),
    "confirmEmailChange": lambda scenario, _: (
        f"mutation ($t: String!) {{ confirmEmailChange(input: {{token: $t}}) {OK} }}",
        None,
        {"t": scenario.email_change_token()},
    ),
    "endSession": lambda scenario, _: (
        f"mutation ($i: ID!) {{ endSession(input: {{sessionId: $i}}) {OK} }}",
        scenario.token,
        {"i": global_ids.encode("UserSession", scenario.session.actor.session_key or 0)},
    ),
    "updateProfile": lambda scenario, _: (
        f"mutation ($p: UpdateProfileInput!) {{ updateProfile(input: $p) {USER} }}",
        scenario.token,
        {"p": {"bio": "About me", "firstName": "Anna", "username": f"renamed{scenario.number}"}},
    ),
    "createUser": lambda scenario, _: (
        f"mutation ($p: CreateUserInput!) {{ createUser(input: $p) {USER} }}",
        scenario.admin_token,
        {"p": {**scenario.registration(), "role": "INSTRUCTOR"}},
    ),
    "setUserRole": lambda scenario, _: (
        f"mutation ($u: ID!) {{ setUserRole(input: {{userId: $u, role: INSTRUCTOR}}) {USER} }}",
        scenario.admin_token,
        {"u": scenario.global_id},
    ),
    "suspendUser": lambda scenario, _: (
        f"mutation ($u: ID!) {{ suspendUser(input: {{userId: $u}}) {USER} }}",
        scenario.admin_token,
        {"u": scenario.global_id},
    ),
    "activateUser": lambda scenario, _: (
        f"mutation ($u: ID!) {{ activateUser(input: {{userId: $u}}) {USER} }}",
        scenario.admin_token,
        {"u": scenario.suspended_user_id()},
    ),
    "deleteUser": lambda scenario, _: (
        "mutation ($u: ID!) { deleteUser(input: {userId: $u}) { deletedId errors { code path } } }",
        scenario.token,
        {"u": scenario.global_id},
    ),
    "applyToTeach": lambda scenario, _: (APPLY, scenario.token, {}),
    "reviewInstructorApplication": lambda scenario, client: (
        "mutation ($a: ID!) { reviewInstructorApplication(input: {applicationId: $a, approve: true}) {"
        " application { status applicant { id role } } errors { code path } } }",
        scenario.admin_token,
        {"a": scenario.application_id(client)},
    ),
}


def state(session: Session) -> Counter[str]:
    """Return counts of rows and values that differ if a write happens twice or not at all."""
    counts: Counter[str] = Counter()
    for table in (
        "users",
        "user_terms",
        "sessions",
        "refresh_tokens",
        "instructor_applications",
        "signing_keys",
        "email_changes",
    ):
        counts[table] = session.scalar(text(f"SELECT COUNT(*) FROM {table}")) or 0
    counts["sessions ended"] = session.scalar(text("SELECT COUNT(*) FROM sessions WHERE ended_at IS NOT NULL")) or 0
    counts["tokens used"] = session.scalar(select(func.count()).where(RefreshToken.used_at.is_not(None))) or 0
    counts["mailed tokens used"] = session.scalar(select(func.count()).where(AccountToken.used_at.is_not(None))) or 0
    counts["failures"] = int(session.scalar(select(func.sum(RateLimitCounter.failures))) or 0)
    for kind, column in (
        ("audit", AuditEvent.action),
        ("mail", Mail.kind),
        ("role", User.role),
        ("on", User.is_active),
    ):
        for value, number in session.execute(select(column, func.count()).group_by(column)):
            counts[f"{kind} {value}"] = number
    return counts


def without_unique_values(value: Any) -> Any:
    """Return a response without the values that differ in each round."""
    if isinstance(value, dict):
        return {
            key: part if key in {"errors", "role", "bio", "status"} else without_unique_values(part)
            for key, part in value.items()
        }
    return "…" if isinstance(value, str) else value


@pytest.fixture
def commits_with_mail(service: Service, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Collect for each commit whether it enqueued mail. The outbox sends none, so that the tables do not change."""
    commits: list[bool] = []
    callbacks: list[Callable[[Session], None]] = [
        lambda session: commits.append(bool(session.info.get(MAIL_ENQUEUED)))
    ]
    monkeypatch.setattr(service.database, "after_commit", callbacks)
    return commits


@pytest.mark.parametrize("name", MUTATIONS)
def test_mutation_result_is_unchanged_by_deadlock(
    service: Service, make: Factories, client: Client, commits_with_mail: list[bool], name: str
) -> None:
    injector, expected = ErrorInjector(service.database), None
    for number in range(MAX_STATEMENTS):  # round 0 has no deadlock and shows the expected result
        document, bearer, variables = MUTATIONS[name](Scenario(service, make, number), client)
        before = service.database.read_sync(state)
        commits_with_mail.clear()
        with injector.inject_at(number or MAX_STATEMENTS):
            body = client.graphql(document, bearer=bearer, **variables)
        after = service.database.read_sync(state)
        after.subtract(before)
        changes = {key: difference for key, difference in after.items() if difference}
        result = (without_unique_values(body), changes, Counter(commits_with_mail))
        expected = expected or result
        assert result == expected, f"after a deadlock at statement {number}"
        if number and not injector.was_injected:
            break
    assert number > 2, "The mutation ran no statement."
    assert number < MAX_STATEMENTS - 1
