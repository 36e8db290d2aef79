"""Calls of gateways for refunds: late, lost and repeated answers, and requests that are sent again."""

from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import AuditEvent
from lms_graphql.billing.gateways.interface import Event, EventKind, RefundResult
from lms_graphql.billing.models import (
    Payment,
    PaymentMethod,
    PaymentOutcome,
    Refund,
    RefundKind,
    RefundStatus,
    Transaction,
)
from lms_graphql.billing.services.gateway_events import apply_event
from lms_graphql.billing.services.refund_calls import reconcile_refunds
from lms_graphql.billing.services.refunds import start_automatic_refund
from lms_graphql.core import clock
from lms_graphql.core.idempotency import IdempotencyKey
from tests.billing.ledger_client import (
    REJECTED,
    UNAVAILABLE,
    Refunds,
    ScriptedGateway,
    payment_resources,
    refund_input,
    use_gateway,
)
from tests.live_service import LogCapture, Service


@pytest.fixture
def gateway(service: Service, monkeypatch: pytest.MonkeyPatch, no_maintenance: None) -> ScriptedGateway:
    return use_gateway(monkeypatch, ScriptedGateway())


def make_all_due(refunds: Refunds) -> None:
    due = update(Refund).where(Refund.next_check_at.is_not(None)).values(next_check_at=clock.now())
    refunds.ledger.write(lambda session: session.execute(due) and None)


def report(refunds: Refunds, status: RefundStatus, number: int = 1) -> None:
    """Apply an event of the gateway about the only refund."""

    def apply(session: Session) -> None:
        reference = session.scalars(select(Refund.reference)).one()
        session.rollback()
        result = RefundResult(status, f"refund of {reference}")
        event = Event(f"e{number}", EventKind.REFUND_CHANGED, refund_reference=reference, refund=result)
        apply_event(session, PaymentMethod.FAKE, event)

    refunds.ledger.write(apply)


def state(refunds: Refunds) -> tuple[Any, ...]:
    """Return the status of each refund, and the amounts of the transaction."""
    statuses = [refund["status"] for refund in refunds.buyer.transaction(refunds.sale.id)["refunds"]]
    transaction = refunds.ledger.row(refunds.sale.transaction)
    assert refunds.ledger.problems() == []
    return (*statuses, transaction.refunded_amount, transaction.reserved_amount)


def test_refund_of_unreachable_gateway_is_completed_by_maintenance(
    refunds: Refunds, gateway: ScriptedGateway, service: Service
) -> None:
    gateway.answer = UNAVAILABLE
    transaction = refunds.buyer.refund(refunds.sale)
    assert transaction["status"] == "COMPLETED"
    assert state(refunds) == ("PROCESSING", 0, 2000)
    assert refunds.buyer.access(refunds.sale.course) == ("ACTIVE", "PURCHASE")
    assert refunds.instructor.earnings() == [("20.00", "14.00", "PENDING")]
    assert refunds.admin.refund_errors(refunds.sale, "another") == [("NOT_REFUNDABLE", "transactionId")]
    assert refunds.admin.refund_errors(refunds.sale, "a part", amount="0.01") == [("OUT_OF_RANGE", "amount")]
    assert reconcile_refunds(payment_resources(service)) == 0, "it is asked again after a minute only"
    make_all_due(refunds)
    assert reconcile_refunds(payment_resources(service)) == 0, "it is still unreachable"
    gateway.answer = RefundStatus.SUCCEEDED
    make_all_due(refunds)
    assert [reconcile_refunds(payment_resources(service)) for _ in range(2)] == [1, 0]
    assert state(refunds) == ("SUCCEEDED", 2000, 0)
    assert refunds.buyer.access(refunds.sale.course) == ("REFUNDED", "PURCHASE")
    assert list(gateway.refunded.values()) == [2000]


def test_rejected_refund_releases_its_amount(refunds: Refunds, gateway: ScriptedGateway) -> None:
    gateway.answer = REJECTED
    for _ in range(2):  # the second request is the first one, repeated
        payload = refunds.buyer.payload("refundTransaction", **refund_input(refunds.sale, "a key"))
        assert [(error["code"], error["path"]) for error in payload["errors"]] == [("PAYMENT_FAILED", None)]
        assert payload["transaction"] is None
    assert gateway.call_count == 1
    assert state(refunds) == ("FAILED", 0, 0)
    gateway.answer = RefundStatus.SUCCEEDED
    assert refunds.buyer.refund(refunds.sale, "another")["status"] == "REFUNDED"
    assert state(refunds) == ("FAILED", "SUCCEEDED", 2000, 0)


@pytest.mark.parametrize("outcome", [RefundStatus.SUCCEEDED, RefundStatus.FAILED])
def test_late_result_has_its_effect_once(
    refunds: Refunds, gateway: ScriptedGateway, outcome: RefundStatus, captured_log: LogCapture
) -> None:
    gateway.answer = RefundStatus.PROCESSING
    refunds.admin.refund(refunds.sale, amount="5.00")
    assert state(refunds) == ("PROCESSING", 0, 500)
    for number in range(3):
        report(refunds, RefundStatus.PROCESSING if number == 0 else outcome, number)
    expected = ("SUCCEEDED", 500, 0) if outcome is RefundStatus.SUCCEEDED else ("FAILED", 0, 0)
    assert state(refunds) == expected
    (other,) = {RefundStatus.SUCCEEDED, RefundStatus.FAILED} - {outcome}
    report(refunds, RefundStatus.PROCESSING, 4)
    assert "refund_result_contradicts" not in captured_log.text
    report(refunds, other, 5)
    assert state(refunds) == expected
    assert "refund_result_contradicts" in captured_log.text
    contradictions = select(AuditEvent.details).where(AuditEvent.action == "refund.contradicted")
    (details,) = refunds.ledger.write(lambda session: session.scalars(contradictions).all())
    assert (details["stored"], details["reported"]) == (outcome.value, other.value)


def test_repeated_request_asks_the_gateway_again(refunds: Refunds, gateway: ScriptedGateway) -> None:
    """The first answer was lost between the gateway and the service."""
    gateway.answer = UNAVAILABLE
    refunds.admin.refund(refunds.sale, amount="5.00")
    gateway.answer = RefundStatus.SUCCEEDED
    first, second = (refunds.admin.refund(refunds.sale, amount="5.00") for _ in range(2))
    assert first == second
    assert first["status"] == "PARTIALLY_REFUNDED"
    assert (gateway.call_count, list(gateway.refunded.values())) == (2, [500])
    assert state(refunds) == ("SUCCEEDED", 500, 0)


def test_idempotency_key_belongs_to_one_input(refunds: Refunds, gateway: ScriptedGateway) -> None:
    refunds.admin.refund(refunds.sale, amount="5.00")
    mismatch = [("IDEMPOTENCY_MISMATCH", "idempotencyKey")]
    for changed in ({"amount": "5.01"}, {}, {"amount": "5.00", "reason": "Another one."}):
        assert refunds.admin.refund_errors(refunds.sale, **changed) == mismatch
    assert refunds.admin.refund_errors(refunds.sale, " ") == [("REQUIRED", "idempotencyKey")]
    assert refunds.admin.refund_errors(refunds.sale, "x" * 201) == [("TOO_LONG", "idempotencyKey")]
    assert refunds.admin.refund_errors(refunds.sale, "too much", amount="15.01") == [("OUT_OF_RANGE", "amount")]
    assert refunds.ledger.count(IdempotencyKey) == 1, "errors are not stored"
    assert refunds.admin.refund(refunds.sale, "too much", amount="15.00")["status"] == "REFUNDED"
    assert list(gateway.refunded.values()) == [500, 1500]


@pytest.mark.parametrize("kind", [RefundKind.DUPLICATE_PAYMENT, RefundKind.LATE_PAYMENT])
def test_automatic_refund_of_further_payment_does_not_change_the_sale(
    refunds: Refunds, gateway: ScriptedGateway, service: Service, kind: RefundKind
) -> None:
    key = refunds.sale.transaction.id
    outcome = PaymentOutcome.DUPLICATE if kind is RefundKind.DUPLICATE_PAYMENT else PaymentOutcome.LATE

    def add(session: Session) -> None:
        further = Payment(
            transaction_id=key,
            payment_method=PaymentMethod.FAKE,
            gateway_payment_id="another",
            amount=2000,
            currency="USD",
            outcome=outcome,
        )
        session.add(further)
        session.flush()
        start_automatic_refund(session, session.get_one(Transaction, key), further, kind)

    refunds.ledger.write(add)
    assert state(refunds) == ("PROCESSING", 0, 0)
    assert reconcile_refunds(payment_resources(service)) == 1
    assert state(refunds) == ("SUCCEEDED", 0, 0)
    assert refunds.amounts() == ("COMPLETED", "0.00", "20.00")
    assert refunds.buyer.refund(refunds.sale)["status"] == "REFUNDED"
    assert list(gateway.refunded.values()) == [2000, 2000]


@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
def test_one_broken_call_does_not_stop_the_others(
    refunds: Refunds, gateway: ScriptedGateway, service: Service, captured_log: LogCapture
) -> None:
    gateway.answer = UNAVAILABLE
    for key in ("one", "two"):
        refunds.admin.refund(refunds.sale, key, amount="1.00")
    make_all_due(refunds)
    assert reconcile_refunds(payment_resources(service)) == 0
    assert gateway.call_count == 3, "a gateway that does not answer is asked once in a run"
    gateway.answer = RuntimeError("a bug")
    make_all_due(refunds)
    assert reconcile_refunds(payment_resources(service)) == 0
    assert captured_log.text.count("refund_reconciliation_failed") == 2
    gateway.answer = RefundStatus.SUCCEEDED
    assert reconcile_refunds(payment_resources(service)) == 2
    assert state(refunds) == ("SUCCEEDED", "SUCCEEDED", 200, 0)
