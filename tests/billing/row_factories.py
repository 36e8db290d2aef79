"""Factories of payments, refunds, earnings and payouts, without the services that normally write them."""

import itertools
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User
from lms_graphql.billing.ledger_models import Earning, InstructorPayout, PayoutItem, PayoutStatus
from lms_graphql.billing.models import (
    Payment,
    PaymentOutcome,
    Refund,
    RefundKind,
    RefundStatus,
    Transaction,
)
from lms_graphql.core.database import Database
from tests.row_writer import START

T = TypeVar("T")


class RowFactories:
    """Creates rows and commits them. Keyword arguments override the defaults of columns."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._numbers = itertools.count(1)

    def payment(self, transaction: Transaction, outcome: PaymentOutcome = PaymentOutcome.BOOKED) -> Payment:
        payment = Payment(
            transaction_id=transaction.id,
            payment_method=transaction.payment_method,
            gateway_payment_id=f"payment-{next(self._numbers)}",
            amount=transaction.amount,
            currency=transaction.currency,
            outcome=outcome,
        )
        return self._add(payment)

    def refund(
        self, payment: Payment, amount: int, status: RefundStatus = RefundStatus.SUCCEEDED, **values: Any
    ) -> Refund:
        defaults = {"kind": RefundKind.ADMIN, "reason": "Goodwill", "completed_at": START, **values}
        reference = f"R-{next(self._numbers)}"
        keys = {"transaction_id": payment.transaction_id, "payment_id": payment.id}
        return self._add(Refund(**keys, reference=reference, amount=amount, status=status, **defaults))

    def earning(self, transaction: Transaction, instructor: User, net: int = 1999, **values: Any) -> Earning:
        """Create an earning of 70 %, which is available."""
        amount = round(net * 0.7)
        defaults = {
            "sequence": 0,
            "currency": transaction.currency,
            "net_amount": net,
            "amount": amount,
            "platform_amount": net - amount,
            "commission_rate": Decimal(70),
            "available_at": START,
            "created_at": START,
        }
        keys = {"instructor_id": instructor.id, "transaction_id": transaction.id}
        return self._add(Earning(**keys, **{**defaults, **values}))

    def payout(self, instructor: User, earnings: Sequence[Earning], **values: Any) -> InstructorPayout:
        """Create a PAID payout of the earnings."""
        defaults = {
            "payout_id": f"P-{next(self._numbers)}",
            "amount": sum(earning.amount for earning in earnings),
            "currency": "USD",
            "commission_rate": Decimal(70),
            "period_start": START,
            "period_end": START,
            "status": PayoutStatus.PAID,
            "processed_at": START,
            "created_at": START,
        }
        payout = self._add(InstructorPayout(instructor_id=instructor.id, **{**defaults, **values}))

        def hold(session: Session) -> None:
            for earning in earnings:
                session.merge(earning).payout_id = payout.id
                amounts = {"net_amount": earning.net_amount, "amount": earning.amount}
                session.add(PayoutItem(payout_id=payout.id, earning_id=earning.id, **amounts))

        self._database.write_sync(hold)
        return payout

    def _add(self, row: T) -> T:
        self._database.write_sync(lambda session: session.add(row))
        return row
