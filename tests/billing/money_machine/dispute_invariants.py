"""Rules of disputes, computed from the events that are stored, in whatever order they came."""

from collections import defaultdict

from lms_graphql.billing.gateways.interface import EventKind
from tests.billing.money_machine.state import MoneyState

RANKS = {EventKind.DISPUTE_OPENED: "open", EventKind.DISPUTE_WON: "won", EventKind.DISPUTE_LOST: "lost"}
"""Status after an event of each kind. A later one in this order replaces an earlier one."""
BOOKED_SALES = """
    SELECT gateway_payment_id, status, disputed_at FROM payments
    JOIN transactions ON transactions.id = payments.transaction_id
    WHERE outcome = 'booked' AND payments.payment_method = 'fake'
"""


class DisputeInvariants(MoneyState):
    def disputes_follow_their_events(self) -> None:
        """Check that each has its worst status, a lost one has refunded its sale, and an open one is shown by it."""
        expected = self.reported_disputes()
        stored = self.database.rows("SELECT gateway_payment_id, gateway_dispute_id, status FROM disputes")
        assert {(payment_id, dispute_id): status for payment_id, dispute_id, status in stored} == expected
        statuses = defaultdict(set)
        for (payment_id, _), dispute_status in expected.items():
            statuses[payment_id].add(dispute_status)
        for payment_id, status, disputed_at in self.database.rows(BOOKED_SALES):
            assert (disputed_at is not None) == ("open" in statuses[payment_id])
            assert status == "refunded" or "lost" not in statuses[payment_id]

    def reported_disputes(self) -> dict[tuple[str, str], str]:
        """Return the worst status of each dispute, by the ids of its payment and of itself."""
        stored = {id for (id,) in self.database.rows("SELECT event_id FROM gateway_events")}
        kinds: dict[tuple[str, str], set[EventKind]] = defaultdict(set)
        for event in self.gateway.events:
            if event.id in stored and event.dispute_id is not None:
                assert event.payment_id is not None
                kinds[event.payment_id, event.dispute_id].add(event.kind)
        return {ids: [status for kind, status in RANKS.items() if kind in found][-1] for ids, found in kinds.items()}
