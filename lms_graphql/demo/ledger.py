"""Demo earnings and payouts: the sales and refunds of each instructor in the order of time, with monthly payouts.

The rules are those of the services: the split, the hold, the minimum, and refunds before and after a payout.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import NamedTuple

from lms_graphql.billing.commission import Split, reversal, split, weighted_rate
from lms_graphql.billing.ledger_models import (
    Earning,
    EarningEntry,
    InstructorCommission,
    InstructorPayout,
    PayoutItem,
    PayoutStatus,
)
from lms_graphql.billing.references import new_payout_reference
from lms_graphql.billing.services.payouts import minimum_in_units
from lms_graphql.core import codes
from lms_graphql.demo.courses import DemoCourse
from lms_graphql.demo.row_buffer import RowBuffer
from lms_graphql.demo.timeline import START, TODAY
from lms_graphql.settings import Settings

RUN_DELAY = timedelta(days=1, hours=6)
"""Time from the end of a month to its payout run."""
TRANSFER_TIME = timedelta(days=3)
"""Time from the run to the transfer."""
PERIOD_ENDS = tuple(
    TODAY.replace(year=month // 12, month=month % 12 + 1, day=1)
    for month in range(12 * START.year + START.month, 12 * TODAY.year + TODAY.month - 1)
)
"""First day of each month whose payout run is in the time of the demo."""
FIRST_UNSETTLED = PERIOD_ENDS[-2]
"""The payouts of the last two runs are still scheduled."""


class SpecialRate(NamedTuple):
    """Commission rate of one instructor, which sales have since an instant."""

    instructor_key: int
    rate: Decimal
    since: datetime


class MoneyEvent(NamedTuple):
    """Sale, or refund if it has a `refund_key`. Refunds come after the sale of their transaction."""

    time: datetime
    transaction_key: int
    units: int
    refund_key: int | None = None


@dataclass(slots=True)
class DemoEarning:
    """Earning with the sums of its entries."""

    key: int
    transaction_key: int
    sequence: int
    parts: Split
    rate: Decimal
    created_at: datetime
    available_at: datetime
    updated_at: datetime
    payout_key: int | None = None


@dataclass(slots=True)
class Account:
    """Sales of one instructor in one currency, and their earnings by transaction."""

    instructor_key: int
    currency: str
    events: list[MoneyEvent] = field(default_factory=list)
    earnings: dict[int, list[DemoEarning]] = field(default_factory=dict)
    unpaid: list[DemoEarning] = field(default_factory=list)


class LedgerBuilder:
    """Collector of sales and refunds, from which `add` makes the earnings and payouts."""

    def __init__(self, rows: RowBuffer, settings: Settings, special_rate: SpecialRate | None) -> None:
        self._rows = rows
        self._settings = settings
        self._special_rate = special_rate
        self._accounts: dict[tuple[int, str], Account] = {}

    def add_event(self, course: DemoCourse, event: MoneyEvent) -> None:
        key = (course.instructor_key, course.price.currency)
        self._accounts.setdefault(key, Account(*key)).events.append(event)

    def add(self, rng: Callable[[str], Random]) -> None:
        """Add the earnings and payouts of all sales, and the special rate. The transactions were written before."""
        if (rate := self._special_rate) is not None:
            times = {"created_at": rate.since, "updated_at": rate.since}
            key = self._rows.next_key(InstructorCommission)
            self._rows.add(InstructorCommission, id=key, **times, instructor_id=rate.instructor_key, rate=rate.rate)
        for (instructor_key, currency), account in sorted(self._accounts.items()):
            self._add_account(account, rng(f"payouts/{instructor_key}/{currency}"))
            self._rows.write()

    def _add_account(self, account: Account, rng: Random) -> None:
        events = sorted(account.events, key=lambda event: (event.time, event.transaction_key), reverse=True)
        for period_end in PERIOD_ENDS:
            run_at = period_end + RUN_DELAY
            while events and events[-1].time <= run_at:
                self._apply(account, events.pop())
            self._run_payouts(account, period_end, rng)
        while events:
            self._apply(account, events.pop())
        for earnings in account.earnings.values():
            for earning in earnings:
                self._add_earning(account, earning)

    def _apply(self, account: Account, event: MoneyEvent) -> None:
        if event.refund_key is None:
            rate = self._rate(account.instructor_key, event.time)
            available_at = event.time + timedelta(days=self._settings.earnings_hold_days)
            self._open_earning(account, event, split(event.units, rate), rate, available_at)
            return
        earnings = account.earnings[event.transaction_key]
        sale = earnings[0]
        left = Split(sum(row.parts.net for row in earnings), sum(row.parts.instructor for row in earnings))
        change = reversal(left, event.units, sale.rate)
        if sale.payout_key is not None:
            self._open_earning(account, event, change, sale.rate, event.time)
            return
        sale.parts = Split(sale.parts.net + change.net, sale.parts.instructor + change.instructor)
        sale.updated_at = event.time
        self._add_entry(sale.key, change, event)

    def _rate(self, instructor_key: int, sold_at: datetime) -> Decimal:
        special = self._special_rate
        if special is not None and instructor_key == special.instructor_key and sold_at >= special.since:
            return special.rate
        return self._settings.commission_rate

    def _open_earning(
        self, account: Account, event: MoneyEvent, parts: Split, rate: Decimal, available_at: datetime
    ) -> None:
        key, of_sale = self._rows.next_key(Earning), account.earnings.setdefault(event.transaction_key, [])
        earning = DemoEarning(
            key, event.transaction_key, len(of_sale), parts, rate, event.time, available_at, event.time
        )
        of_sale.append(earning)
        account.unpaid.append(earning)
        self._add_entry(key, parts, event)

    def _run_payouts(self, account: Account, period_end: datetime, rng: Random) -> None:
        """Pay the available earnings out, unless their sum is below the minimum."""
        payable = [row for row in account.unpaid if row.available_at < period_end and row.parts.net != 0]
        amount = sum(row.parts.instructor for row in payable)
        if amount <= 0 or amount < minimum_in_units(self._settings.payout_minimum, account.currency):
            return
        key, run_at = self._rows.next_key(InstructorPayout), period_end + RUN_DELAY
        for earning in payable:
            earning.payout_key, earning.updated_at = key, run_at
            self._add_item(key, earning, run_at)
        account.unpaid = [row for row in account.unpaid if row.payout_key is None]
        paid_at = run_at + TRANSFER_TIME if period_end < FIRST_UNSETTLED else None
        self._rows.add(
            InstructorPayout,
            id=key,
            created_at=run_at,
            updated_at=paid_at or run_at,
            instructor_id=account.instructor_key,
            payout_id=new_payout_reference(rng.choice),
            amount=amount,
            currency=account.currency,
            commission_rate=weighted_rate((row.parts.net, row.rate) for row in payable),
            period_start=min(row.available_at for row in payable),
            period_end=period_end,
            status=PayoutStatus.SCHEDULED if paid_at is None else PayoutStatus.PAID,
            external_payout_id=None if paid_at is None else f"SEPA {paid_at:%Y-%m-%d} {rng.randrange(10**6):06}",
            processed_at=paid_at,
            statement_code=None if paid_at is None else codes.new_code(rng.choice),
        )

    def _add_item(self, payout_key: int, earning: DemoEarning, time: datetime) -> None:
        self._rows.add(
            PayoutItem,
            id=self._rows.next_key(PayoutItem),
            created_at=time,
            updated_at=time,
            payout_id=payout_key,
            earning_id=earning.key,
            net_amount=earning.parts.net,
            amount=earning.parts.instructor,
        )

    def _add_entry(self, earning_key: int, parts: Split, event: MoneyEvent) -> None:
        self._rows.add(
            EarningEntry,
            id=self._rows.next_key(EarningEntry),
            created_at=event.time,
            updated_at=event.time,
            earning_id=earning_key,
            refund_id=event.refund_key,
            net_amount=parts.net,
            amount=parts.instructor,
            platform_amount=parts.platform,
        )

    def _add_earning(self, account: Account, earning: DemoEarning) -> None:
        self._rows.add(
            Earning,
            id=earning.key,
            created_at=earning.created_at,
            updated_at=earning.updated_at,
            instructor_id=account.instructor_key,
            transaction_id=earning.transaction_key,
            sequence=earning.sequence,
            currency=account.currency,
            net_amount=earning.parts.net,
            amount=earning.parts.instructor,
            platform_amount=earning.parts.platform,
            commission_rate=earning.rate,
            available_at=earning.available_at,
            payout_id=earning.payout_key,
        )
