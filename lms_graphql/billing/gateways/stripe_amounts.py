"""Amounts at Stripe, which are integers, but not always of ISO 4217's smallest unit."""

from lms_graphql.billing.gateways.interface import GatewayRejectedError
from lms_graphql.core.money import DECIMALS, Money

SPECIAL_DECIMALS = {"ISK": 2, "MGA": 0, "UGX": 2}
"""Currencies in which Stripe counts decimals unlike ISO 4217. Króna and shilling had cents in the past."""
THREE_DECIMALS_STEP = 10
"""Networks of cards know two decimals of a dinar, so that the third must be 0."""


def to_stripe_units(money: Money) -> int:
    """Return the amount as Stripe counts it. Raise GatewayRejectedError if it does not exist there."""
    decimals = DECIMALS[money.currency]
    stripe_decimals = SPECIAL_DECIMALS.get(money.currency, decimals)
    units, rest = divmod(money.units * 10**stripe_decimals, 10**decimals)
    if rest or (decimals == 3 and units % THREE_DECIMALS_STEP):
        raise GatewayRejectedError(f"Stripe has no amounts as exact as {money.amount} {money.currency}.")
    return units


def from_stripe_units(units: int, currency: str) -> Money:
    """Return the amount that Stripe reports. Raise ValueError if our smallest unit is too large for it."""
    code = currency.upper()
    if code not in DECIMALS:
        raise ValueError("This currency is unknown.")
    decimals = DECIMALS[code]
    our_units, rest = divmod(units * 10**decimals, 10 ** SPECIAL_DECIMALS.get(code, decimals))
    if rest:
        raise ValueError("This amount is a fraction of the smallest unit.")
    return Money(our_units, code)
