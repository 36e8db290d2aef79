"""A course with a price, its buyer, and the fake gateway."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from lms_graphql.accounts.models import User
from lms_graphql.core.actor import Role
from tests.billing.billing_client import BillingClient, FakeGatewayClient
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
