"""The state machine: all steps, and the rules of the ledger that hold after each of them."""

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant
from sqlalchemy.orm import Session

from lms_graphql.billing.models import PaymentMethod
from lms_graphql.billing.reads.balances import BalanceRow, balances_by_instructor
from lms_graphql.billing.services import ledger_repair
from tests.billing.money_machine.access_rules import AccessRules
from tests.billing.money_machine.dispute_invariants import DisputeInvariants
from tests.billing.money_machine.gateway import Behavior
from tests.billing.money_machine.payout_rules import PayoutRules
from tests.billing.money_machine.people import ADMIN, BUYERS, INSTRUCTOR, PRICE
from tests.billing.money_machine.purchase_rules import TASKS
from tests.billing.money_machine.refund_rules import RefundRules
from tests.billing.money_machine.state import Beginning

BOOKED = """
    SELECT user_id, count(*) FROM transactions JOIN payments ON payments.transaction_id = transactions.id
    WHERE outcome = 'booked' AND status IN ('completed', 'partially_refunded') GROUP BY user_id
"""
REFUNDED = """
    SELECT gateway_payment_id, sum(CASE refunds.status WHEN 'succeeded' THEN refunds.amount ELSE 0 END)
    FROM payments LEFT JOIN refunds ON refunds.payment_id = payments.id
    WHERE payment_method = 'fake' GROUP BY payments.id, gateway_payment_id
"""
CONFIRMED = """
    SELECT transaction_id, count(*), max(outcome) FROM payments WHERE payment_method = 'bank_transfer'
    GROUP BY transaction_id
"""
EFFECTS = {
    "purchaseCourse": "SELECT id FROM transactions",
    "refundTransaction": "SELECT id FROM refunds WHERE kind IN ('learner', 'admin')",
    "runPayouts": "SELECT id FROM instructor_payouts",
}
"""Rows that requests with an idempotency key create."""


def ledger_state(session: Session) -> tuple[list[str], Mapping[int, list[BalanceRow]]]:
    """Return what `db check` reports, and the balances of the instructor."""
    problems = ledger_repair.find_ledger_drift(session) + ledger_repair.find_ledger_errors(session)
    return problems, balances_by_instructor(session, ADMIN, [INSTRUCTOR.key or 0])


class MoneyMachine(RefundRules, PayoutRules, AccessRules, DisputeInvariants):
    """Two buyers of one course, an instructor and a super admin."""

    beginnings: dict[tuple[Any, ...], Beginning | None]
    """States after the first steps, by their arguments, because they take as long as all other steps."""

    @initialize(
        sales=st.integers(0, 3),
        transfers=st.integers(0, 2),
        is_granted=st.booleans(),
        hours=st.sampled_from([0, 960]),
        pays_out=st.booleans(),
    )
    def begin(self, sales: int, transfers: int, is_granted: bool, hours: int, pays_out: bool) -> None:
        """Let some buyers buy and pay, one of them twice, so that there is something to refund and to pay out.

        Some also begin to pay by bank transfer. One may get a grant before the payment.
        """
        arguments = (sales, transfers, is_granted, hours, pays_out)
        beginning = self.beginnings.get(arguments)
        self.start(beginning)
        if beginning is None:
            self.take_first_steps(*arguments)
            self.beginnings[arguments] = self.save()

    def take_first_steps(self, sales: int, transfers: int, is_granted: bool, hours: int, pays_out: bool) -> None:
        for buyer in [*BUYERS, BUYERS[0]][:sales]:
            self.buy(buyer, PaymentMethod.FAKE, Behavior.SUCCESS, None)
        for buyer in BUYERS[:transfers]:
            self.buy(buyer, PaymentMethod.BANK_TRANSFER, Behavior.SUCCESS, None)
        if is_granted:
            self.grant(BUYERS[0], None)
        for index in range(sales):
            self.settle_checkout(index, is_paid=True, units=PRICE, delivers=True, fault=None)
        self.wait(hours)
        if pays_out:
            self.run_payouts(None)

    @invariant()
    def rules_hold(self) -> None:
        """Check all rules, unless the last step has changed nothing in the database."""
        version = self.database.version()
        if version != self.checked_version:
            self.ledger_keeps_its_rules()
            self.buyers_have_one_sale()
            self.transfers_are_confirmed_once()
            self.refunds_are_those_of_the_gateway()
            self.disputes_follow_their_events()
            self.paid_payouts_never_change()
            self.requests_have_one_effect()
            self.access_follows_payments()
        self.checked_version = version

    def ledger_keeps_its_rules(self) -> None:
        problems, balances = self.database.run(ledger_state)
        assert problems == []
        total = sum(
            row.pending_units + row.available_units + row.paid_units for rows in balances.values() for row in rows
        )
        assert total == (self.database.rows("SELECT sum(amount) FROM earnings")[0][0] or 0)

    def buyers_have_one_sale(self) -> None:
        assert all(number == 1 for _, number in self.database.rows(BOOKED))

    def transfers_are_confirmed_once(self) -> None:
        """Check that each has one payment, and that none is confirmed after its purchase has ended."""
        for _, number, outcome in self.database.rows(CONFIRMED):
            assert (number, outcome in {"booked", "duplicate"}) == (1, True)

    def refunds_are_those_of_the_gateway(self, *, is_settled: bool = False) -> None:
        """Check that nothing is booked that the gateway has not returned. In the end both have returned the same.

        A refund fails here if a dispute has returned its money, whatever the gateway makes of it.
        """
        assert self.gateway.excessive_refunds == []
        for payment_id, units in self.database.rows(REFUNDED):
            assert units <= self.gateway.paid[payment_id]
            if payment_id not in self.gateway.disputed:
                returned = self.gateway.paid[payment_id] - self.gateway.left(payment_id)
                assert units == returned if is_settled else units <= returned

    def paid_payouts_never_change(self) -> None:
        paid = dict(self.database.rows("SELECT id, amount FROM instructor_payouts WHERE status = 'paid'"))
        assert paid.items() >= self.paid_payouts.items()
        assert all(amount > 0 for amount in paid.values())
        self.paid_payouts = paid

    def requests_have_one_effect(self) -> None:
        """Check that each stored key has created its own rows, and that nothing else has created any."""
        stored = "SELECT result FROM idempotency_keys WHERE operation = '%s'"
        for operation, created in EFFECTS.items():
            results = [json.loads(result) for (result,) in self.database.rows(stored % operation)]
            keys = [key for result in results for key in (result if isinstance(result, list) else [result])]
            assert sorted(keys) == sorted(key for (key,) in self.database.rows(created))

    def teardown(self) -> None:
        """Let everything that is open come to its end. Then nothing is reserved any more."""
        for reference in list(self.gateway.refunds):
            self.gateway.finish_refund(reference, succeeds=True)
        for index in range(len(self.gateway.events)):
            self.deliver(index, None)
        self.wait(24 * 30)
        for task in TASKS:
            self.run_maintenance(task, Behavior.SUCCESS, None)
        self.rules_hold()
        self.refunds_are_those_of_the_gateway(is_settled=True)
        assert self.database.rows("SELECT id FROM transactions WHERE reserved_amount <> 0") == []
        assert self.database.rows("SELECT id FROM transactions WHERE status = 'pending'") == []
        assert self.database.rows("SELECT id FROM refunds WHERE status = 'processing'") == []
