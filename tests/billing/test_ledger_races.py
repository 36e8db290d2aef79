"""Races of refunds and payouts on two processes of the service.

The races of payout runs are lost if a run reads earnings before it locks them, as was tried. Those of refunds were
not lost without the lock of the transaction: `innodb_snapshot_isolation` makes the later one start again.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from lms_graphql.accounts.models import User
from lms_graphql.billing.ledger_models import InstructorPayout
from lms_graphql.billing.models import FakePayment, FakeRefund, Refund
from lms_graphql.core import clock
from lms_graphql.core.actor import Role
from tests.billing.ledger_client import refund_input
from tests.billing.ledger_factories import LedgerFactories, Sale
from tests.concurrency import RaceClients, RaceRequest, code_counts, race_clients, race_rounds
from tests.factories import Factories, global_id
from tests.processes import Cluster

pytestmark = pytest.mark.slow

CLIENTS = 10
ROUNDS = race_rounds(10)
"""Run 300 rounds after a change of refunds or payouts."""
TRANSACTION = "transaction { id status netAmount { amount } refunds { id status amount { amount } } }"
PAYOUTS = "payouts { id amount { amount } }"


@pytest.fixture
def make(two_processes: Cluster) -> Factories:
    return Factories(two_processes.database)


@pytest.fixture
def ledger(two_processes: Cluster, make: Factories) -> LedgerFactories:
    return LedgerFactories(make, two_processes.database)


@pytest.fixture
def clients(two_processes: Cluster) -> Iterator[RaceClients]:
    with race_clients(two_processes.urls, CLIENTS) as clients:
        yield clients


@pytest.fixture
def bearer(two_processes: Cluster, make: Factories) -> str:
    """Return an access token of a super admin."""
    return two_processes.access_token(make.user(Role.SUPER_ADMIN))


@pytest.fixture
def instructor(make: Factories) -> User:
    return make.user(Role.INSTRUCTOR)


def request(mutation: str, input_type: str, selection: str, bearer: str, **input: Any) -> RaceRequest:
    fields = f"{selection} errors {{ code path }}"
    document = f"mutation M($input: {input_type}!) {{ {mutation}(input: $input) {{ {fields} }} }}"
    return RaceRequest(document, {"input": input}, bearer)


def refund(sale: Sale, bearer: str, key: str, **input: Any) -> RaceRequest:
    values = refund_input(sale, key, **input)
    return request("refundTransaction", "RefundTransactionInput", TRANSACTION, bearer, **values)


def run_payouts(bearer: str, key: str) -> RaceRequest:
    values = {"periodEnd": (clock.now() + timedelta(days=1)).isoformat(), "idempotencyKey": key}
    return request("runPayouts", "RunPayoutsInput", PAYOUTS, bearer, **values)


def refunded_at_gateway(ledger: LedgerFactories, sale: Sale) -> int:
    amounts = select(FakeRefund.amount).join(FakePayment, FakePayment.id == FakeRefund.payment_id)
    of_sale = amounts.where(FakePayment.reference == sale.transaction.transaction_id)
    return ledger.write(lambda session: sum(session.scalars(of_sale)))


def test_equal_keys_make_one_refund_and_equal_answers(
    ledger: LedgerFactories, clients: RaceClients, bearer: str
) -> None:
    for number in range(ROUNDS):
        sale = ledger.sale()
        amount = {} if number % 2 else {"amount": "6.00"}
        responses = clients.race(*[refund(sale, bearer, f"key {number}", **amount)] * CLIENTS)
        assert code_counts(responses) == {None: CLIENTS}
        assert all(response.body == responses[0].body for response in responses)
        transaction = responses[0].payload["transaction"]
        assert [refund["status"] for refund in transaction["refunds"]] == ["SUCCEEDED"]
        assert refunded_at_gateway(ledger, sale) == (600 if amount else 2000)
    assert ledger.count(Refund) == ROUNDS
    assert ledger.problems() == []


def test_refunds_never_exceed_the_payment(ledger: LedgerFactories, clients: RaceClients, bearer: str) -> None:
    for number in range(ROUNDS):
        sale = ledger.sale()
        parts = [refund(sale, bearer, f"{number}.{client}", amount="6.00") for client in range(CLIENTS)]
        assert code_counts(clients.race(*parts)) == {None: 3, "OUT_OF_RANGE": 7}
        assert refunded_at_gateway(ledger, sale) == 1800
        rest = [refund(sale, bearer, f"{number}.rest {client}") for client in range(CLIENTS)]
        assert code_counts(clients.race(*rest)) == {None: 1, "NOT_REFUNDABLE": 9}
        assert refunded_at_gateway(ledger, sale) == 2000
    assert ledger.problems() == []


def test_payout_runs_pay_once(ledger: LedgerFactories, clients: RaceClients, bearer: str, instructor: User) -> None:
    for number in range(ROUNDS):
        for amount in ("100.00", "6.45"):
            ledger.sale(amount, instructor=instructor, days_ago=31)
        runs = [run_payouts(bearer, f"{number}.{client}") for client in range(CLIENTS)]
        responses = clients.race(*runs)
        assert code_counts(responses) == {None: CLIENTS}
        amounts = [payout["amount"]["amount"] for response in responses for payout in response.payload["payouts"]]
        assert amounts == ["74.52"]
    assert ledger.count(InstructorPayout) == ROUNDS
    assert ledger.problems() == []


def test_refund_comes_before_or_after_the_payout(
    ledger: LedgerFactories, clients: RaceClients, bearer: str, instructor: User
) -> None:
    """The next payout nets a refund that comes after it."""
    for number in range(ROUNDS):
        sales = [ledger.sale("200.00", instructor=instructor, days_ago=31) for _ in range(4)]
        refunds = [refund(sale, bearer, f"{number}.{sale.id}", amount="40.00") for sale in sales]
        responses = clients.race(*refunds, run_payouts(bearer, f"{number}.run"), run_payouts(bearer, f"{number}.2"))
        assert code_counts(responses) == {None: 6}
        assert ledger.problems() == []
        earnings = [earning for sale in sales for earning in ledger.earnings(sale)]
        assert sum(earning.amount for earning in earnings) == 4 * 11_200
        ledger.sale("300.00", instructor=instructor, days_ago=31)  # so that the sum exceeds the minimum
        assert clients.execute(run_payouts(bearer, f"{number}.rest")).code is None
    paid = sum(payout.amount for payout in ledger.payouts())
    assert paid == ROUNDS * (4 * 11_200 + 21_000)
    assert ledger.problems() == []


def test_payout_is_settled_once(ledger: LedgerFactories, clients: RaceClients, bearer: str, instructor: User) -> None:
    """At the same time, a refund meets its earning, held by the payout or released."""
    for number in range(ROUNDS):
        sale = ledger.sale("100.00", instructor=instructor, days_ago=31)
        clients.execute(run_payouts(bearer, f"{number}.run"))
        payout_id = global_id("InstructorPayout", ledger.payouts()[-1])
        settlements = [
            request(
                "settlePayout",
                "SettlePayoutInput",
                "payout { id status }",
                bearer,
                payoutId=payout_id,
                outcome=outcome,
            )
            for outcome in ("PAID", "FAILED", "CANCELLED") * 2
        ]
        responses = clients.race(*settlements, refund(sale, bearer, f"{number}.refund", amount="40.00"))
        assert code_counts(responses) == {None: 3, "INVALID_TRANSITION": 4}
        assert ledger.problems() == []
        assert sum(earning.amount for earning in ledger.earnings(sale)) == 4_200
