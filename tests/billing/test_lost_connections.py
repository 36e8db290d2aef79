"""The connection to the database is lost before or after a COMMIT. A repeated request or webhook has one effect."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from lms_graphql.billing.ledger_models import Earning, InstructorPayout
from lms_graphql.billing.models import FakePayment, FakeRefund, Payment, Refund, Transaction
from lms_graphql.catalog.models import Enrollment
from lms_graphql.core import clock
from tests.billing.billing_client import BillingClient, FakeGatewayClient, purchase_input, settle_silently
from tests.billing.conftest import PRICE
from tests.billing.ledger_client import admin_client, refund_input
from tests.billing.ledger_factories import LedgerFactories
from tests.concurrency import race_rounds
from tests.database_proxy import Cut, DatabaseProxy, run_database_proxy
from tests.factories import Factories
from tests.live_service import Client, Service, run_service
from tests.mariadb import MariaDB

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("service_settings", ["mariadb"], indirect=True),
    pytest.mark.parametrize("cut", Cut),
]

ROUNDS = race_rounds(1)
"""100 rounds were run after the first version."""
COMMITS_OF_PURCHASE = 3
"""The purchase, the checkout at the fake gateway, and the stored checkout."""
COMMITS_OF_REFUND = 3
"""The refund, the one at the fake gateway, and its result."""


class ProxiedService(NamedTuple):
    """Clients of a service that reaches its database by a proxy. `direct` is a service without the proxy."""

    direct: Service
    proxy: DatabaseProxy
    client: Client
    gateway: FakeGatewayClient
    make: Factories

    def count(self, table: Any) -> int:
        statement = select(func.count()).select_from(table)
        return self.direct.database.read_sync(lambda session: session.scalar(statement)) or 0


@pytest.fixture
def service_behind_proxy(
    service: Service, mariadb_server: MariaDB, make: Factories, no_background_commits: None
) -> Iterator[ProxiedService]:
    with run_database_proxy(mariadb_server.port) as proxy:
        url = make_url(service.resources.settings.database_url or "").set(port=proxy.port)
        changed = {"database_url": url.render_as_string(hide_password=False)}
        with run_service(service.resources.settings.model_copy(update=changed)) as proxied:
            client, gateway = Client(proxied), FakeGatewayClient.of(proxied)
            yield ProxiedService(service, proxy, client, gateway, make)
            client.close()
            gateway.close()


@pytest.mark.parametrize("commits_before_cut", range(COMMITS_OF_PURCHASE))
def test_repeated_purchase_has_one_effect(
    service_behind_proxy: ProxiedService, cut: Cut, commits_before_cut: int
) -> None:
    service = service_behind_proxy
    for number in range(1, ROUNDS + 1):
        course = service.make.course(price=PRICE)
        buyer = BillingClient(service.client, service.make.actor(service.make.user()))
        service.proxy.commits_before_cut, service.proxy.next_cut = commits_before_cut, cut
        buyer.graphql("purchaseCourse", **purchase_input(course))
        assert service.proxy.next_cut is None, "the connection was not cut"
        service.proxy.is_refusing = False
        repeated = buyer.purchase(course)
        assert repeated["checkoutUrl"] is not None
        assert buyer.purchase(course) == repeated
        assert [service.count(table) for table in (Transaction, FakePayment)] == [number, number]


def test_repeated_webhook_has_one_effect(service_behind_proxy: ProxiedService, cut: Cut) -> None:
    service, gateway = service_behind_proxy, service_behind_proxy.gateway
    for number in range(1, ROUNDS + 1):
        course = service.make.course(price=PRICE)
        buyer = BillingClient(service.client, service.make.actor(service.make.user()))
        id = buyer.purchase(course)["transaction"]["id"]
        event = settle_silently(service.direct, id)
        service.proxy.next_cut = cut
        expected = 200 if cut is Cut.AFTER_ANSWER else 503
        assert gateway.send(event).status_code == expected
        service.proxy.is_refusing = False
        assert gateway.send(event).status_code == 200
        assert buyer.transaction(id)["status"] == "COMPLETED"
        assert [service.count(table) for table in (Payment, Enrollment, Earning)] == [number] * 3


@pytest.mark.parametrize("commits_before_cut", range(COMMITS_OF_REFUND))
def test_repeated_refund_has_one_effect(
    service_behind_proxy: ProxiedService, cut: Cut, commits_before_cut: int
) -> None:
    service = service_behind_proxy
    ledger, admin = LedgerFactories(service.make, service.direct.database), admin_client(service.client, service.make)
    for number in range(1, ROUNDS + 1):
        sale = ledger.sale()
        request = refund_input(sale, f"key {number}", amount="5.00")
        service.proxy.commits_before_cut, service.proxy.next_cut = commits_before_cut, cut
        admin.graphql("refundTransaction", **request)
        assert service.proxy.next_cut is None, "the connection was not cut"
        service.proxy.is_refusing = False
        repeated = admin.ok("refundTransaction", **request)
        assert (repeated["status"], repeated["refundedAmount"]["amount"]) == ("PARTIALLY_REFUNDED", "5.00")
        assert admin.ok("refundTransaction", **request) == repeated
        assert [service.count(table) for table in (Refund, FakeRefund)] == [number, number]
        assert ledger.problems() == []


def test_repeated_payout_run_has_one_effect(service_behind_proxy: ProxiedService, cut: Cut) -> None:
    service = service_behind_proxy
    ledger, admin = LedgerFactories(service.make, service.direct.database), admin_client(service.client, service.make)
    for number in range(1, ROUNDS + 1):
        ledger.sale("100.00", days_ago=31)
        request = {"periodEnd": clock.now().isoformat(), "idempotencyKey": f"key {number}"}
        service.proxy.commits_before_cut, service.proxy.next_cut = 0, cut
        admin.graphql("runPayouts", **request)
        assert service.proxy.next_cut is None, "the connection was not cut"
        service.proxy.is_refusing = False
        (payout,) = admin.ok("runPayouts", **request)
        assert admin.ok("runPayouts", **request) == [payout]
        assert (payout["amount"]["amount"], service.count(InstructorPayout)) == ("70.00", number)
        assert ledger.problems() == []
