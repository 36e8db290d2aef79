"""Steps of payouts and commission rates."""

from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import rule

from lms_graphql.billing.ledger_models import PayoutStatus
from lms_graphql.billing.services import commission_rates, payouts
from lms_graphql.core import clock
from lms_graphql.core.global_ids import encode
from tests.billing.money_machine.faults import FAULTS, Fault
from tests.billing.money_machine.people import ADMIN, INSTRUCTOR
from tests.billing.money_machine.purchase_rules import INDEX
from tests.billing.money_machine.state import MoneyState


class PayoutRules(MoneyState):
    """Payout runs and settlements."""

    @rule(fault=FAULTS)
    def run_payouts(self, fault: Fault | None) -> None:
        self.request(payouts.run_payouts, ADMIN, clock.now(), self.new_key(), fault=fault)

    @rule(
        index=INDEX,
        outcome=st.sampled_from([PayoutStatus.PAID, PayoutStatus.PAID, PayoutStatus.FAILED]),
        fault=FAULTS,
    )
    def settle_payout(self, index: int, outcome: PayoutStatus, fault: Fault | None) -> None:
        if (row := self.pick(index, "instructor_payouts")) is not None:
            payout_id = encode("InstructorPayout", row[0])
            self.change(payouts.settle_payout, ADMIN, payout_id, outcome, None, fault=fault)

    @rule(rate=st.sampled_from(["0", "33.33", "70", "100"]))
    def set_commission_rate(self, rate: str) -> None:
        user_id = encode("User", INSTRUCTOR.key or 0)
        self.database.run(commission_rates.set_commission_rate, ADMIN, user_id, Decimal(rate))
