"""Commission: the split of a sale between its instructor and the platform. Exact, without floats."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

MAX_RATE = Decimal(100)
HUNDREDTH = Decimal("0.01")


class Split(NamedTuple):
    """Parts of a net amount, in smallest units. Their sum is the net amount."""

    net: int
    instructor: int

    @property
    def platform(self) -> int:
        return self.net - self.instructor


def split(net: int, rate: Decimal) -> Split:
    """Split a net amount in smallest units. `rate` is the instructor's percentage, and the platform gets the rest.

    The instructor's part is rounded half up. Reducing the net amount by n reduces each part by 0 to n, so that a
    refund never increases a part, and no part becomes negative.
    """
    part = (net * rate / MAX_RATE).quantize(Decimal(1), ROUND_HALF_UP)
    return Split(net, int(part))


def reversal(sold: Split, refunded: int, rate: Decimal) -> Split:
    """Return the change of both parts if this much of a sale is refunded. `sold` is what is left of the sale.

    The parts that remain are those of a sale of the remaining net amount. Thus the rounding differences of several
    refunds do not add up, and a full refund leaves exactly 0.
    """
    remaining = split(sold.net - refunded, rate)
    return Split(-refunded, remaining.instructor - sold.instructor)


def weighted_rate(earnings: Iterable[tuple[int, Decimal]]) -> Decimal:
    """Return the mean of the rates of (net amount, rate), weighted by net amount, with two decimals.

    Negative net amounts of refunds count as they are. If they leave no meaningful mean, it is the nearest of 0 and
    100.
    """
    weighted, total = Decimal(0), 0
    for net, rate in earnings:
        weighted += net * rate
        total += net
    if total <= 0:
        return MAX_RATE
    mean = (weighted / total).quantize(HUNDREDTH, ROUND_HALF_UP)
    return min(max(mean, Decimal(0)), MAX_RATE)
