"""Guessing at passwords with all one has, on two processes of the service."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import func, select, text

from lms_graphql.accounts.models import AuditEvent
from tests.concurrency import RaceRequest, RaceResponse, Racers, racers
from tests.factories import PASSWORD, Factories
from tests.processes import Fleet

pytestmark = pytest.mark.slow

CLIENTS = 40
ALLOWED = 10
PATIENCE_SECONDS = 30
LOGIN = """mutation ($email: String!, $password: String!) {
  login(input: {email: $email, password: $password}) { session { accessToken refreshToken } errors { code path } }
}"""
REFRESH = """mutation ($token: String!) {
  refreshSession(input: {refreshToken: $token}) { session { accessToken refreshToken } errors { code } }
}"""


@pytest.fixture
def make(two_processes: Fleet) -> Factories:
    return Factories(two_processes.database)


@pytest.fixture
def many(two_processes: Fleet) -> Iterator[Racers]:
    with racers(two_processes.urls, CLIENTS) as running:
        yield running


def all_answers(many: Racers, asks: Sequence[RaceRequest]) -> list[RaceResponse]:
    """Who is sent away because too many are at it comes again, as often as it takes."""
    answers: list[RaceResponse] = []
    left = list(asks)
    until = time.monotonic() + PATIENCE_SECONDS
    while left:
        assert time.monotonic() < until, f"{len(left)} have no answer."
        tried = many.race(*left)
        answers += [answer for answer in tried if answer.status != 503]
        left = [ask for ask, answer in zip(left, tried, strict=True) if answer.status == 503]
    return answers


def wrong(email: str, number: int, **headers: str) -> RaceRequest:
    return RaceRequest(LOGIN, {"email": email, "password": f"a wrong one, number {number}"}, headers=headers)


def codes(answers: Sequence[RaceResponse]) -> Counter[str | None]:
    return Counter(answer.code for answer in answers)


def failures(fleet: Fleet) -> Any:
    failed = select(func.count()).where(AuditEvent.action == "account.sign_in_failed")
    return fleet.database.read_sync(lambda session: session.scalar(failed))


def deadlocks(fleet: Fleet) -> int:
    """How often the server had to break one since it started."""
    status = text("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'")
    return int(fleet.database.read_sync(lambda session: session.execute(status).one()[1]))


def test_guesses_at_once_are_as_few_as_one_after_another(two_processes: Fleet, make: Factories, many: Racers) -> None:
    user = make.person()
    assert user.email is not None
    at_home = two_processes.reception.sign_in(user)
    spellings = [user.email, user.email.upper(), f" {user.email} ", user.email.title()]
    answers = all_answers(many, [wrong(spellings[number % 4], number) for number in range(CLIENTS)])
    assert codes(answers) == {"INVALID_CREDENTIALS": ALLOWED, "RATE_LIMITED": CLIENTS - ALLOWED}
    assert failures(two_processes) == ALLOWED

    right = RaceRequest(LOGIN, {"email": user.email, "password": PASSWORD})
    assert codes(all_answers(many, [right] * 4)) == {"RATE_LIMITED": 4}
    # Whoever is signed in stays so: nobody locks them out by guessing.
    refreshed = many.execute(RaceRequest(REFRESH, {"token": at_home.refresh_token}), 1)
    assert refreshed.code is None
    asked = many.execute(RaceRequest("{ me { id } }", bearer=refreshed.payload["session"]["accessToken"]))
    assert asked.body["data"]["me"] is not None
    other = make.person()
    assert codes(all_answers(many, [RaceRequest(LOGIN, {"email": other.email, "password": PASSWORD})])) == {None: 1}


def test_headers_that_say_another_address_change_nothing(two_processes: Fleet, make: Factories, many: Racers) -> None:
    email = str(make.user().email)
    asks = [
        wrong(
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
    assert codes(all_answers(many, asks))["INVALID_CREDENTIALS"] == ALLOWED
    origins = select(AuditEvent.client_ip).distinct()
    assert two_processes.database.read_sync(lambda session: list(session.scalars(origins))) == ["127.0.0.1"]


def test_an_address_without_an_account_is_throttled_alike(two_processes: Fleet, many: Racers) -> None:
    answers = all_answers(many, [wrong("nobody@example.com", number) for number in range(CLIENTS)])
    assert codes(answers) == {"INVALID_CREDENTIALS": ALLOWED, "RATE_LIMITED": CLIENTS - ALLOWED}


def test_who_signs_in_rightly_many_times_at_once_is_not_shut_out(
    two_processes: Fleet, make: Factories, many: Racers
) -> None:
    """A try counts as failed only while it is not known to be right."""
    email = make.person().email
    right = RaceRequest(LOGIN, {"email": email, "password": PASSWORD})
    assert many.execute(right).code is None
    before = deadlocks(two_processes)
    for _ in range(5):
        assert codes(all_answers(many, [right] * ALLOWED)) == {None: ALLOWED}
    assert failures(two_processes) == 0
    assert deadlocks(two_processes) == before, "they wait for one another in one order"
    answers = all_answers(many, [wrong(str(email), number) for number in range(CLIENTS)])
    assert codes(answers)["INVALID_CREDENTIALS"] == ALLOWED
