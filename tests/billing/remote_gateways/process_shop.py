"""Purchases on real service processes that use Stripe's and PayPal's doubles, and a process that reconciles."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from sqlalchemy import func, select, update

from lms_graphql.accounts.models import User
from lms_graphql.billing.ledger_models import Earning
from lms_graphql.billing.models import Payment, PaymentOutcome, Refund, Transaction, TransactionStatus
from lms_graphql.catalog.models import Enrollment, EnrollmentStatus
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Role
from tests.billing.billing_client import purchase_request
from tests.billing.ledger_factories import LedgerFactories
from tests.billing.remote_gateways.gateways import RemoteGateway, Webhook
from tests.cli import NO_SETTINGS
from tests.concurrency import RaceRequest, RaceResponse
from tests.factories import CourseTree, Factories
from tests.live_service import plain_http
from tests.processes import Cluster

ROOT = Path(__file__).parents[3]
WORKER = "tests.billing.remote_gateways.reconciliation_worker"
PRICE = 1999
AMOUNT = "19.99"


class Purchase(NamedTuple):
    """A purchase that was started. `key` is that of its transaction, `checkout_id` that of the gateway."""

    key: int
    checkout_id: str


class PurchaseState(NamedTuple):
    """Result of a purchase. `payments` has their outcomes, `refunds` their number, and `earnings` their amounts."""

    status: TransactionStatus
    payments: list[PaymentOutcome]
    refunds: int
    enrollments: list[EnrollmentStatus]
    earnings: list[int]


COMPLETED = PurchaseState(
    TransactionStatus.COMPLETED, [PaymentOutcome.BOOKED], 0, [EnrollmentStatus.ACTIVE], [int(PRICE * 0.7 + 0.5)]
)


class ProcessShop:
    """A buyer and a super admin of a cluster. Each request has a connection of its own, to the process `number`."""

    def __init__(self, cluster: Cluster, gateway: RemoteGateway) -> None:
        self.cluster, self.gateway = cluster, gateway
        self.make = Factories(cluster.database)
        self.ledger = LedgerFactories(self.make, cluster.database)
        self.buyer = self.make.user()
        self.buyer_token = cluster.access_token(self.buyer)
        self.admin_token = cluster.access_token(self.make.user(Role.SUPER_ADMIN))

    def course(self, instructor: User | None = None) -> CourseTree:
        return self.make.course(price=PRICE, instructor=instructor)

    def purchase_request(self, course: CourseTree) -> RaceRequest:
        return purchase_request(course, self.buyer_token, paymentMethod=self.gateway.method.value.upper())

    def execute(self, request: RaceRequest, number: int = 0) -> RaceResponse:
        with plain_http(self.cluster.urls[number]) as http:
            response = http.send(request.build(http))
        return RaceResponse(response.status_code, response.json())

    def purchase(self, course: CourseTree) -> Purchase:
        response = self.execute(self.purchase_request(course))
        assert response.code is None
        key = global_ids.decode_key("Transaction", response.payload["transaction"]["id"]) or 0
        (checkout_id,) = self.scalars(select(Transaction.gateway_transaction_id).where(Transaction.id == key))
        return Purchase(key, checkout_id)

    def send(self, webhook: Webhook, number: int = 0) -> int:
        """Send a webhook, and return the status of the response."""
        headers, body = webhook
        with plain_http(self.cluster.urls[number]) as http:
            path = f"/webhooks/{self.gateway.method.value}"
            return http.post(path, headers=headers, content=body).status_code

    def come_back(self, checkout_id: str, number: int = 0) -> int:
        """Go to the page to which the gateway sends buyers, and return the status of the response."""
        path = httpx.URL(self.gateway.return_url(checkout_id)).path
        with plain_http(self.cluster.urls[number]) as http:
            return http.get(path).status_code

    def let_reconciliation_be_due(self, purchase: Purchase) -> None:
        statement = update(Transaction).where(Transaction.id == purchase.key).values(next_check_at=clock.now())
        self.cluster.database.write_sync(lambda session: session.execute(statement) and None)

    def state(self, purchase: Purchase) -> PurchaseState:
        course_key, status = self.cluster.database.read_sync(
            lambda session: session.execute(
                select(Transaction.course_id, Transaction.status).where(Transaction.id == purchase.key)
            ).one()
        )
        return PurchaseState(
            status,
            self.scalars(select(Payment.outcome).where(Payment.transaction_id == purchase.key)),
            self.count(select(func.count()).where(Refund.transaction_id == purchase.key)),
            self.scalars(select(Enrollment.status).where(Enrollment.course_id == course_key)),
            self.scalars(select(Earning.amount).where(Earning.transaction_id == purchase.key)),
        )

    def scalars(self, statement: Any) -> list[Any]:
        return self.cluster.database.read_sync(lambda session: list(session.scalars(statement)))

    def count(self, statement: Any) -> int:
        return int(self.scalars(statement)[0])


class ReconciliationWorker:
    """A process that asks the gateways about all payments that are due, once for each line that it reads."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def reconcile(self) -> int:
        """Return the number of events."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(flush=True, file=self._process.stdin)
        return int(self._process.stdout.readline())


@contextmanager
def run_reconciliation_worker(cluster: Cluster) -> Iterator[ReconciliationWorker]:
    environment = {key: value for key, value in os.environ.items() if key not in NO_SETTINGS}
    process = subprocess.Popen(
        [sys.executable, "-m", WORKER],
        cwd=ROOT,
        env=environment | cluster.variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    worker = ReconciliationWorker(process)
    try:
        worker.reconcile()
        yield worker
    finally:
        process.communicate(timeout=60)
