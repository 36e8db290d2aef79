"""Whole purchases with Stripe and PayPal through the service: paid, declined, refunded, disputed, interrupted."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lms_graphql.billing.models import Payment, PaymentMethod, PaymentOutcome, Transaction
from lms_graphql.billing.services import expiration, reconciliation, refund_calls
from lms_graphql.core import clock
from tests.billing.doubles.http_double import Fault
from tests.billing.doubles.stripe_double import SECRET_KEY
from tests.billing.ledger_client import payment_resources
from tests.billing.remote_gateways.conftest import RemoteShop
from tests.concurrency import START_TIMEOUT_SECONDS, race_rounds
from tests.live_service import LogCapture

pytestmark = pytest.mark.usefixtures("no_maintenance")

PRICES = {PaymentMethod.STRIPE: ["1999"], PaymentMethod.PAYPAL: ["19.99"]}
REFUNDED = {PaymentMethod.STRIPE: ["500", "1499"], PaymentMethod.PAYPAL: ["5.00", "14.99"]}


def reconcile(remote: RemoteShop) -> int:
    """Ask the gateways about all checkouts now, and return the number of events."""
    due = update(Transaction).where(Transaction.next_check_at.is_not(None)).values(next_check_at=clock.now())
    remote.shop.service.database.write_sync(lambda session: session.execute(due) and None)
    return reconciliation.reconcile_checkouts(payment_resources(remote.shop.service))


def let_days_pass(remote: RemoteShop, days: int) -> None:
    """Move the expirations of all transactions."""

    def move(session: Session) -> None:
        for transaction in session.scalars(select(Transaction)):
            assert transaction.expires_at is not None
            transaction.expires_at -= timedelta(days=days)

    remote.shop.service.database.write_sync(move)


def test_course_is_bought_and_refunded_in_parts(remote: RemoteShop) -> None:
    purchase = remote.purchase()
    transaction = purchase["transaction"]
    assert (transaction["status"], purchase["enrollment"]) == ("PENDING", None)
    assert purchase["checkoutUrl"].startswith("https://")
    assert remote.purchase() == purchase
    webhook = remote.gateway.pay(remote.checkout_id(transaction))
    assert [remote.send(webhook) for _ in range(3)] == [200, 200, 200]
    completed = remote.transaction(transaction)
    assert (completed["status"], completed["refunds"]) == ("COMPLETED", [])
    assert remote.shop.buyer.access(remote.shop.course) == ("ACTIVE", "PURCHASE")
    part = remote.refund(transaction, "part", amount="5.00")
    assert (part["status"], part["refundedAmount"]["amount"]) == ("PARTIALLY_REFUNDED", "5.00")
    assert remote.refund(transaction, "part", amount="5.00") == part
    rest = remote.refund(transaction, "rest")
    assert (rest["status"], rest["netAmount"]["amount"]) == ("REFUNDED", "0.00")
    assert remote.gateway.refunded() == REFUNDED[remote.gateway.method]
    assert remote.shop.buyer.access(remote.shop.course) == ("REFUNDED", "PURCHASE")


def test_declined_payment_is_tried_again(remote: RemoteShop) -> None:
    transaction = remote.purchase()["transaction"]
    assert remote.send(remote.gateway.decline(remote.checkout_id(transaction))) == 200
    assert remote.transaction(transaction)["status"] == "FAILED"
    assert remote.shop.buyer.access(remote.shop.course) is None


def test_payment_that_takes_days_is_not_cancelled_before(remote: RemoteShop) -> None:
    transaction = remote.purchase()["transaction"]
    assert remote.send(remote.gateway.promise(remote.checkout_id(transaction))) == 200
    let_days_pass(remote, 20)
    assert expiration.cancel_overdue(remote.shop.service.database) == 0
    assert remote.transaction(transaction)["status"] == "PENDING"
    assert remote.send(remote.gateway.keep_promise(remote.checkout_id(transaction))) == 200
    assert remote.transaction(transaction)["status"] == "COMPLETED"
    assert remote.shop.buyer.access(remote.shop.course) == ("ACTIVE", "PURCHASE")


def test_lost_dispute_ends_access_and_a_won_one_does_not(remote: RemoteShop) -> None:
    transaction = remote.paid()
    assert remote.send(remote.gateway.open_dispute()) == remote.send(remote.gateway.win_dispute()) == 200
    assert remote.transaction(transaction)["status"] == "COMPLETED"
    assert remote.send(remote.gateway.open_dispute()) == 200
    lost = remote.gateway.lose_dispute()
    assert [remote.send(lost) for _ in range(2)] == [200, 200]
    disputed = remote.transaction(transaction)
    assert (disputed["status"], len(disputed["refunds"])) == ("REFUNDED", 1)
    assert remote.gateway.refunded() == []
    assert remote.shop.buyer.access(remote.shop.course) == ("REFUNDED", "PURCHASE")


@pytest.mark.parametrize(("succeeds", "expected"), [(True, "REFUNDED"), (False, "COMPLETED")])
def test_slow_refund_has_its_effect_when_it_ends(remote: RemoteShop, succeeds: bool, expected: str) -> None:
    transaction = remote.paid()
    remote.gateway.make_refunds_pending()
    refund = remote.refund(transaction, "all")
    assert (refund["status"], refund["refunds"][0]["status"]) == ("COMPLETED", "PROCESSING")
    assert remote.send(remote.gateway.end_refund(succeeds=succeeds)) == 200
    ended = remote.transaction(transaction)
    assert (ended["status"], ended["refunds"][0]["status"]) == (expected, "SUCCEEDED" if succeeds else "FAILED")


def test_lost_webhook_is_found_by_reconciliation(remote: RemoteShop) -> None:
    transaction = remote.purchase()["transaction"]
    webhook = remote.gateway.pay(remote.checkout_id(transaction))
    assert reconcile(remote) == 1
    assert remote.transaction(transaction)["status"] == "COMPLETED"
    assert remote.send(webhook) == 200
    assert remote.shop.buyer.access(remote.shop.course) == ("ACTIVE", "PURCHASE")
    assert remote.transaction(transaction)["refunds"] == []


def test_payment_is_complete_when_the_buyer_comes_back(remote: RemoteShop) -> None:
    transaction = remote.purchase()["transaction"]
    target = f"/checkout/return?transaction={transaction['id']}"
    answer = remote.return_from_gateway(transaction)
    assert (answer.status_code, remote.transaction(transaction)["status"]) == (303, "PENDING")
    webhook = remote.gateway.pay(remote.checkout_id(transaction))
    remote.gateway.double.faults = [Fault(status=500)]
    answer = remote.return_from_gateway(transaction)
    assert (answer.status_code, remote.transaction(transaction)["status"]) == (303, "PENDING")
    for _ in range(2):
        answer = remote.return_from_gateway(transaction)
        assert answer.headers["location"].endswith(target)
        assert answer.headers["cache-control"] == "no-store"
    assert remote.send(webhook) == 200
    assert remote.transaction(transaction)["status"] == "COMPLETED"
    assert remote.shop.buyer.access(remote.shop.course) == ("ACTIVE", "PURCHASE")
    assert remote.http.get("/checkout/T-2222-2222-2222/return").status_code == 404


def test_webhook_return_and_reconciliation_complete_a_payment_once(remote: RemoteShop) -> None:
    start = threading.Barrier(4)

    def at_once(act: Callable[[], Any]) -> Any:
        start.wait(START_TIMEOUT_SECONDS)
        return act()

    with ThreadPoolExecutor(start.parties) as threads:
        for _ in range(race_rounds(3)):
            course = remote.shop.make.course(price=1999)
            method = remote.gateway.method.value.upper()
            transaction = remote.shop.buyer.purchase(course, paymentMethod=method)["transaction"]
            webhook = remote.gateway.pay(remote.checkout_id(transaction))
            send, come_back = partial(remote.send, webhook), partial(remote.return_from_gateway, transaction)
            statuses = list(threads.map(at_once, [send, send, come_back, partial(reconcile, remote)]))[:2]
            assert set(statuses) <= {200, 503}, "503: the gateway was busy with the same order, and sends it again"
            assert remote.send(webhook) == 200
            ended = remote.transaction(transaction)
            assert (ended["status"], ended["refunds"]) == ("COMPLETED", [])
    payments = remote.shop.service.database.read_sync(lambda session: list(session.scalars(select(Payment.outcome))))
    assert payments == [PaymentOutcome.BOOKED] * race_rounds(3)


def test_cancelled_purchase_is_closed_at_the_gateway(remote: RemoteShop) -> None:
    transaction = remote.purchase()["transaction"]
    checkout_id = remote.checkout_id(transaction)
    assert remote.shop.buyer.ok("cancelTransaction", transactionId=transaction["id"])["status"] == "CANCELLED"
    reconcile(remote)
    if remote.gateway.method is PaymentMethod.STRIPE:
        assert remote.gateway.checkout_state(checkout_id) == "expired"
        return
    assert remote.send(remote.gateway.pay(checkout_id)) == 200
    reconcile(remote)
    assert remote.gateway.checkout_state(checkout_id) == "APPROVED", "an approval is not captured any more"
    assert remote.transaction(transaction)["status"] == "CANCELLED"


def test_payment_of_a_cancelled_purchase_is_returned(remote: RemoteShop) -> None:
    transaction = remote.purchase()["transaction"]
    remote.gateway.pay_silently(remote.checkout_id(transaction))
    remote.shop.buyer.ok("cancelTransaction", transactionId=transaction["id"])
    assert reconcile(remote) == 1
    refund_calls.reconcile_refunds(payment_resources(remote.shop.service))
    late = remote.transaction(transaction)
    assert (late["status"], [refund["status"] for refund in late["refunds"]]) == ("CANCELLED", ["SUCCEEDED"])
    assert remote.gateway.refunded() == PRICES[remote.gateway.method]
    assert remote.shop.buyer.access(remote.shop.course) is None


def test_gateway_that_does_not_answer_is_asked_again_with_the_key(remote: RemoteShop) -> None:
    fault = Fault(drops=True, acts=True)
    remote.gateway.double.faults = [fault] if remote.gateway.method is PaymentMethod.STRIPE else [fault, fault]
    method = remote.gateway.method.value.upper()
    error = remote.shop.buyer.purchase_error(remote.shop.course, paymentMethod=method)
    assert error == ("PAYMENT_FAILED", None)
    remote.gateway.double.faults.clear()
    purchase = remote.purchase()
    assert purchase["checkoutUrl"] is not None
    assert remote.send(remote.gateway.pay(remote.checkout_id(purchase["transaction"]))) == 200
    assert remote.transaction(purchase["transaction"])["status"] == "COMPLETED"


def test_refund_without_an_answer_is_made_once(remote: RemoteShop) -> None:
    transaction = remote.paid()
    remote.gateway.double.faults = [Fault(drops=True, acts=True)] * 3
    assert remote.refund(transaction, "all")["refunds"][0]["status"] == "PROCESSING"
    remote.gateway.double.faults.clear()
    assert remote.refund(transaction, "all")["status"] == "REFUNDED"
    assert len(remote.gateway.refunded()) == 1


def test_price_that_the_gateway_does_not_know_is_refused(remote: RemoteShop) -> None:
    course = remote.shop.make.course(price=1234, currency="BHD")
    method = remote.gateway.method.value.upper()
    for _ in range(2):  # a repeated request fails like the first one
        assert remote.shop.buyer.purchase_error(course, paymentMethod=method) == ("PAYMENT_FAILED", None)


def test_webhook_of_another_gateway_is_invalid(remote: RemoteShop) -> None:
    transaction = remote.purchase()["transaction"]
    headers, body = remote.gateway.pay(remote.checkout_id(transaction))
    assert [remote.send((headers, body), name) for name in ("fake", "bank_transfer", "unknown")] == [400, 404, 404]
    assert remote.send((headers, body + b" ")) == 400
    assert remote.transaction(transaction)["status"] == "PENDING"


@pytest.mark.parametrize("remote_gateway", ["paypal"], indirect=True)  # Stripe's signature is verified without a call
def test_webhook_that_cannot_be_verified_now_is_sent_again(remote: RemoteShop) -> None:
    transaction = remote.purchase()["transaction"]
    webhook = remote.gateway.pay(remote.checkout_id(transaction))
    remote.gateway.double.faults = [Fault(status=503)]
    assert remote.send(webhook) == 503
    assert remote.send(webhook) == 200
    assert remote.transaction(transaction)["status"] == "COMPLETED"


def test_log_has_neither_secrets_nor_people(remote: RemoteShop, captured_log: LogCapture) -> None:
    remote.gateway.double.faults = [Fault(status=400, body=b'{"error":{"message":"jane@canary.example"}}')] * 2
    remote.shop.buyer.purchase_error(remote.shop.course, paymentMethod=remote.gateway.method.value.upper())
    remote.gateway.double.faults.clear()
    remote.paid("again")
    text = "\n".join(map(str, captured_log.lines))
    assert "checkout_" in text
    assert not any(
        secret in text for secret in ("@", SECRET_KEY, "client-double", "secret-double", "stripe-signature")
    )
