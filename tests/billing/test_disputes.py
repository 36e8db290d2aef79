"""Disputes (chargebacks): the case P18, with events in any order, also before the payment."""

from collections.abc import Sequence
from functools import partial
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import AuditEvent
from lms_graphql.billing.gateways.interface import Event, EventKind
from lms_graphql.billing.models import Dispute, DisputeStatus, PaymentMethod, RefundStatus
from lms_graphql.billing.services.disputes import apply_stored_disputes
from lms_graphql.billing.services.gateway_events import apply_event
from lms_graphql.certificates.models import Certificate, RevocationReason
from tests.billing.billing_client import FakeGatewayClient, dispute_event, settle_silently
from tests.billing.conftest import Shop
from tests.billing.ledger_client import REASON, LedgerClient, Refunds, ScriptedGateway, payment_resources, use_gateway
from tests.billing.ledger_factories import LedgerFactories
from tests.live_service import LogCapture, Service

OPENED, WON, LOST = EventKind.DISPUTE_OPENED, EventKind.DISPUTE_WON, EventKind.DISPUTE_LOST
Step = tuple[EventKind, str] | None
"""An event of the dispute with this id. None is the payment."""
PAID: Step = None
REFUNDABLE: Any = ("COMPLETED", [], True)
IN_DISPUTE: Any = ("COMPLETED", [], False)
REFUNDED: Any = ("REFUNDED", ["19.99"], False)
"""Status of the transaction, amounts of its refunds, and whether more can be refunded."""
Results = Sequence[tuple[tuple[Step, ...], Any]]
SHORT_RESULTS: Results = (
    ((PAID, (OPENED, "a")), IN_DISPUTE),
    ((PAID, (WON, "a")), REFUNDABLE),
    ((PAID, (LOST, "a")), REFUNDED),
    ((PAID, (OPENED, "a"), (WON, "a")), REFUNDABLE),
)
LONG_RESULTS: Results = (
    ((PAID, (OPENED, "a"), (LOST, "a")), REFUNDED),
    ((PAID, (LOST, "a"), (LOST, "a")), REFUNDED),
    ((PAID, (WON, "a"), (LOST, "a")), REFUNDED),
    ((PAID, (OPENED, "a"), (OPENED, "b")), IN_DISPUTE),
    ((PAID, (OPENED, "a"), (WON, "b")), IN_DISPUTE),
    ((PAID, (OPENED, "a"), (LOST, "b")), REFUNDED),
    ((PAID, (LOST, "a"), (LOST, "b")), REFUNDED),
    ((PAID, (WON, "a"), (WON, "b")), REFUNDABLE),
    ((PAID, (OPENED, "a"), (WON, "a"), (LOST, "a")), REFUNDED),
    ((PAID, (OPENED, "a"), (WON, "a"), (OPENED, "b")), IN_DISPUTE),
    ((PAID, (OPENED, "a"), (WON, "a"), (LOST, "b")), REFUNDED),
)


def orders(results: Results) -> list[Any]:
    """Return a parameter for each order of each row."""
    return [
        pytest.param(order, result, id=" ".join(_name(step) for step in order))
        for steps, result in results
        for order in sorted(set(permutations(steps)), key=str)
    ]


def _name(step: Step) -> str:
    return "paid" if step is None else f"{step[0].value.removeprefix('dispute_')}-{step[1]}"


def send(gateway: FakeGatewayClient, *events: Event) -> None:
    """Send events to the webhook, each of them twice."""
    for event in events:
        assert [gateway.send(event).status_code for _ in range(2)] == [200, 200]


def result_of_order(shop: Shop, order: Sequence[Step]) -> Any:
    purchase = shop.buyer.purchase(shop.course)
    paid = settle_silently(shop.service, purchase["transaction"]["id"])
    for number, step in enumerate(order):
        send(shop.gateway, paid if step is None else dispute_event(step[0], paid.payment_id, step[1], number))
    id = purchase["transaction"]["id"]
    transaction = shop.buyer.transaction(id)
    is_refunded = transaction["status"] == "REFUNDED"
    assert shop.buyer.access(shop.course) == ("REFUNDED" if is_refunded else "ACTIVE", "PURCHASE")
    assert LedgerFactories(shop.make, shop.service.database).problems() == []
    refund = {"transactionId": id, "amount": "1.00", "reason": REASON, "idempotencyKey": "1"}
    errors = LedgerClient(shop.client, shop.admin.actor).payload("refundTransaction", **refund)["errors"]
    assert [error["code"] for error in errors] in ([], ["NOT_REFUNDABLE"])
    return transaction["status"], [refund["amount"]["amount"] for refund in transaction["refunds"]], not errors


@pytest.mark.usefixtures("no_maintenance")
@pytest.mark.parametrize(("order", "result"), orders(SHORT_RESULTS))
def test_order_of_events_does_not_matter(shop: Shop, order: Sequence[Step], result: Any) -> None:
    assert result_of_order(shop, order) == result


@pytest.mark.slow
@pytest.mark.sqlite_only  # the order of events is no matter of the database
@pytest.mark.usefixtures("no_maintenance")
@pytest.mark.parametrize(("order", "result"), orders(LONG_RESULTS))
def test_order_of_many_events_does_not_matter(shop: Shop, order: Sequence[Step], result: Any) -> None:
    assert result_of_order(shop, order) == result


def report(
    refunds: Refunds, gateway: FakeGatewayClient, kind: EventKind, dispute: str = "a", number: int = 1
) -> None:
    """Report the state of a dispute about the sale. The ledger keeps its rules."""
    send(gateway, dispute_event(kind, refunds.sale.payment.gateway_payment_id, dispute, number))
    assert refunds.ledger.problems() == []


@pytest.mark.parametrize("refunded", [None, "5.00"])
def test_lost_dispute_refunds_the_rest_once(
    refunds: Refunds, gateway: FakeGatewayClient, refunded: str | None
) -> None:
    certificate = refunds.make.certificate(refunds.sale.buyer, refunds.sale.course)
    if refunded is not None:
        refunds.admin.refund(refunds.sale, amount=refunded)
    report(refunds, gateway, OPENED)
    for number in range(2):  # two events of one dispute
        report(refunds, gateway, LOST, number=number)
    transaction = refunds.buyer.transaction(refunds.sale.id)
    amounts = [refund["amount"]["amount"] for refund in transaction["refunds"]]
    assert amounts == (["20.00"] if refunded is None else ["5.00", "15.00"])
    assert refunds.amounts() == ("REFUNDED", "20.00", "0.00")
    assert refunds.buyer.access(refunds.sale.course) == ("REFUNDED", "PURCHASE")
    assert refunds.ledger.row(certificate).revocation_reason is RevocationReason.REFUND
    assert refunds.ledger.count(Certificate) == 1
    assert refunds.instructor.earnings() == [("0.00", "0.00", "REVERSED")]
    assert refunds.admin.refund_errors(refunds.sale, "again") == [("NOT_REFUNDABLE", "transactionId")]


def test_open_dispute_blocks_refunds_until_it_is_won(refunds: Refunds, gateway: FakeGatewayClient) -> None:
    report(refunds, gateway, OPENED)
    assert refunds.admin.refund_errors(refunds.sale) == [("NOT_REFUNDABLE", "transactionId")]
    assert refunds.buyer.access(refunds.sale.course) == ("ACTIVE", "PURCHASE")
    report(refunds, gateway, WON, "of another dispute")
    assert refunds.admin.refund_errors(refunds.sale) == [("NOT_REFUNDABLE", "transactionId")]
    report(refunds, gateway, WON)
    assert refunds.amounts() == ("COMPLETED", "0.00", "20.00")
    assert refunds.buyer.refund(refunds.sale)["status"] == "REFUNDED"


def test_lost_dispute_ends_refund_that_is_processing(refunds: Refunds, monkeypatch: pytest.MonkeyPatch) -> None:
    use_gateway(monkeypatch, ScriptedGateway()).answer = RefundStatus.PROCESSING
    refunds.buyer.refund(refunds.sale)
    lost = dispute_event(LOST, refunds.sale.payment.gateway_payment_id)
    refunds.ledger.write(partial(apply_event, method=PaymentMethod.FAKE, event=lost))
    statuses = [refund["status"] for refund in refunds.buyer.transaction(refunds.sale.id)["refunds"]]
    assert statuses == ["FAILED", "SUCCEEDED"]
    assert refunds.amounts() == ("REFUNDED", "20.00", "0.00")
    assert refunds.ledger.problems() == []


@pytest.mark.usefixtures("no_maintenance")
@pytest.mark.parametrize("is_paid_first", [True, False])
def test_dispute_about_unneeded_payment_does_not_change_the_sale(shop: Shop, is_paid_first: bool) -> None:
    """The buyer pays two purchases of the course, and the bank returns the second payment."""
    purchases = [shop.buyer.purchase(shop.course, idempotencyKey=key) for key in ("first", "second")]
    first, second = (settle_silently(shop.service, purchase["transaction"]["id"]) for purchase in purchases)
    send(shop.gateway, first)
    disputed = [dispute_event(kind, second.payment_id) for kind in (OPENED, LOST)]
    send(shop.gateway, *([second, *disputed] if is_paid_first else [*disputed, second]))
    sale, other = (shop.buyer.transaction(purchase["transaction"]["id"]) for purchase in purchases)
    assert (sale["status"], sale["refunds"]) == ("COMPLETED", [])
    assert shop.buyer.access(shop.course) == ("ACTIVE", "PURCHASE")
    statuses = [refund["status"] for refund in other["refunds"]]
    assert (other["status"], statuses) == ("REFUNDED", ["FAILED", "SUCCEEDED"]), "not returned a second time"
    assert LedgerFactories(shop.make, shop.service.database).problems() == []
    refund = {"transactionId": sale["id"], "reason": REASON, "idempotencyKey": "1"}
    assert LedgerClient(shop.client, shop.admin.actor).ok("refundTransaction", **refund)["status"] == "REFUNDED"


def test_dispute_won_after_loss_is_left_to_operator(
    refunds: Refunds, gateway: FakeGatewayClient, captured_log: LogCapture
) -> None:
    for kind in (LOST, OPENED):
        report(refunds, gateway, kind)
    assert "dispute_result_contradicts" not in captured_log.text
    report(refunds, gateway, WON)
    assert "dispute_result_contradicts" in captured_log.text
    assert refunds.amounts() == ("REFUNDED", "20.00", "0.00")
    is_of_sale = AuditEvent.subject_id == refunds.sale.transaction.id
    actions = select(AuditEvent.action).where(is_of_sale, AuditEvent.action.startswith("dispute."))
    stored = refunds.ledger.write(lambda session: session.scalars(actions.order_by(AuditEvent.id)).all())
    assert stored == ["dispute.lost", "dispute.contradicted"]


@pytest.mark.usefixtures("no_maintenance")
@pytest.mark.parametrize(
    ("status", "amounts", "is_in_dispute"),
    [
        (DisputeStatus.OPEN, ("COMPLETED", "0.00", "20.00"), True),
        (DisputeStatus.LOST, ("REFUNDED", "20.00", "0.00"), False),
    ],
)
def test_maintenance_applies_dispute_that_came_with_its_payment(
    refunds: Refunds, service: Service, status: DisputeStatus, amounts: Any, is_in_dispute: bool
) -> None:
    """Two nodes of a cluster wrote at the same moment, and neither has seen the other."""
    payment_id = refunds.sale.payment.gateway_payment_id
    ids = {"gateway_payment_id": payment_id, "gateway_dispute_id": "a"}

    def add(session: Session) -> None:
        session.add(Dispute(payment_method=PaymentMethod.FAKE, status=status, **ids))

    refunds.ledger.write(add)
    assert refunds.ledger.problems() == ["ledger: 1 sales that do not show the disputes about their payment"]
    resources = payment_resources(service)
    assert [apply_stored_disputes(resources) for _ in range(2)] == [1, 0]
    assert refunds.amounts() == amounts
    assert (refunds.ledger.row(refunds.sale.transaction).disputed_at is not None) == is_in_dispute
    assert refunds.ledger.problems() == []
