"""Steps of purchases: buy, pay, decline, confirm, cancel, come back from the gateway, and maintenance."""

from collections.abc import Callable
from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import rule

from lms_graphql.billing.models import PaymentMethod
from lms_graphql.billing.services import bank_transfers, gateway_calls, purchases
from lms_graphql.billing.services.disputes import apply_stored_disputes
from lms_graphql.billing.services.expiration import cancel_overdue
from lms_graphql.billing.services.gateway_calls import PaymentResources
from lms_graphql.billing.services.gateway_events import apply_event
from lms_graphql.billing.services.purchases import PurchaseRequest
from lms_graphql.billing.services.reconciliation import reconcile_checkouts
from lms_graphql.billing.services.refund_calls import reconcile_refunds
from lms_graphql.core.actor import Actor
from lms_graphql.core.global_ids import encode
from lms_graphql.core.money import Money
from tests.billing.money_machine.faults import FAULTS, Fault
from tests.billing.money_machine.gateway import Behavior
from tests.billing.money_machine.people import ADMIN, BUYERS, COURSE_ID, PRICE
from tests.billing.money_machine.state import MoneyState, owned_by

INDEX = st.integers(0, 9)
MOSTLY = st.sampled_from([True, True, True, False])
BEHAVIORS = st.sampled_from([Behavior.SUCCESS, Behavior.SUCCESS, *Behavior])
METHODS = st.sampled_from([PaymentMethod.FAKE, PaymentMethod.FAKE, PaymentMethod.BANK_TRANSFER])
FAKE = PaymentMethod.FAKE


def _cancel_overdue(resources: PaymentResources) -> int:
    return cancel_overdue(resources.database)


TASKS: tuple[Callable[[PaymentResources], int], ...] = (
    reconcile_checkouts,
    _cancel_overdue,
    apply_stored_disputes,
    reconcile_refunds,
)
"""Maintenance of payments, in its order."""


class PurchaseRules(MoneyState):
    """Purchases of the course. A transaction may be paid twice, after it was cancelled, and with a wrong amount."""

    @rule(buyer=st.sampled_from(BUYERS), method=METHODS, behavior=BEHAVIORS, fault=FAULTS)
    def buy(self, buyer: Actor, method: PaymentMethod, behavior: Behavior, fault: Fault | None) -> None:
        order = PurchaseRequest(COURSE_ID, method, Money(PRICE, "USD").amount, self.new_key())
        call = gateway_calls.open_checkout
        self.request(purchases.start_purchase, buyer, order, gateway_call=call, fault=fault, behavior=behavior)

    @rule(
        index=INDEX,
        is_paid=MOSTLY,
        units=st.sampled_from([PRICE, PRICE, PRICE, PRICE + 1]),
        delivers=MOSTLY,
        fault=FAULTS,
    )
    def settle_checkout(self, index: int, is_paid: bool, units: int, delivers: bool, fault: Fault | None) -> None:
        """Pay or decline, with or without a webhook."""
        row = self.pick(index, f"transactions WHERE payment_method = '{FAKE}'", "transaction_id")
        if row is not None:
            self.gateway.pay(row[0], units) if is_paid else self.gateway.decline(row[0])
            if delivers:
                self.deliver(-1, fault)

    @rule(index=st.integers(-3, 9), fault=FAULTS)
    def deliver(self, index: int, fault: Fault | None) -> None:
        """Send a webhook, perhaps late or again."""
        events = self.gateway.events
        if events:
            self.change(apply_event, FAKE, events[index % len(events)], fault=fault)

    @rule(index=INDEX, behavior=BEHAVIORS, fault=FAULTS)
    def return_from_checkout(self, index: int, behavior: Behavior, fault: Fault | None) -> None:
        """Ask the gateway how a payment ended, as the page does to which buyers return."""
        checkouts = f"transactions WHERE payment_method = '{FAKE}' AND gateway_transaction_id IS NOT NULL"
        if (row := self.pick(index, checkouts, "gateway_transaction_id")) is None:
            return

        def apply_all() -> None:
            for event in self.gateway.fetch_checkout(row[0]):
                self.database.run(apply_event, FAKE, event)

        self.attempt(apply_all, fault, behavior)

    @rule(index=INDEX, buyer=st.sampled_from(BUYERS), behavior=BEHAVIORS, fault=FAULTS)
    def cancel(self, index: int, buyer: Actor, behavior: Behavior, fault: Fault | None) -> None:
        if (row := self.pick(index, owned_by(buyer))) is None:
            return
        key = self.change(purchases.cancel_transaction, buyer, encode("Transaction", row[0]), fault=fault)
        if key is not None:
            self.attempt(lambda: self.run_async(gateway_calls.close_checkout(self.resources, key)), None, behavior)

    @rule(index=INDEX, reference=st.sampled_from([None, "BANK-1", "BANK-2"]), fault=FAULTS)
    def confirm(self, index: int, reference: str | None, fault: Fault | None) -> None:
        """Confirm a bank transfer, whatever the status of its transaction is."""
        transfers = f"transactions WHERE payment_method = '{PaymentMethod.BANK_TRANSFER}'"
        if (row := self.pick(index, transfers)) is not None:
            id = encode("Transaction", row[0])
            self.change(bank_transfers.confirm_bank_transfer, ADMIN, id, reference, fault=fault)

    @rule(hours=st.sampled_from([1, 24, 480, 960]))
    def wait(self, hours: int) -> None:
        self.clock.advance(hours)

    @rule(task=st.sampled_from(TASKS), behavior=BEHAVIORS, fault=FAULTS)
    def run_maintenance(
        self, task: Callable[[PaymentResources], int], behavior: Behavior, fault: Fault | None
    ) -> None:
        self.clock.advance(1)
        self.attempt(partial(task, self.resources), fault, behavior)

    @rule(index=INDEX, behavior=BEHAVIORS, fault=FAULTS)
    def repeat_request(self, index: int, behavior: Behavior, fault: Fault | None) -> None:
        """Send a request again, whether it was answered or not."""
        if self.requests:
            self.send(self.requests[index % len(self.requests)], fault, behavior)
