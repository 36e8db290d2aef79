"""A service with Stripe and PayPal, which are doubles, and what happens there."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from lms_graphql.billing.models import Transaction
from lms_graphql.settings import GatewayName, Settings
from tests.billing.conftest import Shop
from tests.billing.doubles.paypal_double import PayPalDouble
from tests.billing.doubles.stripe_double import StripeDouble
from tests.billing.ledger_client import LedgerClient
from tests.billing.remote_gateways.gateways import Doubles, PayPal, RemoteGateway, Stripe, Webhook, accounts
from tests.billing.remote_gateways.process_shop import ProcessShop
from tests.conftest import DATABASES, migrated_settings
from tests.live_service import Service, plain_http, run_service
from tests.mail_servers import Mailbox
from tests.mariadb import MariaDB
from tests.processes import Cluster, run_cluster


class RemoteShop:
    """A remote gateway with the service that uses it, and a course to buy."""

    def __init__(self, gateway: RemoteGateway, shop: Shop, http: httpx.Client) -> None:
        self.gateway = gateway
        self.shop = shop
        self.http = http

    def send(self, webhook: Webhook, gateway: str | None = None) -> int:
        """Send a webhook to the service, and return the status of the response."""
        headers, body = webhook
        path = f"/webhooks/{gateway or self.gateway.method.value}"
        return self.http.post(path, headers=headers, content=body).status_code

    def purchase(self, **input: Any) -> Any:
        method = self.gateway.method.value.upper()
        return self.shop.buyer.purchase(self.shop.course, **{"paymentMethod": method, **input})

    def paid(self, key: str = "key") -> Any:
        """Buy the course and pay, and return the transaction."""
        transaction = self.purchase(idempotencyKey=key)["transaction"]
        assert self.send(self.gateway.pay(self.checkout_id(transaction))) == 200
        return self.shop.buyer.transaction(transaction["id"])

    def return_from_gateway(self, transaction: Any) -> httpx.Response:
        """Go where the gateway sends the buyer after the payment."""
        url = httpx.URL(self.gateway.return_url(self.checkout_id(transaction)))
        assert str(url).startswith(self.shop.service.resources.settings.service_url)
        return self.http.get(url.path)

    def transaction(self, transaction: Any) -> Any:
        return self.shop.buyer.transaction(transaction["id"])

    def refund(self, transaction: Any, key: str, **input: Any) -> Any:
        """Refund as a super admin, and return the transaction."""
        admin = LedgerClient(self.shop.client, self.shop.admin.actor)
        return admin.ok(
            "refundTransaction", transactionId=transaction["id"], reason="Goodwill", idempotencyKey=key, **input
        )

    def checkout_id(self, transaction: Any) -> str:
        is_it = Transaction.transaction_id == transaction["reference"]
        statement = select(Transaction.gateway_transaction_id).where(is_it)
        checkout_id = self.shop.service.database.read_sync(lambda session: session.scalar(statement))
        assert checkout_id is not None
        return checkout_id


@pytest.fixture(scope="package")
def doubles() -> Iterator[Doubles]:
    doubles = Doubles(StripeDouble(), PayPalDouble())
    with doubles.stripe.running(), doubles.paypal.running():
        yield doubles


@pytest.fixture(scope="package", params=DATABASES)
def gateway_settings(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    doubles: Doubles,
    service_mail_server: tuple[Mailbox, str],
) -> Settings:
    gateways = (GatewayName.STRIPE, GatewayName.PAYPAL, GatewayName.FAKE)
    changes = {"smtp_url": service_mail_server[1], "payment_gateways": gateways, **accounts(doubles)}
    return migrated_settings(request, tmp_path_factory, "lms_gateways").model_copy(update=changes)


@pytest.fixture(scope="package")
def running_service(gateway_settings: Settings) -> Iterator[Service]:
    with run_service(gateway_settings) as service:
        yield service


@pytest.fixture(params=["stripe", "paypal"])
def remote_gateway(request: pytest.FixtureRequest, doubles: Doubles) -> RemoteGateway:
    gateway = Stripe(doubles.stripe) if request.param == "stripe" else PayPal(doubles.paypal)
    gateway.double.faults.clear()
    return gateway


@pytest.fixture
def remote(remote_gateway: RemoteGateway, shop: Shop) -> Iterator[RemoteShop]:
    gateway, http = remote_gateway, plain_http(shop.service.url)
    yield RemoteShop(gateway, shop, http)
    http.close()


@pytest.fixture(scope="package")
def gateway_cluster(
    mariadb_server: MariaDB, tmp_path_factory: pytest.TempPathFactory, doubles: Doubles
) -> Iterator[Cluster]:
    """Run two service processes on one MariaDB, which use the doubles."""
    url, folder = mariadb_server.new_database("lms_gateway_cluster"), tmp_path_factory.mktemp("gateway_cluster")
    settings = {f"LMS_{name.upper()}": value for name, value in accounts(doubles).items()}
    settings |= {"LMS_PAYMENT_GATEWAYS": "stripe,paypal", "LMS_ACCESS_TOKEN_MINUTES": "1440"}
    with run_cluster(folder, url, 2, **settings) as cluster:
        yield cluster


@pytest.fixture
def process_shop(gateway_cluster: Cluster, remote_gateway: RemoteGateway) -> ProcessShop:
    gateway_cluster.delete_all_rows()
    return ProcessShop(gateway_cluster, remote_gateway)
