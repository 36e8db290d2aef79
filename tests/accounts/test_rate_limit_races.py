"""Rate limits of logins under concurrent guesses, on two processes of the service."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import func, select, text

from lms_graphql.accounts.models import AuditEvent
from tests.concurrency import RaceClients, RaceRequest, RaceResponse, code_counts, race_clients
from tests.factories import PASSWORD, Factories
from tests.processes import Cluster

pytestmark = pytest.mark.slow

CLIENTS = 40
MAX_FAILURES = 10
TIMEOUT_SECONDS = 30
LOGIN = """mutation ($email: String!, $password: String!) {
  login(input: {email: $email, password: $password}) { session { accessToken refreshToken } errors { code path } }
}"""
REFRESH = """mutation ($token: String!) {
  refreshSession(input: {refreshToken: $token}) { session { accessToken refreshToken } errors { code } }
}"""


@pytest.fixture
def make(two_processes: Cluster) -> Factories:
    return Factories(two_processes.database)


@pytest.fixture
def clients(two_processes: Cluster) -> Iterator[RaceClients]:
    with race_clients(two_processes.urls, CLIENTS) as clients:
        yield clients


def race_until_answered(clients: RaceClients, requests: Sequence[RaceRequest]) -> list[RaceResponse]:
    """Send all requests at once, and those again that got 503 because the hashing pool was full."""
    responses: list[RaceResponse] = []
    pending = list(requests)
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while pending:
        assert time.monotonic() < deadline, f"{len(pending)} requests got no answer."
        batch = clients.race(*pending)
        responses += [response for response in batch if response.status != 503]
        pending = [request for request, response in zip(pending, batch, strict=True) if response.status == 503]
    return responses


def wrong_login(email: str, number: int, **headers: str) -> RaceRequest:
    return RaceRequest(LOGIN, {"email": email, "password": f"a wrong one, number {number}"}, headers=headers)


def count_failures(cluster: Cluster) -> Any:
    failed = select(func.count()).where(AuditEvent.action == "account.sign_in_failed")
    return cluster.database.read_sync(lambda session: session.scalar(failed))


def count_deadlocks(cluster: Cluster) -> int:
    """Return the number of deadlocks since the database server started."""
    status = text("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'")
    return int(cluster.database.read_sync(lambda session: session.execute(status).one()[1]))


def test_concurrent_guesses_are_limited_like_sequential_ones(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    user = make.user_with_password()
    assert user.email is not None
    session = two_processes.session_issuer.sign_in(user)
    spellings = [user.email, user.email.upper(), f" {user.email} ", user.email.title()]
    requests = [wrong_login(spellings[number % 4], number) for number in range(CLIENTS)]
    responses = race_until_answered(clients, requests)
    assert code_counts(responses) == {"INVALID_CREDENTIALS": MAX_FAILURES, "RATE_LIMITED": CLIENTS - MAX_FAILURES}
    assert count_failures(two_processes) == MAX_FAILURES

    correct = RaceRequest(LOGIN, {"email": user.email, "password": PASSWORD})
    assert code_counts(race_until_answered(clients, [correct] * 4)) == {"RATE_LIMITED": 4}
    # Sessions stay valid, so guesses cannot log a user out.
    refreshed = clients.execute(RaceRequest(REFRESH, {"token": session.refresh_token}), 1)
    assert refreshed.code is None
    me = clients.execute(RaceRequest("{ me { id } }", bearer=refreshed.payload["session"]["accessToken"]))
    assert me.body["data"]["me"] is not None
    other_login = RaceRequest(LOGIN, {"email": make.user_with_password().email, "password": PASSWORD})
    assert code_counts(race_until_answered(clients, [other_login])) == {None: 1}


def test_forwarding_headers_do_not_evade_limit(two_processes: Cluster, make: Factories, clients: RaceClients) -> None:
    email = str(make.user().email)
    requests = [
        wrong_login(
            email,
            number,
            **{
                "x-forwarded-for": f"203.0.113.{number}",
                "forwarded": f"for=203.0.113.{number}",
                "x-real-ip": f"203.0.113.{number}",
            },
        )
        for number in range(CLIENTS)
    ]
    assert code_counts(race_until_answered(clients, requests))["INVALID_CREDENTIALS"] == MAX_FAILURES
    client_ips = select(AuditEvent.client_ip).distinct()
    assert two_processes.database.read_sync(lambda session: list(session.scalars(client_ips))) == ["127.0.0.1"]


def test_guesses_from_many_networks_are_limited_together(two_processes: Cluster, make: Factories) -> None:
    email = str(make.user().email)
    requests = [wrong_login(email, number) for number in range(CLIENTS)]
    with race_clients(two_processes.urls, CLIENTS, separate_networks=True) as clients:
        responses = race_until_answered(clients, requests)
    max_failures = two_processes.settings.login_failures_per_account_total
    assert code_counts(responses) == {"INVALID_CREDENTIALS": max_failures, "RATE_LIMITED": CLIENTS - max_failures}
    assert count_failures(two_processes) == max_failures


def test_guesses_at_unknown_email_are_limited_too(two_processes: Cluster, clients: RaceClients) -> None:
    responses = race_until_answered(clients, [wrong_login("nobody@example.com", number) for number in range(CLIENTS)])
    assert code_counts(responses) == {"INVALID_CREDENTIALS": MAX_FAILURES, "RATE_LIMITED": CLIENTS - MAX_FAILURES}


def test_concurrent_correct_logins_are_not_limited(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    """An attempt counts as failed only until its password is known to be right."""
    email = make.user_with_password().email
    correct = RaceRequest(LOGIN, {"email": email, "password": PASSWORD})
    assert clients.execute(correct).code is None
    before = count_deadlocks(two_processes)
    for _ in range(5):
        assert code_counts(race_until_answered(clients, [correct] * MAX_FAILURES)) == {None: MAX_FAILURES}
    assert count_failures(two_processes) == 0
    assert count_deadlocks(two_processes) == before, "all logins lock rows in one order"
    responses = race_until_answered(clients, [wrong_login(str(email), number) for number in range(CLIENTS)])
    assert code_counts(responses)["INVALID_CREDENTIALS"] == MAX_FAILURES
