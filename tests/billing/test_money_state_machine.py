"""Random sequences of purchases, payments, refunds, disputes, payouts and access, in any order and repeated.

All rules of the ledger hold after each step. `LMS_TEST_ROUNDS=10000 pytest …` runs more sequences.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy.orm import Session

from lms_graphql import wiring
from lms_graphql.billing.gateways.interface import (
    Checkout,
    EventKind,
    GatewayRejectedError,
    GatewayUnavailableError,
)
from lms_graphql.billing.ledger_models import PayoutStatus
from lms_graphql.billing.models import PaymentMethod, RefundStatus
from lms_graphql.billing.reads.balances import BalanceRow, balances_by_instructor
from lms_graphql.billing.reads.processing_refunds import processing_refund
from lms_graphql.billing.services import commission_rates, ledger_repair, payouts, purchases, refunds
from lms_graphql.billing.services.gateway_events import apply_event
from lms_graphql.billing.services.purchases import PurchaseRequest
from lms_graphql.billing.services.refund_results import settle_refund
from lms_graphql.billing.services.refunds import RefundOrder
from lms_graphql.core import clock
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, DomainErrors
from lms_graphql.core.global_ids import encode
from lms_graphql.core.money import Money
from tests.billing.access_rules import AccessRules
from tests.billing.money_model import (
    ADMIN,
    BUYERS,
    COURSE_KEY,
    INSTRUCTOR,
    PRICE,
    Behavior,
    Clock,
    MemoryDatabase,
    ModelGateway,
)
from tests.concurrency import race_rounds

EXAMPLES = race_rounds(500)
STEPS = 12
INDEX = st.integers(0, 9)
MOSTLY = st.sampled_from([True, True, True, False])
BEHAVIORS = st.sampled_from([Behavior.SUCCESS, *Behavior])
BOOKED = """
    SELECT user_id, count(*) FROM transactions JOIN payments ON payments.transaction_id = transactions.id
    WHERE outcome = 'booked' AND status IN ('completed', 'partially_refunded') GROUP BY user_id
"""
REFUNDED = """
    SELECT gateway_payment_id, sum(CASE refunds.status WHEN 'succeeded' THEN refunds.amount ELSE 0 END)
    FROM payments LEFT JOIN refunds ON refunds.payment_id = payments.id GROUP BY payments.id
"""


def ledger_state(session: Session) -> tuple[list[str], Mapping[int, list[BalanceRow]]]:
    """Return what `db check` reports, and the balances of the instructor."""
    problems = ledger_repair.find_ledger_drift(session) + ledger_repair.find_ledger_errors(session)
    return problems, balances_by_instructor(session, ADMIN, [INSTRUCTOR.key or 0])


class MoneyMachine(AccessRules):
    """Two buyers of one course, an instructor and a super admin. Indexes are taken modulo the number of rows."""

    clock: Clock

    @initialize(
        sales=st.integers(0, 3), is_granted=st.booleans(), days=st.sampled_from([0, 40]), pays_out=st.booleans()
    )
    def begin(self, sales: int, is_granted: bool, days: int, pays_out: bool) -> None:
        """Let some buyers buy and pay, one of them twice, so that there is something to refund and to pay out.

        One may get a grant before the payment.
        """
        self.database.reset()
        self.gateway = ModelGateway()
        self.requests: list[tuple[Callable[..., Any], tuple[Any, ...], Any]] = []
        """Requests with an idempotency key that succeeded, with their results."""
        self.paid_payouts: dict[int, int] = {}
        self.checked_changes = -1
        for buyer in [*BUYERS, BUYERS[0]][:sales]:
            self.buy(buyer, opens_checkout=True)
        if is_granted:
            self.grant(BUYERS[0], None)
        for index in range(sales):
            self.settle_checkout(index, is_paid=True, delivers=True)
        self.wait(days)
        if pays_out:
            self.run_payouts()

    def request(self, service: Callable[..., Any], *arguments: Any) -> Any:
        """Run a service. Return None if it refuses the request."""
        try:
            return self.database.run(service, *arguments)
        except (DomainError, DomainErrors):
            return None

    def request_once(self, service: Callable[..., Any], *arguments: Any) -> Any:
        """Run a service with an idempotency key, and note the request for a repetition."""
        result = self.request(service, *arguments)
        if result is not None:
            self.requests.append((service, arguments, result))
        return result

    def pick(self, index: int, table: str, columns: str = "id") -> Any:
        rows = self.database.rows(f"SELECT {columns} FROM {table} ORDER BY id")
        return rows[index % len(rows)] if rows else None

    @rule(buyer=st.sampled_from(BUYERS), opens_checkout=MOSTLY)
    def buy(self, buyer: Actor, opens_checkout: bool) -> None:
        price, key = Money(PRICE, "USD").amount, f"purchase {len(self.requests)}"
        order = PurchaseRequest(encode("Course", COURSE_KEY), PaymentMethod.FAKE, price, key)
        transaction = self.request_once(purchases.start_purchase, buyer, order)
        if transaction is not None and opens_checkout:
            self.database.run(purchases.store_checkout, transaction, Checkout(f"checkout {transaction}", None))

    @rule(index=INDEX, is_paid=MOSTLY, delivers=MOSTLY)
    def settle_checkout(self, index: int, is_paid: bool, delivers: bool) -> None:
        """Pay or decline. A transaction may be paid again, and after it was cancelled."""
        row = self.pick(index, "transactions", "transaction_id")
        if row is not None:
            self.gateway.pay(row[0], PRICE) if is_paid else self.gateway.decline(row[0])
            if delivers:
                self.deliver(-1)

    @rule(index=st.integers(-3, 9))
    def deliver(self, index: int) -> None:
        events = self.gateway.events
        if events:
            self.database.run(apply_event, PaymentMethod.FAKE, events[index % len(events)])

    @rule(index=INDEX, buyer=st.sampled_from(BUYERS))
    def cancel(self, index: int, buyer: Actor) -> None:
        row = self.pick(index, f"transactions WHERE user_id = {buyer.key}")
        if row is not None:
            self.request(purchases.cancel_transaction, buyer, encode("Transaction", row[0]))

    @rule(
        index=INDEX,
        actor=st.sampled_from([ADMIN, ADMIN, *BUYERS]),
        units=st.sampled_from([None, None, 1, 215, 322, PRICE, PRICE + 1]),
        behavior=BEHAVIORS,
        is_killed=st.booleans(),
    )
    def refund(self, index: int, actor: Actor, units: int | None, behavior: Behavior, is_killed: bool) -> None:
        """Refund, unless the process is killed before it calls the gateway."""
        condition = "" if actor is ADMIN else f" WHERE user_id = {actor.key}"
        if (row := self.pick(index, f"transactions{condition}")) is None:
            return
        amount = None if units is None else Decimal(units).scaleb(-2)
        order = RefundOrder(encode("Transaction", row[0]), amount, "Why not", f"refund {len(self.requests)}")
        key = self.request_once(refunds.start_refund, actor, order)
        if key is not None and not is_killed:
            self.call_gateway(key, behavior)

    @rule(index=INDEX, behavior=BEHAVIORS)
    def reconcile(self, index: int, behavior: Behavior) -> None:
        if (row := self.pick(index, "refunds WHERE status = 'processing'")) is not None:
            self.call_gateway(row[0], behavior)

    def call_gateway(self, refund_key: int, behavior: Behavior) -> None:
        call = self.database.run(processing_refund, refund_key)
        if call is None:
            return
        try:
            result = self.gateway.refund(call, behavior)
        except GatewayRejectedError:
            self.database.run(settle_refund, refund_key, RefundStatus.FAILED)
        except GatewayUnavailableError:
            self.database.run(settle_refund, refund_key, RefundStatus.PROCESSING)
        else:
            for _ in range(2):  # the answer, and a webhook that reports the same
                self.database.run(settle_refund, refund_key, result.status, result.gateway_refund_id)

    @rule(index=INDEX, succeeds=st.booleans())
    def finish_refund(self, index: int, succeeds: bool) -> None:
        references = list(self.gateway.refunds)
        if references:
            self.gateway.finish_refund(references[index % len(references)], succeeds=succeeds)

    @rule(
        index=INDEX,
        kind=st.sampled_from([EventKind.DISPUTE_OPENED, EventKind.DISPUTE_WON, EventKind.DISPUTE_LOST]),
        delivers=MOSTLY,
    )
    def dispute(self, index: int, kind: EventKind, delivers: bool) -> None:
        payments = list(self.gateway.paid)
        if payments:
            self.gateway.dispute(payments[index % len(payments)], kind)
            if delivers:
                self.deliver(-1)

    @rule()
    def run_payouts(self) -> None:
        key = f"payouts {len(self.requests)}"
        self.request_once(payouts.run_payouts, ADMIN, clock.now(), key)

    @rule(index=INDEX, outcome=st.sampled_from([PayoutStatus.PAID, PayoutStatus.PAID, PayoutStatus.FAILED]))
    def settle_payout(self, index: int, outcome: PayoutStatus) -> None:
        if (row := self.pick(index, "instructor_payouts")) is not None:
            self.request(payouts.settle_payout, ADMIN, encode("InstructorPayout", row[0]), outcome, None)

    @rule(rate=st.sampled_from(["0", "33.33", "70", "100"]))
    def set_commission_rate(self, rate: str) -> None:
        user_id = encode("User", INSTRUCTOR.key or 0)
        self.database.run(commission_rates.set_commission_rate, ADMIN, user_id, Decimal(rate))

    @rule(days=st.sampled_from([1, 20, 40]))
    def wait(self, days: int) -> None:
        self.clock.advance(days)

    @rule(index=INDEX)
    def repeat_request(self, index: int) -> None:
        if self.requests:
            service, arguments, result = self.requests[index % len(self.requests)]
            assert self.database.run(service, *arguments) == result

    @invariant()
    def ledger_keeps_its_rules(self) -> None:
        if self.database.change_count == self.checked_changes:
            return  # the last step was refused, or changed nothing in the database
        self.checked_changes = self.database.change_count
        problems, balances = self.database.run(ledger_state)
        assert problems == []
        total = sum(
            row.pending_units + row.available_units + row.paid_units for rows in balances.values() for row in rows
        )
        assert total == (self.database.rows("SELECT sum(amount) FROM earnings")[0][0] or 0)

    @invariant()
    def buyers_have_one_sale(self) -> None:
        assert all(number == 1 for _, number in self.database.rows(BOOKED))

    @invariant()
    def refunds_are_those_of_the_gateway(self) -> None:
        for payment_id, units in self.database.rows(REFUNDED):
            assert units <= self.gateway.paid[payment_id]
            if payment_id not in self.gateway.disputed:
                assert units <= self.gateway.paid[payment_id] - self.gateway.left(payment_id)

    @invariant()
    def paid_payouts_never_change(self) -> None:
        paid = dict(self.database.rows("SELECT id, amount FROM instructor_payouts WHERE status = 'paid'"))
        assert paid.items() >= self.paid_payouts.items()
        assert all(amount > 0 for amount in paid.values())
        self.paid_payouts = paid

    def teardown(self) -> None:
        """Let everything that is open come to its end. Then nothing is reserved any more."""
        for reference in list(self.gateway.refunds):
            self.gateway.finish_refund(reference, succeeds=True)
        for index in range(len(self.gateway.events)):
            self.deliver(index)
        for (key,) in self.database.rows("SELECT id FROM refunds WHERE status = 'processing'"):
            self.call_gateway(key, Behavior.SUCCESS)
        self.ledger_keeps_its_rules()
        self.access_follows_payments()
        assert self.database.rows("SELECT id FROM transactions WHERE reserved_amount <> 0") == []


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[MoneyMachine]]:
    wiring.register_hooks()
    MoneyMachine.database, MoneyMachine.clock = MemoryDatabase(), Clock()
    monkeypatch.setattr(clock, "now", MoneyMachine.clock.now)
    yield MoneyMachine
    MoneyMachine.database.close()


@pytest.mark.slow
def test_money_is_neither_lost_nor_made(machine: type[MoneyMachine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            phases=(Phase.explicit, Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
