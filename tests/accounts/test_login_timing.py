"""Response times, which must not reveal whether an email address has an account."""

import itertools
import statistics
import time
from collections.abc import Callable, Iterator

import pytest

from tests.concurrency import RaceClients, RaceRequest, race_clients
from tests.factories import PASSWORD, Factories
from tests.processes import Cluster

pytestmark = [pytest.mark.slow, pytest.mark.alone]

SAMPLES = 25
MAX_ATTEMPTS = 4
"""Load on the machine can cause a difference once. A leak causes it every time."""
MAX_RELATIVE_DIFFERENCE, NEGLIGIBLE_SECONDS = 0.15, 0.003
LOGIN = """mutation ($email: String!, $password: String!) {
  login(input: {email: $email, password: $password}) { session { accessToken } errors { code path message } }
}"""
WRONG_PASSWORDS = {"ascii": "a wrong one", "decomposed": "a wro\u0301ng one"}
"""A password that normalization changes is tried in two spellings."""
REQUEST_RESET = "mutation ($email: String!) { requestPasswordReset(input: {email: $email}) { ok errors { code } } }"
REQUEST_CHANGE = """mutation ($email: String!, $password: String!) {
  requestEmailChange(input: {newEmail: $email, currentPassword: $password}) { ok errors { code } }
}"""
SendRequest = Callable[[str], None]


def seconds_of(send: SendRequest, email: str) -> float:
    started = time.perf_counter()
    send(email)
    return time.perf_counter() - started


def median_seconds(send: SendRequest, known_emails: list[str], unknown_emails: list[str]) -> tuple[float, float]:
    """Return the median times of known and unknown addresses.

    Known and unknown alternate, each first in turn, so that load on the machine slows both down alike.
    """
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for number, pair in enumerate(zip(known_emails, unknown_emails, strict=True)):
        for is_known in (True, False) if number % 2 else (False, True):
            seconds[is_known].append(seconds_of(send, pair[not is_known]))
    return statistics.median(seconds[True]), statistics.median(seconds[False])


def takes_equal_time(send: SendRequest, known_emails: list[str], unknown_emails: list[str]) -> bool:
    """Return whether any of several measurements shows no relevant difference."""
    for _ in range(MAX_ATTEMPTS):
        known_seconds, unknown_seconds = median_seconds(send, known_emails, unknown_emails)
        tolerance = max(MAX_RELATIVE_DIFFERENCE * max(known_seconds, unknown_seconds), NEGLIGIBLE_SECONDS)
        if abs(known_seconds - unknown_seconds) < tolerance:
            return True
        print(f"known {known_seconds * 1000:.2f} ms, unknown {unknown_seconds * 1000:.2f} ms")
    return False


@pytest.fixture
def client(two_processes: Cluster) -> Iterator[RaceClients]:
    with race_clients(two_processes.urls[:1], 1) as running:
        yield running


@pytest.fixture
def known_emails(two_processes: Cluster) -> list[str]:
    make = Factories(two_processes.database)
    return [str(make.user_with_password().email) for _ in range(SAMPLES)]


@pytest.fixture
def unknown_emails() -> list[str]:
    return [f"nobody{number}@example.com" for number in range(SAMPLES)]


@pytest.mark.parametrize("password", WRONG_PASSWORDS.values(), ids=WRONG_PASSWORDS)
def test_login_takes_equal_time_for_unknown_email(
    client: RaceClients, known_emails: list[str], unknown_emails: list[str], password: str
) -> None:
    def send(email: str) -> None:
        login = RaceRequest(LOGIN, {"email": email, "password": password})
        assert client.execute(login).code == "INVALID_CREDENTIALS"

    assert takes_equal_time(send, known_emails, unknown_emails)


def test_reset_request_takes_equal_time_for_unknown_email(
    client: RaceClients, known_emails: list[str], unknown_emails: list[str]
) -> None:
    def send(email: str) -> None:
        assert client.execute(RaceRequest(REQUEST_RESET, {"email": email})).code is None

    assert takes_equal_time(send, known_emails, unknown_emails)


def test_email_change_takes_equal_time_for_taken_address(
    two_processes: Cluster, client: RaceClients, known_emails: list[str], unknown_emails: list[str]
) -> None:
    """Each request is that of another user, because the requests of one user are limited."""
    make = Factories(two_processes.database)
    names = [f"asks{number}" for number in range(2 * SAMPLES)]
    users = [make.user_with_password(username=name, email=f"{name}@example.com") for name in names]
    tokens = itertools.cycle([two_processes.access_token(user) for user in users])

    def send(email: str) -> None:
        request = RaceRequest(REQUEST_CHANGE, {"email": email, "password": PASSWORD}, next(tokens))
        assert client.execute(request).code is None

    assert takes_equal_time(send, known_emails, unknown_emails)
