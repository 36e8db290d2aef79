"""Validation of a course's fields, and their conversion to column values."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from lms_graphql.catalog.language_tags import parse_language_tag
from lms_graphql.core.errors import ErrorCode
from lms_graphql.core.money import ACTIVE_CURRENCIES, DECIMALS, AmountError, to_units
from lms_graphql.core.validation import Validator

MAX_TITLE_LENGTH = 200
MAX_SHORT_DESCRIPTION_LENGTH = 500
MAX_PRICE = 99_999_999_999
"""In smallest units: 999,999,999.99 dollars or rupiah. A higher price is a typing error."""


def validated_columns(validator: Validator, values: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """Return column values for the fields in `values`, except for the category. Errors go to the validator."""
    columns = {}
    for name, value in values.items():
        if name in _CHECKS:
            columns[_COLUMNS.get(name, name)] = _CHECKS[name](validator, name, value)
    if "price" in values:
        columns["price"] = _price(validator, values["price"], currency)
    return columns


def validated_currency(validator: Validator, code: str) -> str:
    if code not in ACTIVE_CURRENCIES:
        validator.add_error(ErrorCode.INVALID, "Unknown currency. Use an ISO 4217 code such as USD.", "currency")
    return code


def _title(validator: Validator, name: str, value: str | None) -> str:
    return validator.single_line(name, value, max_length=MAX_TITLE_LENGTH)


def _description(validator: Validator, name: str, value: str | None) -> str:
    """Return the description. It may be empty, as in a new draft, but not null, because the column is not."""
    if value is None:
        _required(validator, name, value)
    return validator.multi_line(name, value) or ""


def _short_description(validator: Validator, name: str, value: str | None) -> str | None:
    return validator.multi_line(name, value, max_length=MAX_SHORT_DESCRIPTION_LENGTH)


def _required(validator: Validator, name: str, value: Any) -> Any:
    if value is None:
        validator.add_error(ErrorCode.REQUIRED, "A value is required. Leave the field out to keep its value.", name)
    return value


def _language(validator: Validator, name: str, value: str | None) -> str:
    """Return the tag in the case that BCP 47 recommends, because filters compare exactly."""
    tag = parse_language_tag(value or "")
    if not (value or "").strip():
        validator.add_error(ErrorCode.REQUIRED, "A language is required. Use a BCP 47 tag such as en or pt-BR.", name)
    elif tag is None:
        validator.add_error(ErrorCode.INVALID, "Not a language tag. Use a BCP 47 tag such as en or pt-BR.", name)
    return tag or ""


def _price(validator: Validator, amount: Decimal | None, currency: str) -> int:
    """Return the price in smallest units. If the currency is unknown, only the range can be checked."""
    if amount is None:
        _required(validator, "price", amount)
        return 0
    if amount < 0:
        message = "A price cannot be negative. Use 0 for a free course."
        validator.add_error(ErrorCode.OUT_OF_RANGE, message, "price", limit=0)
        return 0
    highest = Decimal(MAX_PRICE).scaleb(-DECIMALS.get(currency, 0))
    if amount > highest:
        message = f"The price is too high. Use at most {MAX_PRICE:,} of the currency's smallest unit."
        validator.add_error(ErrorCode.OUT_OF_RANGE, message, "price", limit=highest)
        return 0
    try:
        return to_units(amount, currency) if currency in DECIMALS else 0
    except AmountError as error:
        validator.add_error(ErrorCode.OUT_OF_RANGE, str(error), "price", limit=error.limit)
        return 0


def _url(validator: Validator, name: str, value: str | None) -> str | None:
    return validator.url(name, value)


_COLUMNS = {"difficulty": "difficulty_level"}
_CHECKS: dict[str, Callable[[Validator, str, Any], Any]] = {
    "title": _title,
    "description": _description,
    "short_description": _short_description,
    "difficulty": _required,
    "language": _language,
    "thumbnail_url": _url,
    "preview_video_url": _url,
    "allow_qa": _required,
    "allow_notes": _required,
    "is_featured": _required,
}
