"""Amounts at Stripe and PayPal: each either becomes the same amount again, or is rejected."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_graphql.billing.gateways.interface import GatewayRejectedError
from lms_graphql.billing.gateways.paypal_amounts import CURRENCIES, from_paypal_amount, to_paypal_amount
from lms_graphql.billing.gateways.stripe_amounts import from_stripe_units, to_stripe_units
from lms_graphql.core.money import DECIMALS, MAX_UNITS, Money

MONEY = st.builds(Money, st.integers(0, MAX_UNITS), st.sampled_from(sorted(DECIMALS)))


@given(MONEY)
def test_amount_returns_from_stripe_unchanged(money: Money) -> None:
    try:
        units = to_stripe_units(money)
    except GatewayRejectedError:
        assert money.currency == "MGA" or DECIMALS[money.currency] == 3
        return
    assert from_stripe_units(units, money.currency.lower()) == money


@given(MONEY)
def test_amount_returns_from_paypal_unchanged(money: Money) -> None:
    try:
        amount = to_paypal_amount(money)
    except GatewayRejectedError:
        assert money.currency not in CURRENCIES or money.currency in {"HUF", "TWD"}
        return
    assert Decimal(amount["value"]) == money.amount
    assert from_paypal_amount(amount) == money


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e400", "19.999", "x", ""])
def test_amount_that_is_not_money_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        from_paypal_amount({"currency_code": "USD", "value": value})


@pytest.mark.parametrize(("units", "currency"), [(550, "isk"), (501, "ugx"), (1, "xxx"), (1, "")])
def test_amount_that_stripe_cannot_mean_is_refused(units: int, currency: str) -> None:
    with pytest.raises(ValueError, match=r"fraction|unknown"):
        from_stripe_units(units, currency)
