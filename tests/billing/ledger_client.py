"""A client for refunds and payouts, and a payment gateway whose answers a test decides."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

import pytest
from sqlalchemy import select, update

from lms_graphql.billing.gateways import registry
from lms_graphql.billing.gateways.interface import (
    Checkout,
    CheckoutRequest,
    Event,
    GatewayRejectedError,
    GatewayUnavailableError,
    InvalidWebhookError,
    RefundRequest,
    RefundResult,
)
from lms_graphql.billing.models import PaymentMethod, RefundStatus, Transaction
from lms_graphql.billing.services.gateway_calls import PaymentResources
from lms_graphql.catalog.models import Enrollment
from lms_graphql.core.actor import Role
from tests.billing.billing_client import MONEY, TRANSACTION, BillingClient
from tests.billing.ledger_factories import LedgerFactories, Sale
from tests.factories import Factories
from tests.live_service import Client, Service

PAYOUT = f"id reference amount {MONEY} commissionRate periodStart periodEnd status processedAt instructor {{ id }}"
TEACHING = f"""query Q {{ me {{ teaching {{
  balances {{ currency pending {MONEY} available {MONEY} paid {MONEY} }}
  earnings {{ nodes {{ netAmount {MONEY} amount {MONEY} status commissionRate payout {{ id }} }} }}
}} }} }}"""
REASON = "The course is not what I expected."


class LedgerClient(BillingClient):
    """One actor's mutations of refunds, payouts and commission rates."""

    documents: ClassVar[dict[str, tuple[str, str]]] = {
        **BillingClient.documents,
        "refundTransaction": ("RefundTransactionInput", TRANSACTION),
        "runPayouts": ("RunPayoutsInput", f"payouts {{ {PAYOUT} }}"),
        "settlePayout": ("SettlePayoutInput", f"payout {{ {PAYOUT} }}"),
        "setCommissionRate": ("SetCommissionRateInput", "user { id commissionRate }"),
    }

    def refund(self, sale: Sale, key: str = "a key", **input: Any) -> Any:
        """Refund a sale and return the transaction. Any error fails the test."""
        return self.ok("refundTransaction", **refund_input(sale, key, **input))

    def refund_errors(self, sale: Sale, key: str = "a key", **input: Any) -> list[tuple[str, str]]:
        return self.user_errors("refundTransaction", **refund_input(sale, key, **input))

    def run_payouts(self, period_end: datetime, key: str = "a key") -> Any:
        """Return the payouts of a run. Any error fails the test."""
        return self.ok("runPayouts", periodEnd=period_end.isoformat(), idempotencyKey=key)

    def teaching(self) -> Any:
        return self._service_client.execute(TEACHING, as_=self.actor)["me"]["teaching"]

    def balances(self) -> list[tuple[str, str, str, str]]:
        """Return currency, pending, available and paid of each balance."""
        names = ("pending", "available", "paid")
        return [
            (balance["currency"], *(balance[name]["amount"] for name in names))
            for balance in self.teaching()["balances"]
        ]

    def earnings(self) -> list[tuple[str, str, str]]:
        """Return net amount, amount and status of each earning, newest first."""
        nodes = self.teaching()["earnings"]["nodes"]
        return [(node["netAmount"]["amount"], node["amount"]["amount"], node["status"]) for node in nodes]


class Refunds:
    """A sale of 20.00 with its people."""

    def __init__(self, client: Client, make: Factories, ledger: LedgerFactories, **sale: Any) -> None:
        self.client, self.make, self.ledger = client, make, ledger
        self.sale: Sale = ledger.sale(**sale)
        self.buyer = LedgerClient(client, make.actor(self.sale.buyer))
        self.instructor = LedgerClient(client, make.actor(self.sale.course.instructor))
        self.admin = admin_client(client, make)

    def set(self, **values: Any) -> None:
        is_sale = Transaction.id == self.sale.transaction.id
        self.ledger.write(lambda session: session.execute(update(Transaction).where(is_sale).values(values)) and None)

    def enrollment(self) -> Enrollment:
        statement = select(Enrollment).where(Enrollment.user_id == self.sale.buyer.id)
        return self.ledger.write(lambda session: session.scalars(statement).one())

    def amounts(self) -> tuple[str, str, str]:
        """Return status, refunded and net amount of the transaction."""
        transaction = self.buyer.transaction(self.sale.id)
        amounts = (transaction[name]["amount"] for name in ("refundedAmount", "netAmount"))
        return transaction["status"], *amounts


def refund_input(sale: Sale, key: str, **input: Any) -> dict[str, Any]:
    return {"transactionId": sale.id, "reason": REASON, "idempotencyKey": key, **input}


def admin_client(client: Client, make: Factories) -> LedgerClient:
    return LedgerClient(client, make.actor(make.user(Role.SUPER_ADMIN)))


def payment_resources(service: Service) -> PaymentResources:
    """Return the resources with which maintenance calls gateways."""
    resources = service.resources
    return PaymentResources.create(service.database, resources.settings, resources.signer)


class ScriptedGateway:
    """A gateway that answers refunds as the test says. Like a real one, it makes a refund once by its reference."""

    method = PaymentMethod.FAKE

    def __init__(self) -> None:
        self.answer: RefundStatus | Exception = RefundStatus.SUCCEEDED
        self.refunded: dict[str, int] = {}
        """Amount by reference of the refunds that were made or begun."""
        self.call_count = 0

    def refund(self, request: RefundRequest) -> RefundResult:
        self.call_count += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        self.refunded[request.reference] = request.amount.units
        return RefundResult(self.answer, f"refund of {request.reference}")

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        return Checkout(request.reference, None)

    def expire_checkout(self, checkout_id: str) -> None:
        pass

    def fetch_checkout(self, checkout_id: str) -> Sequence[Event]:
        return ()

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Event]:
        raise InvalidWebhookError("The tests apply their events without HTTP.")


REJECTED, UNAVAILABLE = GatewayRejectedError("card_expired"), GatewayUnavailableError("timeout")


def use_gateway(monkeypatch: pytest.MonkeyPatch, gateway: ScriptedGateway) -> ScriptedGateway:
    """Let the service of this process use the gateway in place of the fake one."""
    monkeypatch.setitem(registry._ADAPTERS, PaymentMethod.FAKE, lambda *_: gateway)
    return gateway
