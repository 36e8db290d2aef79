"""How long an answer takes tells no more than the answer: not whether an address has an account."""

import statistics
import time
from collections.abc import Callable, Iterator

import pytest

from tests.concurrency import RaceRequest, Racers, racers
from tests.factories import Factories
from tests.processes import Fleet

pytestmark = [pytest.mark.slow, pytest.mark.alone]

SAMPLES = 25
TRIES = 4
"""A machine that does something else meanwhile is no leak: a real difference shows every time."""
MOST_APART, NOT_WORTH_SECONDS = 0.15, 0.003
LOGIN = """mutation ($email: String!) {
  login(input: {email: $email, password: "a wrong one"}) { session { accessToken } errors { code path message } }
}"""
FORGOTTEN = "mutation ($email: String!) { requestPasswordReset(input: {email: $email}) { ok errors { code } } }"
Timed = Callable[[str], None]


def seconds(ask: Timed, email: str) -> float:
    began = time.perf_counter()
    ask(email)
    return time.perf_counter() - began


def medians(ask: Timed, known: list[str], unknown: list[str]) -> tuple[float, float]:
    """In turns, and each time the other first, so that whatever slows one down slows the other down as well."""
    taken: dict[bool, list[float]] = {True: [], False: []}
    for number, pair in enumerate(zip(known, unknown, strict=True)):
        for is_known in (True, False) if number % 2 else (False, True):
            taken[is_known].append(seconds(ask, pair[not is_known]))
    return statistics.median(taken[True]), statistics.median(taken[False])


def are_alike(ask: Timed, known: list[str], unknown: list[str]) -> bool:
    for _ in range(TRIES):
        one, other = medians(ask, known, unknown)
        if abs(one - other) < max(MOST_APART * max(one, other), NOT_WORTH_SECONDS):
            return True
        print(f"known {one * 1000:.2f} ms, unknown {other * 1000:.2f} ms")
    return False


@pytest.fixture
def client(two_processes: Fleet) -> Iterator[Racers]:
    with racers(two_processes.urls[:1], 1) as running:
        yield running


@pytest.fixture
def known(two_processes: Fleet) -> list[str]:
    make = Factories(two_processes.database)
    return [str(make.person().email) for _ in range(SAMPLES)]


@pytest.fixture
def unknown() -> list[str]:
    return [f"nobody{number}@example.com" for number in range(SAMPLES)]


def test_a_wrong_password_takes_as_long_as_a_wrong_address(
    client: Racers, known: list[str], unknown: list[str]
) -> None:
    def ask(email: str) -> None:
        assert client.execute(RaceRequest(LOGIN, {"email": email})).code == "INVALID_CREDENTIALS"

    assert are_alike(ask, known, unknown)


def test_to_forget_a_password_takes_as_long_for_nobody(client: Racers, known: list[str], unknown: list[str]) -> None:
    def ask(email: str) -> None:
        assert client.execute(RaceRequest(FORGOTTEN, {"email": email})).code is None

    assert are_alike(ask, known, unknown)
