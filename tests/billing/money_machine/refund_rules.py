"""Steps of refunds and disputes."""

from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import rule

from lms_graphql.billing.gateways.interface import EventKind
from lms_graphql.billing.services import refunds
from lms_graphql.billing.services.refund_calls import make_refund
from lms_graphql.billing.services.refunds import RefundOrder
from lms_graphql.core.actor import Actor
from lms_graphql.core.global_ids import encode
from tests.billing.money_machine.faults import FAULTS, Fault
from tests.billing.money_machine.gateway import Behavior
from tests.billing.money_machine.people import ADMIN, BUYERS, PRICE
from tests.billing.money_machine.purchase_rules import BEHAVIORS, INDEX, MOSTLY, PurchaseRules
from tests.billing.money_machine.state import owned_by

DISPUTES = [EventKind.DISPUTE_OPENED, EventKind.DISPUTE_WON, EventKind.DISPUTE_LOST]


class RefundRules(PurchaseRules):
    """Refunds by super admins and by buyers, in parts and of all that is left, and disputes."""

    @rule(
        index=INDEX,
        actor=st.sampled_from([ADMIN, ADMIN, *BUYERS]),
        units=st.sampled_from([None, None, 1, 215, 322, PRICE, PRICE + 1]),
        behavior=BEHAVIORS,
        fault=FAULTS,
    )
    def refund(self, index: int, actor: Actor, units: int | None, behavior: Behavior, fault: Fault | None) -> None:
        if (row := self.pick(index, "transactions" if actor is ADMIN else owned_by(actor))) is None:
            return
        amount = None if units is None else Decimal(units).scaleb(-2)
        order = RefundOrder(encode("Transaction", row[0]), amount, "Why not", self.new_key())
        self.request(refunds.start_refund, actor, order, gateway_call=make_refund, fault=fault, behavior=behavior)

    @rule(index=INDEX, succeeds=st.booleans(), delivers=MOSTLY, fault=FAULTS)
    def finish_refund(self, index: int, succeeds: bool, delivers: bool, fault: Fault | None) -> None:
        """End a refund that the gateway is processing."""
        references = list(self.gateway.refunds)
        if references:
            self.gateway.finish_refund(references[index % len(references)], succeeds=succeeds)
            if delivers:
                self.deliver(-1, fault)

    @rule(
        index=INDEX,
        number=st.sampled_from([1, 1, 2]),
        kind=st.sampled_from(DISPUTES),
        is_paid_now=st.booleans(),
        delivers=MOSTLY,
        fault=FAULTS,
    )
    def dispute(
        self, index: int, number: int, kind: EventKind, is_paid_now: bool, delivers: bool, fault: Fault | None
    ) -> None:
        """Report a state of a dispute, in any order, again, and perhaps before its payment is reported."""
        if is_paid_now:
            self.settle_checkout(index, is_paid=True, units=PRICE, delivers=False, fault=None)
        payments = list(self.gateway.paid)
        if payments:
            payment = payments[-1 if is_paid_now else index % len(payments)]
            self.gateway.dispute(payment, number, kind)
            if delivers:
                self.deliver(-1, fault)
