"""Money: integers of a currency's smallest unit inside, exact decimals in the API, and never a float."""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from iso4217 import Currency, raw_xml

_FUNDS = {row.findtext("Ccy") for row in raw_xml.iter("CcyNtry") if row.find("CcyNm[@IsFund]") is not None}
_WITHDRAWN = {"BGN": 2, "UYI": 0}
"""Currencies that earlier versions accepted. Amounts in them may be stored, so they stay readable."""

ACTIVE_CURRENCIES: dict[str, int] = {
    currency.code: currency.exponent
    for currency in Currency
    if currency.exponent is not None and currency.code not in _FUNDS
}
"""Number of decimals of each currency that is in use, by ISO 4217. Funds codes and metals are left out."""

DECIMALS: dict[str, int] = {**_WITHDRAWN, **ACTIVE_CURRENCIES}
"""Number of decimals of each currency in which amounts may be stored."""

MAX_UNITS = 10**15
"""Largest amount, in smallest units. A JavaScript number represents it exactly, and no price is larger."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in units of the currency's smallest unit: Money(1999, "USD") is 19.99 dollars."""

    units: int
    currency: str

    @property
    def amount(self) -> Decimal:
        """The amount with exactly the currency's number of decimals: 19.90, not 19.9."""
        return Decimal(self.units).scaleb(-DECIMALS[self.currency])

    def __str__(self) -> str:
        """Return the amount for people: `1,234.50 USD`."""
        return f"{self.amount:,} {self.currency}"


class AmountError(ValueError):
    """An amount that cannot be stored. `limit` is the bound that it exceeds; None if it has too many decimals."""

    def __init__(self, message: str, limit: Decimal | None = None) -> None:
        super().__init__(message)
        self.limit = limit


def to_units(amount: Decimal, currency: str) -> int:
    """Return the amount in smallest units. Raise AmountError if it has too many decimals or is too large."""
    decimals = DECIMALS[currency]
    # An amount may have any number of digits. Comparisons are exact, but `scaleb` rounds to 28 digits.
    largest = Decimal(MAX_UNITS).scaleb(-decimals)
    if not -largest <= amount <= largest:
        raise AmountError("This amount is too large. Use a smaller one.", largest if amount > 0 else -largest)
    rounded = amount.quantize(Decimal(1).scaleb(-decimals), ROUND_DOWN)
    if rounded != amount:
        raise AmountError(f"{currency} amounts have at most {decimals} decimals. Round it.")
    return int(rounded.scaleb(decimals))
