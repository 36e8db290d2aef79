"""How far someone is, in percent: exact, rounded half up, and never 100 before everything is done."""

from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import ColumnElement, case

HUNDREDTH = Decimal("0.01")
MAX_INCOMPLETE = Decimal("99.99")


def percent(done: int, required: int) -> Decimal:
    """Two decimals. Nothing required: 0, and never complete."""
    if required == 0:
        return Decimal("0.00")
    if done >= required:
        return Decimal("100.00")
    return min(MAX_INCOMPLETE, (Decimal(done * 100) / required).quantize(HUNDREDTH, ROUND_HALF_UP))


def all_done(done: int, required: int) -> bool:
    """Whether everything is done. Nothing required: never."""
    return 0 < required <= done


def percent_hundredths_sql(done: ColumnElement[int], required: ColumnElement[int]) -> ColumnElement[int]:
    """The same in SQL, as whole hundredths of a percent. None of it is a float, on any database."""
    doubled = done * 20_000 + required  # one half more, so that cutting off rounds half up
    whole = (doubled - doubled % (required * 2)) // (required * 2)  # nothing is left over that MariaDB would round
    return case((required == 0, 0), (done >= required, 10_000), (whole > 9_999, 9_999), else_=whole)


def rounded_mean(total: int | Decimal, number: int) -> float:
    """Two decimals, rounded half up; 0 of nothing."""
    return float((Decimal(total) / number).quantize(HUNDREDTH, ROUND_HALF_UP)) if number else 0.0
