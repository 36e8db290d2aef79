"""Races between account and session mutations, on two processes of the service.

The races are real, as trials without the protection showed:

- If `set_user_role`, `suspend_user` and `delete_user` do not lock `SUPER_ADMINS_LOCK`, no super admin is left.
- If `refresh_session` uses a SELECT and a plain UPDATE, several clients insert the successor. Three of ten got
  UNAVAILABLE in the first round, because they met conflicts in all attempts.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from lms_graphql.accounts.models import (
    AccountToken,
    ApplicationStatus,
    AuditEvent,
    InstructorApplication,
    RefreshToken,
    TokenPurpose,
    User,
    UserTerm,
)
from lms_graphql.accounts.services.account_tokens import make_token
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Role
from lms_graphql.core.password_hashing import verify_password
from lms_graphql.core.signing import token_hash
from tests.concurrency import RaceClients, RaceRequest, code_counts, race_clients, race_rounds
from tests.factories import Factories
from tests.processes import Cluster

pytestmark = pytest.mark.slow

CLIENTS = 10
FAMILIES, ROUNDS = 3, race_rounds(20)
"""In each of these 300 rounds all clients use one token at once."""
SESSION = "{ session { accessToken refreshToken } errors { code path } }"
REFRESH = f"mutation ($token: String!) {{ refreshSession(input: {{refreshToken: $token}}) {SESSION} }}"
REGISTER = f"mutation ($input: RegisterInput!) {{ register(input: $input) {SESSION} }}"
DEMOTE = "mutation ($id: ID!) { setUserRole(input: {userId: $id, role: LEARNER}) { errors { code path } } }"
SUSPEND = "mutation ($id: ID!) { suspendUser(input: {userId: $id}) { errors { code path } } }"
DELETE = "mutation ($id: ID!) { deleteUser(input: {userId: $id}) { errors { code path } } }"
APPLY = """mutation { applyToTeach(input: {motivation: "I like to", experience: "Ten years"}) {
  application { id } errors { code path }
} }"""
REVIEW = """mutation ($id: ID!, $approve: Boolean!) {
  reviewInstructorApplication(input: {applicationId: $id, approve: $approve}) { errors { code path } }
}"""
RESET = """mutation ($token: String!, $password: String!) {
  resetPassword(input: {token: $token, newPassword: $password}) { ok errors { code path } }
}"""
VERIFY = "mutation ($token: String!) { verifyEmail(input: {token: $token}) { ok errors { code path } } }"
PROFILE = 'mutation { updateProfile(input: {firstName: "Anna", bio: "About me"}) { errors { code path } } }'
ME = "{ me { id } }"


@pytest.fixture
def make(two_processes: Cluster) -> Factories:
    return Factories(two_processes.database)


@pytest.fixture
def clients(two_processes: Cluster) -> Iterator[RaceClients]:
    with race_clients(two_processes.urls, CLIENTS) as clients:
        yield clients


def is_signed_in(race_clients: RaceClients, access_token: str, number: int = 0) -> bool:
    response = race_clients.execute(RaceRequest(ME, bearer=access_token), number)
    assert response.status == 401 or response.body["data"]["me"] is not None
    return response.status != 401


def scalar(cluster: Cluster, statement: Any) -> Any:
    return cluster.database.read_sync(lambda session: session.scalar(statement))


def count(cluster: Cluster, table: Any, *where: Any) -> Any:
    return scalar(cluster, select(func.count()).select_from(table).where(*where))


def execute(cluster: Cluster, statement: Any) -> None:
    cluster.database.write_sync(lambda session: session.execute(statement) and None)


def test_concurrent_refreshes_return_same_successor(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    for _ in range(FAMILIES):
        issued = two_processes.session_issuer.sign_in(make.user())
        token = issued.refresh_token
        for number in range(ROUNDS):
            responses = clients.race(*[RaceRequest(REFRESH, {"token": token})] * CLIENTS)
            assert code_counts(responses) == {None: CLIENTS}
            sessions = [response.payload["session"] for response in responses]
            access_token = sessions[number % CLIENTS]["accessToken"]
            assert number % 5 or is_signed_in(clients, access_token, number % CLIENTS)
            (token,) = {session["refreshToken"] for session in sessions}
        of_session = RefreshToken.session_id == issued.actor.session_key
        assert count(two_processes, RefreshToken, of_session) == ROUNDS + 1


def test_late_reuse_of_token_ends_session(two_processes: Cluster, make: Factories, clients: RaceClients) -> None:
    session = two_processes.session_issuer.sign_in(make.user())
    other_session = two_processes.session_issuer.sign_in(make.user())
    first = clients.execute(RaceRequest(REFRESH, {"token": session.refresh_token})).payload["session"]
    reuse = RaceRequest(REFRESH, {"token": session.refresh_token})
    old_token = update(RefreshToken).where(RefreshToken.token_hash == token_hash(session.refresh_token))
    reuse_seconds = two_processes.settings.token_reuse_seconds
    execute(two_processes, old_token.values(used_at=clock.now() - timedelta(seconds=reuse_seconds - 3)))
    assert code_counts(clients.race(*[reuse] * CLIENTS)) == {None: CLIENTS}
    assert is_signed_in(clients, first["accessToken"])

    execute(two_processes, old_token.values(used_at=clock.now() - timedelta(seconds=reuse_seconds + 1)))
    assert code_counts(clients.race(*[reuse] * CLIENTS)) == {"INVALID_TOKEN": CLIENTS}
    for token in (session.access_token, first["accessToken"]):
        assert not any(is_signed_in(clients, token, process) for process in (0, 1))
    assert clients.execute(RaceRequest(REFRESH, {"token": first["refreshToken"]}), 1).code == "INVALID_TOKEN"
    assert is_signed_in(clients, other_session.access_token)
    assert count(two_processes, AuditEvent, AuditEvent.action == "session.token_reused") == 1


def test_late_reuse_wins_against_concurrent_refresh(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    for _ in range(30):
        session = two_processes.session_issuer.sign_in(make.user())
        first_refresh = clients.execute(RaceRequest(REFRESH, {"token": session.refresh_token}))
        newest = first_refresh.payload["session"]["refreshToken"]
        old_token = update(RefreshToken).where(RefreshToken.token_hash == token_hash(session.refresh_token))
        execute(two_processes, old_token.values(used_at=clock.now() - timedelta(minutes=1)))
        reused, refreshed = clients.race(
            *(RaceRequest(REFRESH, {"token": token}) for token in (session.refresh_token, newest))
        )
        assert reused.code == "INVALID_TOKEN"
        if refreshed.code is None:
            issued = refreshed.payload["session"]
            assert not is_signed_in(clients, issued["accessToken"])
            assert clients.execute(RaceRequest(REFRESH, {"token": issued["refreshToken"]})).code == "INVALID_TOKEN"


CONFLICTS = {
    "demote each other": (DEMOTE, DEMOTE, True),
    "suspend each other": (SUSPEND, SUSPEND, True),
    "delete each other": (DELETE, DELETE, True),
    "one demotes, one deletes": (DEMOTE, DELETE, True),
    "one suspends, one demotes": (SUSPEND, DEMOTE, True),
    "suspend themselves": (SUSPEND, SUSPEND, False),
    "delete themselves": (DELETE, DELETE, False),
}


@pytest.mark.parametrize(("first", "second", "each_other"), CONFLICTS.values(), ids=CONFLICTS)
def test_one_of_two_last_super_admins_remains(
    two_processes: Cluster, make: Factories, clients: RaceClients, first: str, second: str, each_other: bool
) -> None:
    for _ in range(20):
        execute(two_processes, update(User).values(role=Role.LEARNER))
        a, b = (make.user(Role.SUPER_ADMIN) for _ in range(2))
        tokens = [two_processes.session_issuer.sign_in(user).access_token for user in (a, b)]
        user_ids = [global_ids.encode("User", user.id) for user in ((b, a) if each_other else (a, b))]
        responses = clients.race(
            RaceRequest(first, {"id": user_ids[0]}, tokens[0]), RaceRequest(second, {"id": user_ids[1]}, tokens[1])
        )
        counts = code_counts(responses)
        assert counts[None] == 1, counts
        assert set(counts) <= {None, "INVALID_TRANSITION", "UNAUTHENTICATED", "FORBIDDEN"}
        is_super_admin = (User.role == Role.SUPER_ADMIN, User.is_active, User.deleted_at.is_(None))
        assert count(two_processes, User, *is_super_admin) == 1


def test_deleted_account_stays_empty_despite_profile_updates(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    admin = two_processes.session_issuer.sign_in(make.user(Role.SUPER_ADMIN)).access_token
    for _ in range(40):
        user = make.user()
        token = two_processes.session_issuer.sign_in(user).access_token
        responses = clients.race(
            RaceRequest(DELETE, {"id": global_ids.encode("User", user.id)}, admin),
            *[RaceRequest(PROFILE, bearer=token)] * 3,
        )
        assert responses[0].code is None
        assert set(code_counts(responses)) <= {None, "UNAUTHENTICATED"}
        is_empty = (User.first_name == "", User.name_key == "", User.bio.is_(None))
        assert count(two_processes, User, User.id == user.id, *is_empty) == 1
        assert count(two_processes, UserTerm, UserTerm.user_id == user.id) == 0


@pytest.mark.parametrize("field", ["email", "username"])
def test_one_of_two_equal_registrations_succeeds(two_processes: Cluster, clients: RaceClients, field: str) -> None:
    """Every other round, the values differ only in case."""
    for number in range(50):
        inputs = [
            {
                "email": f"jane{number}.{side}@example.com",
                "username": f"jane{number}.{side}",
                "password": "a long enough one",
                "firstName": "Jane",
                "lastName": "Doe",
            }
            for side in "ab"
        ]
        inputs[1][field] = inputs[0][field] if number % 2 else inputs[0][field].upper().replace("EXAMPLE", "Example")
        responses = clients.race(*(RaceRequest(REGISTER, {"input": input}) for input in inputs))
        assert code_counts(responses) == {None: 1, "ALREADY_EXISTS": 1}
        assert next(response.path for response in responses if response.code) == ["input", field]
    assert count(two_processes, User) == 50
    assert count(two_processes, AuditEvent, AuditEvent.action == "account.registered") == 50


def test_one_of_two_reviews_succeeds(two_processes: Cluster, make: Factories, clients: RaceClients) -> None:
    admins = [two_processes.session_issuer.sign_in(make.user(Role.SUPER_ADMIN)).access_token for _ in range(2)]
    for number in range(50):
        learner = two_processes.session_issuer.sign_in(make.user())
        application = clients.execute(RaceRequest(APPLY, bearer=learner.access_token)).payload["application"]["id"]
        verdicts = (True, number % 2 == 0)
        responses = clients.race(
            *(
                RaceRequest(REVIEW, {"id": application, "approve": verdict}, admin)
                for verdict, admin in zip(verdicts, admins, strict=True)
            )
        )
        assert code_counts(responses) == {None: 1, "INVALID_TRANSITION": 1}
        approved = next(
            verdict for verdict, response in zip(verdicts, responses, strict=True) if response.code is None
        )
        status = ApplicationStatus.APPROVED if approved else ApplicationStatus.REJECTED
        of_learner = InstructorApplication.user_id == learner.actor.key
        assert count(two_processes, InstructorApplication, of_learner, InstructorApplication.status == status) == 1
        role = Role.INSTRUCTOR if approved else Role.LEARNER
        assert count(two_processes, User, User.id == learner.actor.key, User.role == role) == 1
        assert is_signed_in(clients, learner.access_token) is not approved
    assert count(two_processes, AuditEvent, AuditEvent.action == "application.reviewed") == 50


def test_one_of_concurrent_applications_is_stored(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    for _ in range(50):
        learner = two_processes.session_issuer.sign_in(make.user())
        responses = clients.race(*[RaceRequest(APPLY, bearer=learner.access_token)] * 4)
        assert code_counts(responses) == {None: 1, "ALREADY_EXISTS": 3}
        assert count(two_processes, InstructorApplication, InstructorApplication.user_id == learner.actor.key) == 1


def mailed_token(cluster: Cluster, user: User, purpose: TokenPurpose) -> str:
    return cluster.database.write_sync(lambda session: make_token(session, user.id, purpose))


def test_reset_token_is_valid_once(two_processes: Cluster, make: Factories, clients: RaceClients) -> None:
    for _ in range(10):
        user = make.user()
        token = mailed_token(two_processes, user, TokenPurpose.RESET_PASSWORD)
        passwords = [f"the new one of client {number}" for number in range(4)]
        responses = clients.race(
            *(RaceRequest(RESET, {"token": token, "password": password}) for password in passwords)
        )
        assert code_counts(responses) == {None: 1, "INVALID_TOKEN": 3}
        winner = next(
            password for password, response in zip(passwords, responses, strict=True) if response.code is None
        )
        assert verify_password(scalar(two_processes, select(User.password_hash).where(User.id == user.id)), winner)
    assert count(two_processes, AuditEvent, AuditEvent.action == "account.password_reset") == 10


def test_concurrent_resets_with_same_password_succeed(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    for _ in range(5):
        token = mailed_token(two_processes, make.user(), TokenPurpose.RESET_PASSWORD)
        reset = RaceRequest(RESET, {"token": token, "password": "the new one of all clients"})
        assert code_counts(clients.race(*[reset] * 4)) == {None: 4}
    assert count(two_processes, AuditEvent, AuditEvent.action == "account.password_reset") == 5


def test_verification_token_is_valid_once(two_processes: Cluster, make: Factories, clients: RaceClients) -> None:
    for _ in range(50):
        token = mailed_token(two_processes, make.user(), TokenPurpose.VERIFY_EMAIL)
        responses = clients.race(*[RaceRequest(VERIFY, {"token": token})] * 4)
        assert code_counts(responses) == {None: 1, "INVALID_TOKEN": 3}
    assert count(two_processes, AuditEvent, AuditEvent.action == "account.email_verified") == 50
    execute(two_processes, delete(AccountToken))
