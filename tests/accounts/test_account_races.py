"""Races of email changes, username changes and ended sessions, on two processes of the service.

The races are real, as trials without the protection showed:

- If `confirm_email_change` does not look whether it deleted the request, several of ten confirmations succeed.
- If it does not handle the database's error, one of two users who confirm the same address gets INTERNAL_ERROR.
"""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import AuditEvent, EmailChange, User, UserTerm
from lms_graphql.accounts.services.email_changes import make_email_change_token
from lms_graphql.core import global_ids
from lms_graphql.core.database import Database
from tests.accounts.test_email_changes import CONFIRM
from tests.accounts.test_races import count
from tests.accounts.test_session_list import END
from tests.concurrency import RaceClients, RaceRequest, code_counts, race_clients, race_rounds
from tests.factories import Factories
from tests.processes import Cluster

pytestmark = pytest.mark.slow

CLIENTS = 10
RENAME = "mutation R($name: String) { updateProfile(input: {username: $name}) { errors { code path } } }"


@pytest.fixture
def make(two_processes: Cluster) -> Factories:
    return Factories(two_processes.database)


@pytest.fixture
def clients(two_processes: Cluster) -> Iterator[RaceClients]:
    with race_clients(two_processes.urls, CLIENTS) as clients:
        yield clients


def requested_change(database: Database, user: User, email: str) -> str:
    """Store a requested change of the user's address, and return its token."""

    def add(session: Session) -> str:
        change = EmailChange(user_id=user.id, email=email)
        session.add(change)
        session.flush()
        return make_email_change_token(session, change)

    return database.write_sync(add)


def test_one_of_ten_confirmations_changes_the_address(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    rounds = race_rounds(10)
    for number in range(rounds):
        user, email = make.user(), f"raced{number}@example.com"
        token = requested_change(two_processes.database, user, email)
        responses = clients.race(*[RaceRequest(CONFIRM, {"token": token})] * CLIENTS)
        assert code_counts(responses) == {None: 1, "INVALID_TOKEN": CLIENTS - 1}
        assert count(two_processes, User, User.id == user.id, User.email == email, User.is_verified) == 1
    assert count(two_processes, AuditEvent, AuditEvent.action == "account.email_changed") == rounds
    assert count(two_processes, EmailChange) == 0


def test_one_of_two_users_gets_the_same_address(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    rounds = race_rounds(10)
    for number in range(rounds):
        users, email = [make.user(), make.user()], f"wanted{number}@example.com"
        tokens = [requested_change(two_processes.database, user, email) for user in users]
        responses = clients.race(*(RaceRequest(CONFIRM, {"token": token}) for token in tokens))
        assert code_counts(responses) == {None: 1, "INVALID_TOKEN": 1}
        winner = next(user for user, response in zip(users, responses, strict=True) if response.code is None)
        assert count(two_processes, User, User.email == email, User.id == winner.id) == 1
        assert count(two_processes, UserTerm, UserTerm.term == f"wanted{number}") == 1
    assert count(two_processes, AuditEvent, AuditEvent.action == "account.email_changed") == rounds


def test_one_of_two_username_changes_is_made(two_processes: Cluster, make: Factories, clients: RaceClients) -> None:
    for number in range(race_rounds(10)):
        user = make.user()
        bearer = two_processes.session_issuer.sign_in(user).access_token
        names = [f"first{number}", f"second{number}"]
        responses = clients.race(*(RaceRequest(RENAME, {"name": name}, bearer) for name in names))
        assert code_counts(responses) == {None: 1, "RATE_LIMITED": 1}
        winner = next(name for name, response in zip(names, responses, strict=True) if response.code is None)
        assert count(two_processes, User, User.id == user.id, User.username == winner) == 1


def test_one_of_two_users_gets_the_same_username(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    for number in range(race_rounds(10)):
        tokens = [two_processes.access_token(make.user()) for _ in range(2)]
        responses = clients.race(*(RaceRequest(RENAME, {"name": f"Wanted{number}"}, token) for token in tokens))
        assert code_counts(responses) == {None: 1, "ALREADY_EXISTS": 1}


def test_sessions_that_end_each_other_fail_no_request(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    """The transactions lock the two sessions in opposite orders. A session that has just ended is UNAUTHENTICATED."""
    for _ in range(race_rounds(10)):
        issued = [two_processes.session_issuer.sign_in(user) for user in [make.user()] * 2]
        ids = [global_ids.encode("UserSession", session.actor.session_key or 0) for session in issued]
        responses = clients.race(
            RaceRequest(END, {"id": ids[1]}, issued[0].access_token),
            RaceRequest(END, {"id": ids[0]}, issued[1].access_token),
        )
        counts = code_counts(responses)
        assert counts[None] >= 1
        assert set(counts) <= {None, "UNAUTHENTICATED"}
