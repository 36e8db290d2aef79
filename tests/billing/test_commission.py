"""Split of sales between instructor and platform: exact in all currencies, also after refunds in parts."""

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_graphql.billing.commission import Split, reversal, split, weighted_rate
from lms_graphql.core.money import MAX_UNITS, Money, to_units

SPLITS_FOR_EACH_CURRENCY = 33_334
RATES = st.integers(0, 10_000).map(lambda hundredths: Decimal(hundredths).scaleb(-2))


@pytest.mark.parametrize(
    ("net", "rate", "instructor", "platform"),
    [
        ("0.01", "70", "0.01", "0.00"),
        ("0.01", "33.33", "0.00", "0.01"),
        ("6.45", "70", "4.52", "1.93"),
        ("6.45", "33.33", "2.15", "4.30"),
        ("33.33", "70", "23.33", "10.00"),
        ("33.33", "33.33", "11.11", "22.22"),
        ("99.99", "70", "69.99", "30.00"),
        ("99.99", "33.33", "33.33", "66.66"),
        ("0.05", "50", "0.03", "0.02"),
        ("19.99", "0", "0.00", "19.99"),
        ("19.99", "100", "19.99", "0.00"),
    ],
)
def test_parts_add_up_to_the_net_amount(net: str, rate: str, instructor: str, platform: str) -> None:
    parts = split(to_units(Decimal(net), "USD"), Decimal(rate))
    amounts = [str(Money(units, "USD").amount) for units in (parts.instructor, parts.platform)]
    assert amounts == [instructor, platform]


@pytest.mark.parametrize("currency", ["USD", "JPY", "BHD"])
def test_random_splits_are_exact(currency: str) -> None:
    """Compare with integer arithmetic: 100,000 splits in the three currencies together."""
    numbers = random.Random(currency)
    for _ in range(SPLITS_FOR_EACH_CURRENCY):
        net, hundredths = numbers.randint(0, 10 ** numbers.randint(1, 9)), numbers.randint(0, 10_000)
        parts = split(net, Decimal(hundredths).scaleb(-2))
        assert parts.instructor == (2 * net * hundredths + 10_000) // 20_000
        amounts = [Money(units, currency).amount for units in (parts.instructor, parts.platform, net)]
        assert amounts[0] + amounts[1] == amounts[2]


@given(st.integers(0, MAX_UNITS), RATES, st.lists(st.integers(1, MAX_UNITS), max_size=6))
def test_refunds_in_parts_leave_exact_parts(net: int, rate: Decimal, refunds: list[int]) -> None:
    left = split(net, rate)
    for refund in refunds:
        refunded = min(refund, left.net)
        change = reversal(left, refunded, rate)
        assert -refunded <= change.instructor <= 0
        assert -refunded <= change.platform <= 0
        left = Split(left.net + change.net, left.instructor + change.instructor)
        assert left == split(left.net, rate)


@pytest.mark.parametrize(
    ("earnings", "expected"),
    [
        ([(100, "70"), (300, "50")], "55.00"),
        ([(100, "70"), (50, "33.33")], "57.78"),
        ([(200, "33.33")], "33.33"),
        ([(1000, "70"), (-500, "70")], "70.00"),
        ([(1000, "70"), (-900, "30")], "100"),  # 430 %
        ([(1000, "30"), (-900, "70")], "0"),
        ([(1000, "70"), (-1000, "30")], "100"),  # 4.00 of nothing
    ],
)
def test_payout_rate_is_weighted_by_net_amount(earnings: list[tuple[int, str]], expected: str) -> None:
    assert weighted_rate((net, Decimal(rate)) for net, rate in earnings) == Decimal(expected)
