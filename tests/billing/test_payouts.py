"""Earnings and payouts: hold, minimum, netting of refunds, and payouts that are paid, fail or are cancelled."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from lms_graphql.accounts.models import AuditEvent, User
from lms_graphql.billing.ledger_models import EarningEntry, InstructorPayout, PayoutItem
from lms_graphql.core import clock
from lms_graphql.core.actor import Role
from lms_graphql.core.idempotency import IdempotencyKey
from lms_graphql.settings import Settings
from tests.billing.ledger_client import LedgerClient, Refunds, admin_client
from tests.billing.ledger_factories import LedgerFactories
from tests.factories import Factories, global_id
from tests.live_service import Client


class Payroll:
    """An instructor with sales, and a super admin."""

    def __init__(self, client: Client, make: Factories, ledger: LedgerFactories) -> None:
        self.make, self.ledger = make, ledger
        self.user = make.user(Role.INSTRUCTOR)
        self.instructor = LedgerClient(client, make.actor(self.user))
        self.admin = admin_client(client, make)

    def run(self, period_end: datetime | None = None) -> list[tuple[str, str]]:
        """Run payouts with a new key. Return amount and currency of each payout."""
        key = f"key {self.ledger.next_number()}"
        payouts = self.admin.run_payouts(period_end or clock.now(), key)
        assert self.ledger.problems() == []
        return [(payout["amount"]["amount"], payout["amount"]["currency"]) for payout in payouts]

    def settle(self, outcome: str, **input: Any) -> Any:
        """Settle the last payout, and return it."""
        id = global_id("InstructorPayout", self.ledger.payouts()[-1])
        payout = self.admin.ok("settlePayout", payoutId=id, outcome=outcome, **input)
        assert self.ledger.problems() == []
        return payout


@pytest.fixture
def payroll(client: Client, make: Factories, ledger: LedgerFactories) -> Payroll:
    return Payroll(client, make, ledger)


def test_payout_takes_available_earnings_of_each_instructor_and_currency(payroll: Payroll) -> None:
    sale, other = payroll.ledger.sale, payroll.make.user(Role.INSTRUCTOR)
    first = sale("100.00", instructor=payroll.user, days_ago=40)
    sale("6.45", instructor=payroll.user, days_ago=31)
    sale("500.00", instructor=payroll.user, days_ago=29)
    sale("7000", instructor=payroll.user, days_ago=31, currency="JPY")
    sale("100.000", instructor=other, days_ago=31, currency="BHD")
    period_end = clock.now()
    payouts = payroll.admin.run_payouts(period_end)
    assert [(payout["amount"]["amount"], payout["amount"]["currency"]) for payout in payouts] == [
        ("4900", "JPY"),
        ("74.52", "USD"),
        ("70.000", "BHD"),
    ]
    payout = payouts[1]
    assert (payout["commissionRate"], payout["status"], payout["processedAt"]) == ("70.00", "SCHEDULED", None)
    assert payout["instructor"] == {"id": global_id("User", payroll.user)}
    available_at = payroll.ledger.earnings(first)[0].available_at
    assert datetime.fromisoformat(payout["periodStart"]) == available_at
    assert datetime.fromisoformat(payout["periodEnd"]) == period_end
    assert payroll.instructor.balances() == [("JPY", "0", "4900", "0"), ("USD", "350.00", "74.52", "0.00")]
    assert payroll.run() == []
    assert payroll.ledger.problems() == []


@pytest.mark.parametrize(
    ("amount", "currency", "paid"),
    [
        ("71.42", "USD", []),  # 49.99
        ("71.43", "USD", [("50.00", "USD")]),
        ("70", "JPY", []),
        ("71", "JPY", [("50", "JPY")]),
        ("71.427", "BHD", []),
        ("71.429", "BHD", [("50.000", "BHD")]),
    ],
)
@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
def test_small_balances_wait(payroll: Payroll, amount: str, currency: str, paid: list[tuple[str, str]]) -> None:
    payroll.ledger.sale(amount, instructor=payroll.user, days_ago=31, currency=currency)
    assert payroll.run() == paid
    if not paid:
        payroll.ledger.sale(amount, instructor=payroll.user, days_ago=31, currency=currency)
        assert len(payroll.run()) == 1


@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
def test_period_end_is_exclusive_and_never_takes_pending_earnings(payroll: Payroll) -> None:
    sale = payroll.ledger.sale("100.00", instructor=payroll.user, days_ago=31)
    payroll.ledger.sale("200.00", instructor=payroll.user, days_ago=29)
    available_at = payroll.ledger.earnings(sale)[0].available_at
    assert payroll.run(available_at) == []
    assert payroll.run(available_at + timedelta(days=365)) == [("70.00", "USD")]


def test_paid_payout_is_final(payroll: Payroll) -> None:
    payroll.ledger.sale("100.00", instructor=payroll.user, days_ago=31)
    payroll.run()
    payout = payroll.settle("PAID", externalReference=" SEPA 17 ")
    assert (payout["status"], payout["processedAt"] is None) == ("PAID", False)
    assert payroll.settle("PAID") == payout, "a repetition changes nothing"
    stored = payroll.ledger.payouts()[0]
    assert stored.external_payout_id == "SEPA 17"
    for outcome in ("FAILED", "CANCELLED"):
        errors = payroll.admin.user_errors("settlePayout", payoutId=payout["id"], outcome=outcome)
        assert errors == [("INVALID_TRANSITION", "payoutId")]
    errors = payroll.admin.user_errors("settlePayout", payoutId="nonsense", outcome="PAID")
    assert errors == [("NOT_FOUND", "payoutId")]
    long = {"payoutId": payout["id"], "outcome": "PAID", "externalReference": "x" * 256}
    assert payroll.admin.user_errors("settlePayout", **long) == [("TOO_LONG", "externalReference")]
    assert payroll.instructor.balances() == [("USD", "0.00", "0.00", "70.00")]
    assert payroll.instructor.earnings() == [("100.00", "70.00", "PAID")]
    events = select(AuditEvent.action, AuditEvent.subject_id).where(AuditEvent.action.startswith("payout"))
    recorded = payroll.ledger.write(lambda session: [*map(tuple, session.execute(events))])
    assert recorded == [("payout.scheduled", stored.id), ("payout.settled", stored.id)]


@pytest.mark.parametrize("outcome", ["FAILED", "CANCELLED"])
def test_unpaid_payout_releases_its_earnings(payroll: Payroll, outcome: str) -> None:
    payroll.ledger.sale("100.00", instructor=payroll.user, days_ago=31)
    assert payroll.run() == [("70.00", "USD")]
    assert payroll.settle(outcome)["status"] == outcome
    assert payroll.instructor.balances() == [("USD", "0.00", "70.00", "0.00")]
    payroll.ledger.sale("10.00", instructor=payroll.user, days_ago=31)
    assert payroll.run() == [("77.00", "USD")]
    assert payroll.ledger.count(PayoutItem) == 3, "a payout still shows what it held"


REFUND_STATES = {
    # earnings and balance (pending, available, paid) after the refund of 40.00 of 100.00, and the next payout
    "PENDING": ([("60.00", "42.00", "PENDING")], ("42.00", "0.00", "0.00"), "140.00"),
    "AVAILABLE": ([("60.00", "42.00", "AVAILABLE")], ("0.00", "42.00", "0.00"), "182.00"),
    "SCHEDULED": (
        [("-40.00", "-28.00", "AVAILABLE"), ("100.00", "70.00", "AVAILABLE")],
        ("0.00", "42.00", "0.00"),
        "112.00",
    ),
    "PAID": (
        [("-40.00", "-28.00", "AVAILABLE"), ("100.00", "70.00", "PAID")],
        ("0.00", "-28.00", "70.00"),
        "112.00",
    ),
}


@pytest.mark.parametrize("state", REFUND_STATES)
def test_refund_reduces_balance_in_every_state(payroll: Payroll, client: Client, state: str) -> None:
    """The case P16. A rest that is negative or below the minimum waits for later sales."""
    refunds = Refunds(
        client,
        payroll.make,
        payroll.ledger,
        amount="100.00",
        instructor=payroll.user,
        days_ago=1 if state == "PENDING" else 31,
    )
    if state in {"SCHEDULED", "PAID"}:
        assert payroll.run() == [("70.00", "USD")]
    if state == "PAID":
        payroll.settle("PAID")
    refunds.admin.refund(refunds.sale, amount="40.00")
    earnings, balance, next_payout = REFUND_STATES[state]
    assert payroll.instructor.earnings() == earnings
    assert payroll.instructor.balances() == [("USD", *balance)]
    assert payroll.run() == []
    payroll.ledger.sale("200.00", instructor=payroll.user, days_ago=31)
    assert payroll.run() == [(next_payout, "USD")]


def test_refund_after_failed_payout_shrinks_the_earning(payroll: Payroll, client: Client) -> None:
    refunds = Refunds(client, payroll.make, payroll.ledger, amount="6.45", instructor=payroll.user, days_ago=31)
    payroll.ledger.sale("100.00", instructor=payroll.user, days_ago=31)
    payroll.run()
    refunds.admin.refund(refunds.sale, "one", amount="3.00")
    payroll.settle("FAILED")
    refunds.admin.refund(refunds.sale, "two", amount="1.00")
    refunds.admin.refund(refunds.sale, "three")
    rows = payroll.ledger.earnings(refunds.sale)
    assert [(row.net_amount, row.amount, row.platform_amount) for row in rows] == [(300, 210, 90), (-300, -210, -90)]
    assert payroll.ledger.count(EarningEntry) == 5
    assert payroll.run() == [("70.00", "USD")]


def test_rate_of_a_sale_never_changes(payroll: Payroll, client: Client) -> None:
    """The case P9. A payout shows the rates of its sales, weighted by net amount."""
    instructor = global_id("User", payroll.user)
    rates = []
    for rate, amount in (("50", "300.00"), ("33.33", "100.00"), (None, "100.00")):
        user = payroll.admin.ok("setCommissionRate", userId=instructor, commissionRate=rate)
        rates.append(user["commissionRate"])
        payroll.ledger.sale(amount, instructor=payroll.user, days_ago=31)
    changed = Settings(commission_rate=Decimal("12.5"))
    payroll.ledger.sale("100.00", instructor=payroll.user, days_ago=31, settings=changed)
    assert rates == ["50.00", "33.33", "70.00"]
    nodes = payroll.instructor.teaching()["earnings"]["nodes"]
    assert [(node["commissionRate"], node["amount"]["amount"]) for node in nodes] == [
        ("12.50", "12.50"),
        ("70.00", "70.00"),
        ("33.33", "33.33"),
        ("50.00", "150.00"),
    ]
    assert payroll.run() == [("265.83", "USD")]
    assert payroll.ledger.payouts()[0].commission_rate == Decimal("44.31")  # 265.83 of 600.00


@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
def test_wrong_commission_rates_are_refused(payroll: Payroll) -> None:
    def errors(user: User, rate: Any) -> list[tuple[str, str]]:
        return payroll.admin.user_errors("setCommissionRate", userId=global_id("User", user), commissionRate=rate)

    for rate in ("-0.01", "100.01", "33.333", "9" * 400):
        assert errors(payroll.user, rate) == [("OUT_OF_RANGE", "commissionRate")], rate
    for malformed in (0.1, "NaN", "1e400", "-0"):
        request = {"userId": global_id("User", payroll.user), "commissionRate": malformed}
        assert payroll.admin.error_codes("setCommissionRate", **request) == ["BAD_USER_INPUT"], malformed
    assert errors(payroll.make.user(), "50") == [("INVALID", "userId")]
    deleted = payroll.make.user(Role.INSTRUCTOR, deleted_at=clock.now())
    assert errors(deleted, "50") == [("INVALID_TRANSITION", "userId")]
    missing = {"userId": "nonsense", "commissionRate": "50"}
    assert payroll.admin.user_errors("setCommissionRate", **missing) == [("NOT_FOUND", "userId")]
    for allowed in ("0", "100", "12.5", None):
        payroll.admin.ok("setCommissionRate", userId=global_id("User", payroll.user), commissionRate=allowed)


def test_payout_run_is_repeated_with_its_key(payroll: Payroll) -> None:
    payroll.ledger.sale("100.00", instructor=payroll.user, days_ago=31)
    period_end = clock.now()
    first, second = (payroll.admin.run_payouts(period_end) for _ in range(2))
    assert first == second
    assert len(first) == 1
    assert payroll.ledger.count(InstructorPayout) == payroll.ledger.count(IdempotencyKey) == 1
    later = {"periodEnd": (period_end + timedelta(seconds=1)).isoformat(), "idempotencyKey": "a key"}
    payload = payroll.admin.payload("runPayouts", **later)
    assert payload["payouts"] == []
    assert [(error["code"], error["path"]) for error in payload["errors"]] == [
        ("IDEMPOTENCY_MISMATCH", ["input", "idempotencyKey"])
    ]
