"""Limits of failed logins by account and network, over real connections from several networks."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from lms_graphql.accounts.rate_limits import client_network
from lms_graphql.settings import Settings
from tests.accounts.session_client import error_code, login, login_as, new_session, refresh, user_errors
from tests.factories import Factories
from tests.live_service import Client, Service, run_service

WRONG = "a wrong password"
Connect = Callable[[str], Client]


@pytest.fixture
def limited_service(service: Service, service_settings: Settings) -> Iterator[Service]:
    """Run a service with low limits on the empty database of the tests."""
    limits = {
        "login_failures_per_account": 2,
        "login_failures_per_account_total": 4,
        "login_failures_per_address": 5,
    }
    with run_service(service_settings.model_copy(update=limits)) as running:
        yield running


@pytest.fixture
def connect(limited_service: Service) -> Iterator[Connect]:
    """Return a function that makes a client with this address."""
    with ExitStack() as clients:

        def new_client(local_address: str) -> Client:
            client = Client(limited_service, local_address)
            clients.callback(client.close)
            return client

        yield new_client


def test_failures_in_one_network_do_not_block_other_networks(connect: Connect, make: Factories) -> None:
    attacker, neighbor, user_client = connect("127.0.1.1"), connect("127.0.1.254"), connect("127.0.2.1")
    user = make.user_with_password()
    session = new_session(user_client, user)
    codes = [error_code(login(client, user, WRONG)) for client in (attacker, neighbor, attacker, neighbor)]
    assert codes == ["INVALID_CREDENTIALS"] * 2 + ["RATE_LIMITED"] * 2, "both are in one /24 network"
    assert login(user_client, user)["session"] is not None
    assert refresh(user_client, session["refreshToken"])["session"] is not None


def test_failures_of_account_are_limited_over_all_networks(connect: Connect, make: Factories) -> None:
    user, other_user = make.user_with_password(), make.user_with_password()
    user_client = connect("127.0.9.1")
    session = new_session(user_client, user)
    codes = [error_code(login(connect(f"127.0.{number}.1"), user, WRONG)) for number in range(1, 6)]
    assert codes == ["INVALID_CREDENTIALS"] * 4 + ["RATE_LIMITED"]
    assert user_errors(login(user_client, user)) == [("RATE_LIMITED", None)]
    assert login(user_client, other_user)["session"] is not None
    assert refresh(user_client, session["refreshToken"])["session"] is not None, "a session cannot be locked out"


def test_failures_of_network_are_limited_over_all_accounts(connect: Connect, make: Factories) -> None:
    first, second = connect("127.0.1.1"), connect("127.0.1.2")
    codes = [error_code(login_as(first, f"nobody{number}@example.com", WRONG)) for number in range(5)]
    assert codes == ["INVALID_CREDENTIALS"] * 5
    user = make.user_with_password()
    assert user_errors(login(second, user)) == [("RATE_LIMITED", None)]
    assert login(connect("127.0.2.1"), user)["session"] is not None


def test_rejected_attempts_do_not_count_elsewhere(connect: Connect, make: Factories) -> None:
    """Otherwise an attacker in one network would use up the limit of the account."""
    attacker, user = connect("127.0.1.1"), make.user_with_password()
    for _ in range(10):
        login(attacker, user, WRONG)
    assert error_code(login(connect("127.0.2.1"), user, WRONG)) == "INVALID_CREDENTIALS"
    assert login(connect("127.0.3.1"), user)["session"] is not None


@pytest.mark.parametrize(
    ("client_ip", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("unix socket", "unix socket"),
        ("", ""),
    ],
)
def test_client_network_is_first_part_of_address(client_ip: str, network: str) -> None:
    assert client_network(client_ip) == network
