"""Amounts at PayPal, which are decimal numbers in the currencies that it supports."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from lms_graphql.billing.gateways.interface import GatewayRejectedError
from lms_graphql.core.money import DECIMALS, Money, to_units

_CURRENCIES = "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN RUB SEK SGD THB TWD USD"
CURRENCIES = frozenset(_CURRENCIES.split())
WITHOUT_DECIMALS = {"HUF", "JPY", "TWD"}


def to_paypal_amount(money: Money) -> dict[str, str]:
    """Return the amount as PayPal writes it. Raise GatewayRejectedError if it does not exist there."""
    if money.currency not in CURRENCIES:
        raise GatewayRejectedError(f"PayPal does not support {money.currency}.")
    value = money.amount
    if money.currency in WITHOUT_DECIMALS:
        if value != int(value):
            raise GatewayRejectedError(f"PayPal has no amounts as exact as {value} {money.currency}.")
        value = Decimal(int(value))
    return {"currency_code": money.currency, "value": str(value)}


def from_paypal_amount(amount: Mapping[str, Any]) -> Money:
    """Return the amount that PayPal reports. Raise ValueError if it is not an amount."""
    currency = amount["currency_code"]
    if currency not in DECIMALS:
        raise ValueError("This currency is unknown.")
    try:
        return Money(to_units(Decimal(amount["value"]), currency), currency)
    except InvalidOperation:
        raise ValueError("This amount is not a number.") from None
