"""Status of an earning. It follows from its amount, its payout and the time, so that nothing stores it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, case

from lms_graphql.billing.ledger_models import Earning, InstructorPayout, PayoutStatus
from lms_graphql.core.statements import NOW


class EarningStatus(StrEnum):
    PENDING = "pending"
    AVAILABLE = "available"
    PAID = "paid"
    REVERSED = "reversed"


def status_as_of(
    now: datetime, net_amount: int, available_at: datetime, payout_status: PayoutStatus | None
) -> EarningStatus:
    """Return the status at an instant. `payout_status` is that of the payout that holds the earning."""
    if net_amount == 0:
        return EarningStatus.REVERSED
    if payout_status is PayoutStatus.PAID:
        return EarningStatus.PAID
    return EarningStatus.AVAILABLE if available_at <= now else EarningStatus.PENDING


def current_status() -> ColumnElement[str]:
    """Return the status now, as a column of earnings with an outer join of their payouts. Needs `NOW`."""
    return case(
        (Earning.net_amount == 0, EarningStatus.REVERSED.value),
        (InstructorPayout.status == PayoutStatus.PAID, EarningStatus.PAID.value),
        (Earning.available_at <= NOW, EarningStatus.AVAILABLE.value),
        else_=EarningStatus.PENDING.value,
    )
