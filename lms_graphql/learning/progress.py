"""How far someone is, in percent: exact, rounded half up, and never 100 before everything is done."""

from decimal import ROUND_HALF_UP, Decimal

HUNDREDTH = Decimal("0.01")
ALMOST = Decimal("99.99")


def percent(done: int, required: int) -> Decimal:
    """Two decimals. Nothing required: 0, and never complete."""
    if required == 0:
        return Decimal("0.00")
    if done >= required:
        return Decimal("100.00")
    return min(ALMOST, (Decimal(done * 100) / required).quantize(HUNDREDTH, ROUND_HALF_UP))
