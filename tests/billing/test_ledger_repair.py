"""`db check` and `db repair` of the ledger: each rule is broken on purpose, and found."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from lms_graphql.billing.ledger_models import Earning, InstructorPayout, PayoutItem, PayoutStatus
from lms_graphql.billing.models import Payment, PaymentOutcome, Refund, Transaction, TransactionStatus
from lms_graphql.billing.services import ledger_repair
from lms_graphql.billing.services.payouts import run_payouts
from lms_graphql.core import clock
from lms_graphql.core.actor import Role
from tests.billing.ledger_client import Refunds
from tests.billing.ledger_factories import LedgerFactories
from tests.factories import Factories
from tests.live_service import Client


@pytest.fixture
def paid_sale(client: Client, make: Factories, ledger: LedgerFactories) -> Refunds:
    """Return a sale of 100.00, of which 10.00 were refunded, and whose earning a payout holds."""
    refunds = Refunds(client, make, ledger, amount="100.00", days_ago=31)
    refunds.admin.refund(refunds.sale, amount="10.00")
    admin = make.actor(make.user(Role.SUPER_ADMIN))
    ledger.write(lambda session: run_payouts(session, admin, clock.now(), "a key"))
    assert ledger.problems() == []
    return refunds


def set_all(model: Any, **values: Any) -> Callable[[Session], object]:
    return lambda session: session.execute(update(model).values(values))


DRIFTS = {
    "transactions (refunded_amount, reserved_amount)": set_all(Transaction, refunded_amount=0, reserved_amount=100),
    "earnings (net_amount, amount, platform_amount)": set_all(
        Earning, net_amount=10_000, amount=7_000, platform_amount=3_000
    ),
    "earnings (payout_id)": set_all(Earning, payout_id=None),
}


@pytest.mark.parametrize("label", DRIFTS)
def test_drift_is_found_and_repaired(paid_sale: Refunds, label: str) -> None:
    ledger = paid_sale.ledger
    ledger.write(lambda session: DRIFTS[label](session) and None)
    assert ledger.write(ledger_repair.find_ledger_drift) == [f"{label}: wrong in 1 rows"]
    assert ledger.write(ledger_repair.repair_ledger) == [f"{label}: 1 rows repaired"]
    assert ledger.problems() == []
    assert ledger.write(ledger_repair.repair_ledger) == []


def add_second_payout(session: Session) -> None:
    """Let a second payout hold the same earning."""
    first = session.query(InstructorPayout).one()
    copied = ("instructor_id", "amount", "currency", "commission_rate", "period_start", "period_end")
    second = InstructorPayout(
        **{name: getattr(first, name) for name in copied}, payout_id="P-2", status=PayoutStatus.PAID
    )
    session.add(second)
    session.flush()
    item = session.query(PayoutItem).one()
    session.add(
        PayoutItem(payout_id=second.id, earning_id=item.earning_id, net_amount=item.net_amount, amount=item.amount)
    )
    session.execute(update(Earning).values(payout_id=second.id))


def add_second_booked_payment(session: Session) -> None:
    first = session.query(Payment).one()
    copied = ("transaction_id", "payment_method", "amount", "currency")
    values = {name: getattr(first, name) for name in copied}
    session.add(Payment(**values, gateway_payment_id="second", outcome=PaymentOutcome.BOOKED))


def delete_ledger_of_sale(session: Session) -> None:
    for table in ("payout_items", "earning_entries", "earnings"):
        session.execute(text(f"DELETE FROM {table}"))
    session.execute(update(InstructorPayout).values(amount=0))


ERRORS = {
    "sales whose earnings do not add up to what is left of the payment": delete_ledger_of_sale,
    "sales whose earnings are not split by their rate": lambda session: [
        session.execute(text(f"UPDATE {statement}"))
        for statement in (
            "earnings SET amount = amount + 2, platform_amount = platform_amount - 2",
            "payout_items SET amount = amount + 2",
            "instructor_payouts SET amount = amount + 2",
        )
    ],
    "transactions whose status does not fit their refunded amount": set_all(
        Transaction, status=TransactionStatus.COMPLETED
    ),
    "transactions with several booked payments": add_second_booked_payment,
    "payments of which more was refunded than paid": set_all(Refund, amount=10_001),
    "payouts whose amount is not the sum of their earnings": set_all(InstructorPayout, amount=1),
    "earnings in several live payouts": add_second_payout,
    "earnings that changed while a payout held them, or are not its instructor's or currency's": set_all(
        InstructorPayout, currency="EUR"
    ),
}


@pytest.mark.parametrize("rule", ERRORS)
@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
def test_broken_rule_is_found(paid_sale: Refunds, rule: str) -> None:
    paid_sale.ledger.write(lambda session: ERRORS[rule](session) and None)
    assert paid_sale.ledger.write(ledger_repair.find_ledger_errors) == [f"ledger: 1 {rule}"]
