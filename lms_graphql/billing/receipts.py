"""Contents of receipts and payout statements, apart from the seller and the design."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from lms_graphql.billing.models import PaymentMethod
from lms_graphql.core.money import Money


class ReceiptRefund(NamedTuple):
    amount: Money
    refunded_at: datetime


class Receipt(NamedTuple):
    """A receipt. If the buyer's account was deleted, it has the name of deleted users."""

    reference: str
    buyer_name: str
    course_title: str
    payment_method: PaymentMethod
    amount: Money
    paid_at: datetime
    refunds: Sequence[ReceiptRefund]


class StatementEarning(NamedTuple):
    """Earning in a payout, or the refund of a sale (negative)."""

    earned_at: datetime
    course_title: str
    sale_reference: str
    net_amount: Money
    commission_rate: Decimal
    amount: Money


class StatementCourse(NamedTuple):
    """Sums of the earnings of a course in a payout."""

    course_title: str
    earnings: int
    net_amount: Money
    amount: Money


class Statement(NamedTuple):
    """A payout statement. It lists the earnings, or the courses if there are too many earnings."""

    reference: str
    instructor_name: str
    paid_at: datetime
    period_start: datetime
    period_end: datetime
    commission_rate: Decimal
    transfer_reference: str | None
    amount: Money
    earnings: Sequence[StatementEarning]
    courses: Sequence[StatementCourse]
