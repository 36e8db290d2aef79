"""Disputes (chargebacks): the case P18, in any order of the events."""

from collections.abc import Sequence
from functools import partial
from itertools import permutations

import pytest

from lms_graphql.billing.gateways.interface import Event, EventKind
from lms_graphql.billing.models import PaymentMethod, RefundStatus
from lms_graphql.billing.services.gateway_events import apply_event
from lms_graphql.certificates.models import Certificate, RevocationReason
from tests.billing.ledger_client import Refunds, ScriptedGateway, use_gateway
from tests.live_service import LogCapture, Service

OPENED, WON, LOST = EventKind.DISPUTE_OPENED, EventKind.DISPUTE_WON, EventKind.DISPUTE_LOST


def dispute(refunds: Refunds, *kinds: EventKind, payment_id: str | None = None) -> None:
    for kind in kinds:
        event = Event(
            f"{kind.value} {refunds.ledger.next_number()}",
            kind,
            payment_id=payment_id or refunds.sale.payment.gateway_payment_id,
            reference=refunds.sale.transaction.transaction_id,
        )
        for _ in range(2):  # each event arrives twice
            refunds.ledger.write(partial(apply_event, method=PaymentMethod.FAKE, event=event))
    assert refunds.ledger.problems() == []


@pytest.mark.parametrize("refunded", [None, "5.00"])
def test_lost_dispute_refunds_the_rest_once(refunds: Refunds, refunded: str | None) -> None:
    certificate = refunds.make.certificate(refunds.sale.buyer, refunds.sale.course)
    if refunded is not None:
        refunds.admin.refund(refunds.sale, amount=refunded)
    dispute(refunds, OPENED, LOST, LOST)
    transaction = refunds.buyer.transaction(refunds.sale.id)
    amounts = [refund["amount"]["amount"] for refund in transaction["refunds"]]
    assert amounts == (["20.00"] if refunded is None else ["5.00", "15.00"])
    assert refunds.amounts() == ("REFUNDED", "20.00", "0.00")
    assert refunds.buyer.access(refunds.sale.course) == ("REFUNDED", "PURCHASE")
    assert refunds.ledger.row(certificate).revocation_reason is RevocationReason.REFUND
    assert refunds.ledger.count(Certificate) == 1
    assert refunds.instructor.earnings() == [("0.00", "0.00", "REVERSED")]
    assert refunds.admin.refund_errors(refunds.sale, "again") == [("NOT_REFUNDABLE", "transactionId")]


def test_open_dispute_blocks_refunds_until_it_is_won(refunds: Refunds) -> None:
    dispute(refunds, OPENED)
    assert refunds.admin.refund_errors(refunds.sale) == [("NOT_REFUNDABLE", "transactionId")]
    assert refunds.buyer.access(refunds.sale.course) == ("ACTIVE", "PURCHASE")
    dispute(refunds, WON)
    assert refunds.amounts() == ("COMPLETED", "0.00", "20.00")
    assert refunds.buyer.refund(refunds.sale)["status"] == "REFUNDED"


@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
@pytest.mark.parametrize("order", list(permutations((OPENED, WON))) + list(permutations((OPENED, WON, OPENED))))
def test_order_of_events_does_not_matter(refunds: Refunds, order: Sequence[EventKind]) -> None:
    dispute(refunds, *order)
    is_open = order.count(OPENED) > order.count(WON)
    assert (refunds.ledger.row(refunds.sale.transaction).disputed_at is not None) == is_open


def test_lost_dispute_ends_refund_that_is_processing(
    refunds: Refunds, service: Service, monkeypatch: pytest.MonkeyPatch, captured_log: LogCapture
) -> None:
    use_gateway(monkeypatch, ScriptedGateway()).answer = RefundStatus.PROCESSING
    refunds.buyer.refund(refunds.sale)
    dispute(refunds, LOST)
    statuses = [refund["status"] for refund in refunds.buyer.transaction(refunds.sale.id)["refunds"]]
    assert statuses == ["FAILED", "SUCCEEDED"]
    assert refunds.amounts() == ("REFUNDED", "20.00", "0.00")


@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
def test_dispute_about_another_payment_changes_nothing(refunds: Refunds) -> None:
    dispute(refunds, OPENED, LOST, payment_id="of a second payment")
    assert refunds.amounts() == ("COMPLETED", "0.00", "20.00")
    assert refunds.buyer.refund(refunds.sale)["status"] == "REFUNDED"
