"""Maintenance of purchases: lost webhooks, expiration, and checkouts of purchases that have ended."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from lms_graphql.billing.models import (
    Payment,
    PaymentMethod,
    PaymentOutcome,
    Transaction,
    TransactionStatus,
)
from lms_graphql.billing.reads.checkouts import DueCheckout
from lms_graphql.billing.services import expiration, reconciliation
from lms_graphql.core import clock
from tests.billing.billing_client import settle_silently
from tests.billing.conftest import Shop
from tests.billing.ledger_client import payment_resources
from tests.live_service import LogCapture

pytestmark = pytest.mark.usefixtures("no_maintenance")


def row(shop: Shop, purchase: Any) -> Transaction:
    is_purchase = Transaction.transaction_id == purchase["transaction"]["reference"]
    statement = select(Transaction).where(is_purchase)
    return shop.service.database.read_sync(lambda session: session.scalars(statement).one())


def set_times(shop: Shop, **ages: timedelta) -> None:
    """Move times of all transactions: `next_check_at=timedelta(0)` makes a check due now."""
    values = {name: clock.now() - age for name, age in ages.items()}
    shop.service.database.write_sync(lambda session: session.execute(update(Transaction).values(values)) and None)


@contextmanager
def broken_transaction(shop: Shop, purchase: Any) -> Iterator[None]:
    """Let any change of a purchase's status fail, on SQLite."""
    key, engine = row(shop, purchase).id, shop.service.database.engine
    condition = f"NEW.id = {key} AND NEW.status <> OLD.status"
    body = "BEGIN SELECT RAISE(ABORT, 'broken'); END"
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TRIGGER broken BEFORE UPDATE ON transactions WHEN {condition} {body}"))
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.execute(text("DROP TRIGGER broken"))


def test_lost_webhook_is_found_by_reconciliation(shop: Shop) -> None:
    buyers = {"paid": shop.buyer, "declined": shop.other_buyer(), "open": shop.other_buyer()}
    purchases = {name: buyer.purchase(shop.course) for name, buyer in buyers.items()}
    settle_silently(shop.service, purchases["paid"]["transaction"]["id"])
    settle_silently(shop.service, purchases["declined"]["transaction"]["id"], is_paid=False)
    assert reconciliation.reconcile_checkouts(payment_resources(shop.service)) == 0  # ten minutes are not over
    set_times(shop, next_check_at=timedelta(0))
    assert reconciliation.reconcile_checkouts(payment_resources(shop.service)) == 2
    statuses = [row(shop, purchases[name]).status for name in ("paid", "declined", "open")]
    assert statuses == [TransactionStatus.COMPLETED, TransactionStatus.FAILED, TransactionStatus.PENDING]
    assert shop.buyer.access(shop.course) == ("ACTIVE", "PURCHASE")
    assert row(shop, purchases["paid"]).next_check_at is None
    assert reconciliation.reconcile_checkouts(payment_resources(shop.service)) == 0  # the open one is due later


def test_gateway_that_is_switched_off_does_not_delay_others(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciliation, "BATCH_SIZE", 1)
    purchase = shop.buyer.purchase(shop.course)
    settle_silently(shop.service, purchase["transaction"]["id"])
    set_times(shop, next_check_at=timedelta(0))
    of_stripe = {"payment_method": PaymentMethod.STRIPE, "next_check_at": clock.now() - timedelta(days=1)}
    shop.make.transaction(shop.buyer_user, shop.course, TransactionStatus.PENDING, **of_stripe)
    assert reconciliation.reconcile_checkouts(payment_resources(shop.service)) == 1
    assert row(shop, purchase).status is TransactionStatus.COMPLETED


@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
def test_one_broken_checkout_does_not_stop_the_others(shop: Shop, captured_log: LogCapture) -> None:
    purchases = [shop.buyer.purchase(shop.course, idempotencyKey=key) for key in ("broken", "paid")]
    for purchase in purchases:
        settle_silently(shop.service, purchase["transaction"]["id"])
    set_times(shop, next_check_at=timedelta(0))
    with broken_transaction(shop, purchases[0]):
        assert reconciliation.reconcile_checkouts(payment_resources(shop.service)) == 1
    assert [row(shop, purchase).status for purchase in purchases] == ["pending", "completed"]
    assert captured_log.text.count("reconciliation_failed") == 1
    assert row(shop, purchases[0]).next_check_at is not None


@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
def test_one_broken_cancellation_does_not_stop_the_others(shop: Shop, captured_log: LogCapture) -> None:
    purchases = [shop.buyer.purchase(shop.course, idempotencyKey=key) for key in ("broken", "late")]
    set_times(shop, expires_at=timedelta(0))
    with broken_transaction(shop, purchases[0]):
        assert expiration.cancel_overdue(shop.service.database) == 1
    assert [row(shop, purchase).status for purchase in purchases] == ["pending", "cancelled"]
    assert captured_log.text.count("purchase_not_cancelled") == 1
    assert expiration.cancel_overdue(shop.service.database) == 1


def test_unpaid_purchases_are_cancelled_when_their_time_is_over(shop: Shop) -> None:
    card = shop.buyer.purchase(shop.course)
    transfer = shop.buyer.purchase(shop.course, idempotencyKey="transfer", paymentMethod="BANK_TRANSFER")
    for purchase, hours in ((card, 24), (transfer, 14 * 24)):
        stored = row(shop, purchase)
        assert stored.expires_at is not None
        assert round((stored.expires_at - stored.created_at) / timedelta(hours=1)) == hours
    assert expiration.cancel_overdue(shop.service.database) == 0
    set_times(shop, expires_at=timedelta(0))
    assert expiration.cancel_overdue(shop.service.database) == 2
    assert expiration.cancel_overdue(shop.service.database) == 0
    for purchase in (card, transfer):
        assert row(shop, purchase).status is TransactionStatus.CANCELLED
    reconciliation.reconcile_checkouts(payment_resources(shop.service))  # closes the checkout
    assert shop.gateway.settle(card["checkoutUrl"]).status_code == 410
    assert row(shop, card).status is TransactionStatus.CANCELLED
    assert row(shop, card).next_check_at is None


def test_payment_that_came_before_the_cancellation_is_found_and_refunded(shop: Shop) -> None:
    purchase = shop.buyer.purchase(shop.course)
    settle_silently(shop.service, purchase["transaction"]["id"])
    shop.buyer.ok("cancelTransaction", transactionId=purchase["transaction"]["id"])
    reconciliation.reconcile_checkouts(payment_resources(shop.service))
    statement = select(Payment.outcome)
    outcomes = shop.service.database.read_sync(lambda session: list(session.scalars(statement)))
    assert outcomes == [PaymentOutcome.LATE]
    assert row(shop, purchase).status is TransactionStatus.CANCELLED


def test_first_purchase_expires_after_the_second_was_paid(shop: Shop) -> None:
    first, second = (shop.buyer.purchase(shop.course, idempotencyKey=key) for key in ("first", "second"))
    shop.gateway.settle(second["checkoutUrl"])
    set_times(shop, expires_at=timedelta(0))
    assert expiration.cancel_overdue(shop.service.database) == 1
    assert row(shop, first).status is TransactionStatus.CANCELLED
    assert row(shop, second).status is TransactionStatus.COMPLETED
    assert shop.buyer.access(shop.course) == ("ACTIVE", "PURCHASE")


@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
def test_purchase_without_a_checkout_is_left_alone(shop: Shop) -> None:
    """The process died before it called the gateway."""
    shop.buyer.purchase(shop.course)
    values = {"gateway_transaction_id": None, "next_check_at": clock.now()}
    shop.service.database.write_sync(lambda session: session.execute(update(Transaction).values(values)) and None)
    assert reconciliation.reconcile_checkouts(payment_resources(shop.service)) == 0


def due(**values: Any) -> DueCheckout:
    now: datetime = values["created_at"]
    defaults = {"key": 1, "reference": "T", "method": None, "checkout_id": "c", "next_check_at": now}
    return DueCheckout(**{**defaults, "updated_at": now, "expires_at": now + timedelta(hours=24), **values})


def test_intervals_between_checks_grow() -> None:
    start, pending = clock.now(), TransactionStatus.PENDING
    purchase = due(created_at=start, status=pending)
    minutes, ages = 10, []
    while minutes < 24 * 60:
        now = start + timedelta(minutes=minutes)
        following = reconciliation.next_check(purchase, now)
        assert following is not None
        ages.append(minutes)
        minutes = round((following - start).total_seconds() / 60)
    assert ages == [10, 20, 40, 80, 160, 320, 640, 1280]
    assert minutes == 24 * 60  # the last check comes when it expires
    cancelled = due(created_at=start, status=TransactionStatus.CANCELLED)
    assert reconciliation.next_check(cancelled, start + timedelta(hours=1)) == start + timedelta(hours=2)
    assert reconciliation.next_check(cancelled, start + timedelta(days=4)) is None
