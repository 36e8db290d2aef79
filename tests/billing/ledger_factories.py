"""Factories of sales: paid transactions with payment, access and earning, and invariants of the ledger."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User
from lms_graphql.billing.ledger_models import Earning, InstructorPayout
from lms_graphql.billing.models import (
    FakePayment,
    FakePaymentStatus,
    Payment,
    PaymentMethod,
    PaymentOutcome,
    Transaction,
    TransactionStatus,
)
from lms_graphql.billing.services import earnings, ledger_repair
from lms_graphql.catalog.models import EnrollmentSource
from lms_graphql.core import clock
from lms_graphql.core.database import Database
from lms_graphql.core.money import to_units
from lms_graphql.core.orm import TimestampedModel
from lms_graphql.settings import SESSION_SETTINGS_KEY, Settings
from tests.factories import CourseTree, Factories, global_id

T = TypeVar("T")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Sale:
    """A course that a learner has bought."""

    course: CourseTree
    buyer: User
    transaction: Transaction
    payment: Payment

    @property
    def id(self) -> str:
        return global_id("Transaction", self.transaction)


class LedgerFactories:
    """Creates sales through the ledger's own service, so that they satisfy its invariants."""

    def __init__(self, make: Factories, database: Database) -> None:
        self._make = make
        self._database = database

    def sale(
        self,
        amount: str = "20.00",
        *,
        instructor: User | None = None,
        buyer: User | None = None,
        course: CourseTree | None = None,
        currency: str = "USD",
        days_ago: int = 0,
        method: PaymentMethod = PaymentMethod.FAKE,
        settings: Settings | None = None,
    ) -> Sale:
        """Create a sale at the fake gateway. After 30 days its earning is available. `settings` have the rate."""
        price = to_units(Decimal(amount), currency)
        course = course or self._make.course(instructor=instructor, price=price, currency=currency)
        buyer = buyer or self._make.user()
        self._make.enrollment(buyer, course, source=EnrollmentSource.PURCHASE)
        completed_at = clock.now() - timedelta(days=days_ago)
        money = {"amount": price, "currency": currency}
        number = next(_numbers)
        transaction = Transaction(
            user_id=buyer.id,
            course_id=course.row.id,
            transaction_id=f"T-LEDGER-{number}",
            status=TransactionStatus.COMPLETED,
            payment_method=method,
            completed_at=completed_at,
            **money,
        )

        def add(session: Session) -> Sale:
            session.info[SESSION_SETTINGS_KEY] = settings
            session.add(transaction)
            session.flush()
            payment_id = f"payment-{number}"
            if method is PaymentMethod.FAKE:
                payment_id = f"fake_payment_{_add_fake_payment(session, transaction)}"
            payment = Payment(
                transaction_id=transaction.id,
                payment_method=method,
                gateway_payment_id=payment_id,
                outcome=PaymentOutcome.BOOKED,
                **money,
            )
            session.add(payment)
            earnings.record_sale(session, transaction)
            return Sale(course, buyer, transaction, payment)

        return self.write(add)

    def next_number(self) -> int:
        return next(_numbers)

    def write(self, work: Callable[[Session], T]) -> T:
        return self._database.write_sync(work)

    def row(self, row: T) -> T:
        """Return the row as it is stored now."""
        model: Any = type(row)
        key = row.id if isinstance(row, TimestampedModel) else None
        return self._database.read_sync(lambda session: session.get_one(model, key, populate_existing=True))

    def earnings(self, sale: Sale) -> list[Earning]:
        statement = select(Earning).where(Earning.transaction_id == sale.transaction.id).order_by(Earning.sequence)
        return self._database.read_sync(lambda session: list(session.scalars(statement)))

    def payouts(self) -> list[InstructorPayout]:
        statement = select(InstructorPayout).order_by(InstructorPayout.id)
        return self._database.read_sync(lambda session: list(session.scalars(statement)))

    def count(self, model: Any) -> int:
        return self._database.read_sync(lambda session: session.scalar(select(func.count()).select_from(model)) or 0)

    def problems(self) -> list[str]:
        """Return what `db check` reports about the ledger."""
        return self._database.read_sync(
            lambda session: ledger_repair.find_ledger_drift(session) + ledger_repair.find_ledger_errors(session)
        )


def _add_fake_payment(session: Session, transaction: Transaction) -> int:
    payment = FakePayment(
        token=transaction.transaction_id,
        reference=transaction.transaction_id,
        amount=transaction.amount,
        currency=transaction.currency,
        description="A course",
        return_url="https://learn.example.com/",
        status=FakePaymentStatus.PAID,
        expires_at=clock.now(),
    )
    session.add(payment)
    session.flush()
    return payment.id
