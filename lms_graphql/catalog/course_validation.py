"""What may be said of a course, checked and turned into its columns."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from lms_graphql.core.errors import ErrorCode
from lms_graphql.core.money import DECIMALS, to_units
from lms_graphql.core.validation import Validator

MAX_TITLE_LENGTH = 200
LONGEST_SHORT_DESCRIPTION = 500
LONGEST_LANGUAGE = 35
MAX_PRICE = 99_999_999_999
"""Smallest units: 999,999,999.99 dollars or rupiah. A slip of the keyboard, not a price, lies above it."""
_LANGUAGE = re.compile(r"[a-z]{2,8}(-[a-z0-9]{1,8})*\Z", re.IGNORECASE | re.ASCII)


def validated_columns(form: Validator, said: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """By column, for each thing that was said; what is wrong is noted. The category is not among them."""
    kept = {}
    for name, value in said.items():
        if name in _CHECKS:
            kept[_COLUMNS.get(name, name)] = _CHECKS[name](form, name, value)
    if "price" in said:
        kept["price"] = _price(form, said["price"], currency)
    return kept


def validated_currency(form: Validator, code: str) -> str:
    if code not in DECIMALS:
        form.add_error(ErrorCode.INVALID, "Give an ISO 4217 code, e.g. USD.", "currency")
    return code


def _title(form: Validator, name: str, value: str | None) -> str:
    return form.single_line(name, value, most=MAX_TITLE_LENGTH)


def _description(form: Validator, name: str, value: str | None) -> str:
    """Empty for a draft that has none yet; null would be none at all."""
    if value is None:
        _needed(form, name, value)
    return form.multi_line(name, value) or ""


def _short_description(form: Validator, name: str, value: str | None) -> str | None:
    return form.multi_line(name, value, most=LONGEST_SHORT_DESCRIPTION)


def _needed(form: Validator, name: str, value: Any) -> Any:
    if value is None:
        form.add_error(ErrorCode.REQUIRED, "Give it: it cannot be empty.", name)
    return value


def _language(form: Validator, name: str, value: str | None) -> str:
    """As BCP 47 recommends: en, pt-BR, zh-Hant-TW. Filters compare it to the letter."""
    tag = (value or "").strip()
    if not tag:
        _needed(form, name, None)
    elif len(tag) > LONGEST_LANGUAGE or not _LANGUAGE.match(tag):
        form.add_error(ErrorCode.INVALID, "Give a BCP 47 tag, e.g. en or pt-BR.", name)
    language, *others = tag.lower().split("-")
    shapes: dict[int, Callable[[str], str]] = {2: str.upper, 4: str.title}
    single = next((place for place, part in enumerate(others) if len(part) == 1), len(others))
    shaped = [shapes.get(len(part), str)(part) if place < single else part for place, part in enumerate(others)]
    return "-".join([language, *shaped])


def _price(form: Validator, amount: Decimal | None, code: str) -> int:
    """Smallest units. Of a currency that nobody knows only the sign can be wrong."""
    if amount is None:
        _needed(form, "price", amount)
        return 0
    try:
        units = to_units(amount, code) if code in DECIMALS else int(amount)
    except ValueError as error:
        form.add_error(ErrorCode.OUT_OF_RANGE, str(error), "price")
        return 0
    if amount < 0 or units > MAX_PRICE:
        form.add_error(ErrorCode.OUT_OF_RANGE, "Give a price of nought or more, and not beyond all measure.", "price")
    return units


def _url(form: Validator, name: str, value: str | None) -> str | None:
    return form.url(name, value)


_COLUMNS = {"difficulty": "difficulty_level"}
_CHECKS: dict[str, Callable[[Validator, str, Any], Any]] = {
    "title": _title,
    "description": _description,
    "short_description": _short_description,
    "difficulty": _needed,
    "language": _language,
    "thumbnail_url": _url,
    "preview_video_url": _url,
    "allow_qa": _needed,
    "allow_notes": _needed,
    "is_featured": _needed,
}
