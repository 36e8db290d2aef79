"""Rows of demo sales, compared with those that the services write for the same stories."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.billing.gateways.interface import EventKind
from lms_graphql.billing.ledger_models import Earning, EarningEntry, InstructorPayout, PayoutItem
from lms_graphql.billing.models import (
    Dispute,
    FakePayment,
    FakeRefund,
    GatewayEvent,
    Payment,
    PaymentMethod,
    Refund,
    RefundKind,
    Transaction,
)
from lms_graphql.billing.services import reconciliation
from lms_graphql.catalog.models import Course
from lms_graphql.core import clock
from lms_graphql.core.money import Money
from lms_graphql.demo.courses import DemoCourse
from lms_graphql.demo.ledger import PERIOD_ENDS, LedgerBuilder, MoneyEvent
from lms_graphql.demo.row_buffer import RowBuffer
from lms_graphql.demo.transactions import DemoRefund, DemoTransaction
from tests.billing.billing_client import dispute_event, settle_silently
from tests.billing.conftest import Shop
from tests.billing.ledger_client import REASON, LedgerClient, payment_resources
from tests.billing.ledger_factories import LedgerFactories
from tests.factories import CourseTree

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)]

MODELS = (
    *(Transaction, Payment, Refund, GatewayEvent, Dispute, FakePayment, FakeRefund),
    *(Earning, EarningEntry, InstructorPayout, PayoutItem),
)
RANDOM_PARTS = (
    (re.compile(r"\b[0-9A-Z]{4}(-[0-9A-Z]{4})+\b"), "CODE"),
    (re.compile(r"(?<=/checkout/)[\w-]{43,64}$"), "TOKEN"),
    (re.compile(r"(?<=transaction=)[\w%]+$"), "ID"),
    (re.compile(r"(?<=_)\d+$"), "N"),
)
AddStory = Callable[[Callable[..., DemoTransaction], Callable[..., None]], None]
LATE, EARLY = PERIOD_ENDS[-1], PERIOD_ENDS[0] - timedelta(days=40)
"""Times of sales that no payout of the demo takes any more, and that the first one takes."""
HOUR = timedelta(hours=1)


def masked(row: Any) -> dict[str, Any]:
    """Return the columns of a row without what differs between two equal stories: keys, times and random codes."""
    values = {}
    for column in row.__table__.columns:
        value = getattr(row, column.key)
        if isinstance(value, datetime):
            value = "time"
        elif value is not None and (column.primary_key or column.foreign_keys):
            value = "key"
        elif column.key == "token":
            value = "TOKEN"
        elif type(value) is str:
            for pattern, name in RANDOM_PARTS:
                value = pattern.sub(name, value)
        values[column.key] = value
    return values


class Recorder:
    """Rows of billing that were added since the last look."""

    def __init__(self, service: Any) -> None:
        self._database = service.database
        self._last_keys: dict[Any, int] = dict.fromkeys(MODELS, 0)

    def new_rows(self) -> dict[str, list[dict[str, Any]]]:
        return self._database.read_sync(self._read)

    def _read(self, session: Session) -> dict[str, list[dict[str, Any]]]:
        rows = {}
        for model in MODELS:
            new = session.scalars(select(model).where(model.id > self._last_keys[model]).order_by(model.id)).all()
            rows[model.__tablename__] = [masked(row) for row in new]
            self._last_keys[model] = max([row.id for row in new], default=self._last_keys[model])
        return rows


class Stories:
    """The same stories, by the services and by the demo, each with a buyer and a course of its own."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.recorder = Recorder(shop.service)
        self.admin = LedgerClient(shop.client, shop.admin.actor)
        self.course = self._course()
        self.buyer = LedgerClient(shop.client, shop.make.actor(shop.make.user()))
        self.settings = shop.service.resources.settings
        self.demo_buyer_key = shop.make.user().id
        self.rng = Random(1)

    def _course(self) -> CourseTree:
        return self.shop.make.course("A course", price=5999)

    def demo(self, started_at: datetime, add_story: AddStory) -> None:
        """Write the rows of a story. `add_story` gets functions that start a transaction and add an event."""
        row: Course = self._course().row
        price = Money(row.price, row.currency)
        course = DemoCourse(row.id, row.instructor_id, "en", row.title, price, row.published_at, (), ())

        def write(session: Session) -> None:
            rows = RowBuffer(session)
            built = LedgerBuilder(rows, self.settings, None)

            def start(method: PaymentMethod = PaymentMethod.FAKE) -> DemoTransaction:
                values = (rows, self.settings, self.rng, self.demo_buyer_key, course)
                return DemoTransaction(*values, method, started_at)

            add_story(start, lambda *event: built.add_event(course, MoneyEvent(*event)))
            rows.write()
            built.add(Random)

        self.shop.service.database.write_sync(write)


@pytest.fixture
def stories(shop: Shop) -> Stories:
    return Stories(shop)


def buy(stories: Stories, key: str, method: str = "FAKE") -> Any:
    return stories.buyer.purchase(stories.course, paymentMethod=method, idempotencyKey=key)


def test_declined_cancelled_and_partly_refunded_sale_has_equal_rows(stories: Stories) -> None:
    shop = stories.shop
    shop.gateway.settle(buy(stories, "declined")["checkoutUrl"], "decline")
    cancelled = buy(stories, "cancelled")["transaction"]["id"]
    stories.buyer.ok("cancelTransaction", transactionId=cancelled)
    reconciliation.reconcile_checkouts(payment_resources(shop.service))
    sale = buy(stories, "paid")
    shop.gateway.settle(sale["checkoutUrl"])
    part = {"transactionId": sale["transaction"]["id"], "reason": REASON, "idempotencyKey": "1", "amount": "17.99"}
    stories.admin.ok("refundTransaction", **part)
    real = stories.recorder.new_rows()

    def add_story(start: Any, add_event: Any) -> None:
        declined, cancelled, paid = start(), start(), start()
        declined.decline(LATE)
        cancelled.cancel(LATE)
        paid.pay(LATE)
        refund = DemoRefund(RefundKind.ADMIN, 1799, REASON, stories.demo_buyer_key, LATE, LATE)
        add_event(LATE, paid.key, 5999)
        add_event(LATE + HOUR, paid.key, 1799, paid.refund(refund))
        for sale in (declined, cancelled, paid):
            sale.add()

    stories.demo(LATE, add_story)
    assert stories.recorder.new_rows() == real
    assert [row["status"] for row in real["transactions"]] == ["failed", "cancelled", "partially_refunded"]
    assert [(row["net_amount"], row["amount"]) for row in real["earnings"]] == [(4200, 2940)]


def test_refunded_transfer_and_lost_dispute_have_equal_rows(stories: Stories) -> None:
    shop = stories.shop
    transfer = buy(stories, "transfer", "BANK_TRANSFER")["transaction"]["id"]
    stories.admin.ok("confirmBankTransfer", transactionId=transfer)
    stories.admin.ok("refundTransaction", transactionId=transfer, reason=REASON, idempotencyKey="1")
    disputed = buy(stories, "disputed")
    paid = settle_silently(shop.service, disputed["transaction"]["id"])
    shop.gateway.send(paid)
    for kind in (EventKind.DISPUTE_OPENED, EventKind.DISPUTE_LOST):
        dispute = dispute_event(kind, paid.payment_id, "fake_dispute_1")
        shop.gateway.send(replace(dispute, id=f"fake_{kind.value}_1"))
    real = stories.recorder.new_rows()

    def add_story(start: Any, add_event: Any) -> None:
        transfer, disputed = start(PaymentMethod.BANK_TRANSFER), start()
        transfer.pay(LATE)
        add_event(LATE, transfer.key, 5999)
        refund = DemoRefund(RefundKind.ADMIN, 5999, REASON, stories.demo_buyer_key, LATE, LATE)
        add_event(LATE + HOUR, transfer.key, 5999, transfer.refund(refund))
        disputed.pay(LATE + 2 * HOUR)
        add_event(LATE + 2 * HOUR, disputed.key, 5999)
        add_event(LATE + 3 * HOUR, disputed.key, 5999, disputed.lose_dispute(LATE, LATE + 3 * HOUR))
        transfer.add()
        disputed.add()

    stories.demo(LATE, add_story)
    assert stories.recorder.new_rows() == real
    assert [row["status"] for row in real["transactions"]] == ["refunded", "refunded"]
    assert [row["kind"] for row in real["refunds"]] == ["admin", "dispute"]


def test_refunds_before_and_after_a_payout_have_equal_rows(stories: Stories, ledger: LedgerFactories) -> None:
    sales = [ledger.sale("59.99", days_ago=60, course=stories.course) for _ in range(2)]
    stories.admin.refund(sales[0], key="before", amount="10.00")
    (payout,) = stories.admin.run_payouts(clock.now())
    outcome = {"payoutId": payout["id"], "outcome": "PAID", "externalReference": "SEPA 1"}
    stories.admin.ok("settlePayout", **outcome)
    stories.admin.refund(sales[0], key="after")
    real = stories.recorder.new_rows()

    def add_story(start: Any, add_event: Any) -> None:
        first, second = start(), start()
        for sale in (first, second):
            sale.pay(EARLY)
            add_event(EARLY, sale.key, 5999)
        for units, time in ((1000, EARLY + HOUR), (4999, LATE)):
            refund = DemoRefund(RefundKind.ADMIN, units, REASON, stories.demo_buyer_key, time, time)
            add_event(time, first.key, units, first.refund(refund))
        first.add()
        second.add()

    stories.demo(EARLY, add_story)
    demo_rows = stories.recorder.new_rows()
    for rows in (real, demo_rows):  # the bank's reference is free text
        assert rows["instructor_payouts"][0].pop("external_payout_id").startswith("SEPA ")
    tables = ("earnings", "earning_entries", "instructor_payouts", "payout_items", "refunds", "fake_refunds")
    assert {name: demo_rows[name] for name in tables} == {name: real[name] for name in tables}
    assert [row["amount"] for row in real["earnings"]] == [3499, 4199, -3499]
    assert [row["amount"] for row in real["instructor_payouts"]] == [7698]
