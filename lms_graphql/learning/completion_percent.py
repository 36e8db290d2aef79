"""Completion percentages: exact, rounded half up, and 100 only if everything is done."""

from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import ColumnElement, case

HUNDREDTH = Decimal("0.01")
MAX_INCOMPLETE = Decimal("99.99")


def percent(done: int, required: int) -> Decimal:
    """Return the percentage with two decimals. It is 0 if nothing is required."""
    if required == 0:
        return Decimal("0.00")
    if done >= required:
        return Decimal("100.00")
    return min(MAX_INCOMPLETE, (Decimal(done * 100) / required).quantize(HUNDREDTH, ROUND_HALF_UP))


def percent_hundredths(done: int, required: int) -> int:
    """Return the percentage in hundredths of a percent, as `percent_hundredths_sql` does."""
    return int(percent(done, required).scaleb(2))


def is_complete(done: int, required: int) -> bool:
    """Return whether everything required is done. If nothing is required, it is never complete."""
    return 0 < required <= done


def percent_hundredths_sql(done: ColumnElement[int], required: ColumnElement[int]) -> ColumnElement[int]:
    """Return the percentage in SQL, in whole hundredths of a percent. No database computes it with floats."""
    doubled = done * 20_000 + required  # one half is added, so that truncation rounds half up
    # The remainder is subtracted before the division, or MariaDB would round the result.
    hundredths = (doubled - doubled % (required * 2)) // (required * 2)
    return case((required == 0, 0), (done >= required, 10_000), (hundredths > 9_999, 9_999), else_=hundredths)


def rounded_mean(total: int | Decimal, number: int) -> float:
    """Return the mean with two decimals, rounded half up. The mean of no values is 0."""
    return float((Decimal(total) / number).quantize(HUNDREDTH, ROUND_HALF_UP)) if number else 0.0
