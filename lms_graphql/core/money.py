"""Money: integers of a currency's smallest unit inside, exact decimals in the API, and never a float."""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

# ISO 4217: the active currencies by their number of decimals.
_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_TWO_DECIMALS = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY
    COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR
    ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK
    MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP
    SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW ZWG
"""
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"

DECIMALS: dict[str, int] = {
    **dict.fromkeys(_NO_DECIMALS.split(), 0),
    **dict.fromkeys(_TWO_DECIMALS.split(), 2),
    **dict.fromkeys(_THREE_DECIMALS.split(), 3),
}

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


def to_units(amount: Decimal, currency: str) -> int:
    """Return the amount in smallest units. Raise ValueError if it has too many decimals or is too large."""
    decimals = DECIMALS[currency]
    # An amount may have any number of digits. Comparisons are exact, but `scaleb` rounds to 28 digits.
    largest = Decimal(MAX_UNITS).scaleb(-decimals)
    if not -largest <= amount <= largest:
        raise ValueError("This amount is too large. Use a smaller one.")
    rounded = amount.quantize(Decimal(1).scaleb(-decimals), ROUND_DOWN)
    if rounded != amount:
        raise ValueError(f"{currency} amounts have at most {decimals} decimals. Round it.")
    return int(rounded.scaleb(decimals))
