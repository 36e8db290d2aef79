"""Scalars DateTime and Decimal, which are strict about their input, and the type Money."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import strawberry
from graphql import GraphQLError, IntValueNode, StringValueNode, ValueNode

from lms_graphql.graph.schema.fields import field, object_type
from lms_graphql.graph.schema.strawberry_internals import ScalarDefinition

_RFC_3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)\Z",
    re.ASCII,
)
_DECIMAL = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?\Z", re.ASCII)
_MIN_INTEGER_AS_FLOAT = 2**63
"""The JSON parser returns larger integers as floats. Every float of this size is a whole number."""
_INVALID_DATE_TIME = "Give an RFC 3339 date-time with its offset, for example 2026-01-31T12:00:00Z."
_INVALID_DECIMAL = 'Give a decimal number as a string, for example "19.99", or as an integer.'


def serialize_datetime(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def parse_datetime(value: Any) -> datetime:
    if not isinstance(value, str) or (match := _RFC_3339.match(value)) is None:
        raise GraphQLError(_INVALID_DATE_TIME)
    day, time, fraction, offset = match.groups()
    offset = "+00:00" if offset in "Zz" else offset
    try:
        return datetime.fromisoformat(f"{day}T{time}.{(fraction or '0')[:6]:0<6}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise GraphQLError(_INVALID_DATE_TIME) from None


def serialize_decimal(number: Decimal) -> str:
    return format(number, "f")


def parse_decimal(value: Any) -> Decimal:
    """Return the exact number of a string or an integer. Raise GraphQLError for an exponent, NaN or -0.

    Floats are rejected, because they have lost their exactness before they arrive. Very large ones were integers.
    They are accepted like numbers with any number of digits, so that services report OUT_OF_RANGE at their path.
    """
    if isinstance(value, float) and abs(value) >= _MIN_INTEGER_AS_FLOAT:
        return Decimal(value)
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _DECIMAL.match(text):
        raise GraphQLError(_INVALID_DECIMAL)
    number = Decimal(text)
    if number.is_signed() and number.is_zero():
        raise GraphQLError(_INVALID_DECIMAL)
    return number


def _parse_date_time_literal(node: ValueNode, _variables: Any = None) -> datetime:
    return parse_datetime(node.value if isinstance(node, StringValueNode) else None)


def _parse_decimal_literal(node: ValueNode, _variables: Any = None) -> Decimal:
    return parse_decimal(node.value if isinstance(node, StringValueNode | IntValueNode) else None)


DATE_TIME = strawberry.scalar(
    name="DateTime",
    description="RFC 3339 date-time, for example 2026-01-31T12:00:00Z. Returned in UTC. Input may have any offset.",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=serialize_datetime,
    parse_value=parse_datetime,
    parse_literal=_parse_date_time_literal,
)
DECIMAL = strawberry.scalar(
    name="Decimal",
    description="Exact decimal number, returned as a string. Input: strings and integers, but no floats.",
    specified_by_url="https://datatracker.ietf.org/doc/html/rfc8259#section-6",
    serialize=serialize_decimal,
    parse_value=parse_decimal,
    parse_literal=_parse_decimal_literal,
)

SCALARS: dict[object, ScalarDefinition] = {datetime: DATE_TIME, Decimal: DECIMAL}


@object_type
class Money:
    """An amount of money."""

    amount: Decimal = field('Amount in the currency\'s main unit, with all its decimals, for example "19.90".')
    currency: str = field("ISO 4217 code of the currency, for example USD.")
