"""The two scalars that GraphQL does not bring, strict in what they take."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import strawberry
from graphql import GraphQLError, IntValueNode, StringValueNode, ValueNode
from strawberry.types.scalar import ScalarDefinition

from lms_graphql.graph.schema.fields import field, object_type

_RFC_3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)\Z",
    re.ASCII,
)
_DECIMAL = re.compile(r"-?(?:0|[1-9]\d{0,17})(?:\.\d{1,12})?\Z", re.ASCII)
_NO_INSTANT = "Give an RFC 3339 instant with its offset, e.g. 2026-01-31T12:00:00Z."
_NO_DECIMAL = 'Give a decimal number as a string, e.g. "19.99", or as an integer.'


def serialize_datetime(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def parse_datetime(value: Any) -> datetime:
    if not isinstance(value, str) or (found := _RFC_3339.match(value)) is None:
        raise GraphQLError(_NO_INSTANT)
    day, time, fraction, offset = found.groups()
    offset = "+00:00" if offset in "Zz" else offset
    try:
        return datetime.fromisoformat(f"{day}T{time}.{(fraction or '0')[:6]:0<6}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise GraphQLError(_NO_INSTANT) from None


def serialize_decimal(number: Decimal) -> str:
    return format(number, "f")


def parse_decimal(value: Any) -> Decimal:
    """Strings and integers only: a float has lost its exactness before it arrives. No exponent, no NaN, no -0."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _DECIMAL.match(text):
        raise GraphQLError(_NO_DECIMAL)
    number = Decimal(text)
    if number.is_signed() and number.is_zero():
        raise GraphQLError(_NO_DECIMAL)
    return number


def _literal_instant(node: ValueNode, _variables: Any = None) -> datetime:
    return parse_datetime(node.value if isinstance(node, StringValueNode) else None)


def _literal_decimal(node: ValueNode, _variables: Any = None) -> Decimal:
    return parse_decimal(node.value if isinstance(node, StringValueNode | IntValueNode) else None)


DATE_TIME = strawberry.scalar(
    name="DateTime",
    description="RFC 3339 instant in UTC, e.g. 2026-01-31T12:00:00Z.",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=serialize_datetime,
    parse_value=parse_datetime,
    parse_literal=_literal_instant,
)
DECIMAL = strawberry.scalar(
    name="Decimal",
    description="Exact decimal number, serialised as a string. Strings and integers are taken, floats are not.",
    specified_by_url="https://datatracker.ietf.org/doc/html/rfc8259#section-6",
    serialize=serialize_decimal,
    parse_value=parse_decimal,
    parse_literal=_literal_decimal,
)

SCALARS: dict[object, ScalarDefinition] = {datetime: DATE_TIME, Decimal: DECIMAL}


@object_type
class Money:
    """An amount of money. `amount` has exactly the currency's number of decimals."""

    amount: Decimal = field('In the currency\'s main unit, e.g. "19.90".')
    currency: str = field("ISO 4217 code, e.g. USD.")
