"""A course with a price and its buyer, the fake gateway, and sales for tests of the ledger."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from lms_graphql.accounts.models import User
from lms_graphql.core.actor import Role
from tests.billing.billing_client import BillingClient, FakeGatewayClient
from tests.billing.gateway_adapters import Adapter, PayPalAdapter, StripeAdapter
from tests.billing.ledger_client import Refunds
from tests.billing.ledger_factories import LedgerFactories
from tests.factories import CourseTree, Factories
from tests.live_service import Client, Service

PRICE = 1999


class Shop(NamedTuple):
    """A course to buy, with a client for each of its people."""

    course: CourseTree
    buyer: BillingClient
    buyer_user: User
    instructor: BillingClient
    admin: BillingClient
    gateway: FakeGatewayClient
    client: Client
    make: Factories
    service: Service

    def other_buyer(self) -> BillingClient:
        return BillingClient(self.client, self.make.actor(self.make.user()))


@pytest.fixture
def shop(client: Client, make: Factories, service: Service, gateway: FakeGatewayClient) -> Shop:
    course, buyer, admin = make.course(price=PRICE), make.user(), make.user(Role.SUPER_ADMIN)
    clients = {user.id: BillingClient(client, make.actor(user)) for user in (buyer, course.instructor, admin)}
    people = (clients[buyer.id], buyer, clients[course.instructor.id], clients[admin.id])
    return Shop(course, *people, gateway, client, make, service)


@pytest.fixture
def gateway(service: Service) -> Iterator[FakeGatewayClient]:
    gateway = FakeGatewayClient.of(service)
    yield gateway
    gateway.close()


@pytest.fixture
def ledger(service: Service, make: Factories) -> LedgerFactories:
    return LedgerFactories(make, service.database)


@pytest.fixture
def refunds(client: Client, make: Factories, ledger: LedgerFactories) -> Refunds:
    return Refunds(client, make, ledger)


@pytest.fixture
def stripe() -> Iterator[StripeAdapter]:
    adapter = StripeAdapter()
    with adapter.double.running():
        yield adapter


@pytest.fixture
def paypal() -> Iterator[PayPalAdapter]:
    adapter = PayPalAdapter()
    with adapter.double.running():
        yield adapter


@pytest.fixture(params=["stripe", "paypal"])
def adapter(request: pytest.FixtureRequest) -> Adapter:
    adapter: Adapter = request.getfixturevalue(request.param)
    return adapter
