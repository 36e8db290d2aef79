"""Values and their edge cases: money, ids, scalars, and properties of models."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st

from lms_graphql.accounts.models import User
from lms_graphql.billing.models import Transaction
from lms_graphql.catalog.models import Course, CourseStatus
from lms_graphql.certificates.models import Certificate
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Role
from lms_graphql.core.money import ACTIVE_CURRENCIES, DECIMALS, Money, to_units
from lms_graphql.graph.schema.scalars import parse_datetime, parse_decimal, serialize_datetime, serialize_decimal
from lms_graphql.learning.completion_percent import percent
from lms_graphql.learning.models import CourseProgress


@given(st.from_regex(r"[A-Za-z]{1,40}", fullmatch=True), st.integers(1, 2**63 - 1))
def test_id_round_trips(kind: str, key: int) -> None:
    encoded = global_ids.encode(kind, key)
    assert global_ids.decode(encoded) == (kind, key)
    assert encoded.isascii()
    assert encoded.replace("-", "").replace("_", "").isalnum()


def test_ids_of_true_and_one_are_equal() -> None:
    global_ids.encode.cache_clear()
    assert global_ids.encode("Course", True) == global_ids.encode("Course", 1)
    assert global_ids.decode(global_ids.encode("Course", 1)) == ("Course", 1)


@given(st.text(max_size=60))
def test_decoding_arbitrary_text_never_fails(text: str) -> None:
    decoded = global_ids.decode(text)
    assert decoded is None or global_ids.encode(*decoded) == text


@given(st.sampled_from(sorted(DECIMALS)), st.integers(-(10**15), 10**15))
def test_money_round_trips_exactly(currency: str, units: int) -> None:
    amount = Money(units, currency).amount
    assert to_units(amount, currency) == units
    assert -amount.as_tuple().exponent == DECIMALS[currency]  # type: ignore[operator]


def test_money_has_exactly_the_decimals_of_its_currency() -> None:
    assert str(Money(1990, "USD").amount) == "19.90"
    assert str(Money(1990, "JPY").amount) == "1990"
    assert str(Money(1990, "BHD").amount) == "1.990"
    precise, large = "0." + "0" * 40 + "1", "1" + "0" * 40
    for amount, currency in (("19.999", "USD"), ("1.5", "JPY"), ("1e20", "USD"), (precise, "BHD"), (large, "JPY")):
        with pytest.raises(ValueError, match=r"decimals|large"):
            to_units(Decimal(amount), currency)


# All currencies that any release has accepted, with their decimals. Codes are only ever added.
EARLIER_CURRENCIES = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY
    COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR
    ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK
    MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP
    SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XAD XCD XCG
    YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "UYW",
}


def test_amounts_in_every_earlier_currency_stay_readable() -> None:
    """A currency that has left ISO 4217 belongs to the withdrawn ones; one whose decimals have changed must stay."""
    earlier = {code: decimals for decimals, codes in EARLIER_CURRENCIES.items() for code in codes.split()}
    assert {code: DECIMALS.get(code) for code in earlier} == earlier
    assert ACTIVE_CURRENCIES.keys() - earlier.keys() == set(), "add new currencies to the table"
    assert earlier.keys() - ACTIVE_CURRENCIES.keys() == {"BGN", "UYI"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31t12:00:00.5z", datetime(2026, 1, 31, 12, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-01-31T12:00:00.123456789+02:00", datetime(2026, 1, 31, 10, 0, 0, 123_456, tzinfo=UTC)),
    ],
)
def test_datetime_is_parsed_with_offset(text: str, expected: datetime) -> None:
    assert parse_datetime(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2024", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31 12:00:00Z", "2026-02-30T12:00:00Z", "x",
        "2026-01-31T24:00:00Z", "0001-01-01T00:00:00+23:59", "2026-01-31T12:00:00+25:00", "２０２６-01-31T12:00:00Z",
        5, None,
    ],
)  # fmt: skip
def test_invalid_datetime_is_rejected(text: object) -> None:
    with pytest.raises(GraphQLError, match="RFC 3339"):
        parse_datetime(text)


@given(st.datetimes(timezones=st.just(timezone(timedelta(hours=5)))).filter(lambda value: value.year > 1))
def test_datetime_round_trips(value: datetime) -> None:
    assert parse_datetime(serialize_datetime(value)) == value


@pytest.mark.parametrize(
    "value", ["1.", ".5", "1e3", "NaN", "Infinity", "-0", "-0.00", "+1", " 1", "01", "", 1.5, True, None]
)
def test_invalid_decimal_is_rejected(value: object) -> None:
    with pytest.raises(GraphQLError, match="decimal number"):
        parse_decimal(value)


def test_decimals_are_exact() -> None:
    assert parse_decimal("0.1") + parse_decimal("0.2") == Decimal("0.3")
    assert parse_decimal(12) == Decimal(12)
    assert str(parse_decimal("9" * 40)) == "9" * 40
    assert parse_decimal(2.0**64) == 2**64, "an integer beyond 64 bits arrives as a float"
    assert serialize_decimal(Decimal("1E+3")) == "1000"
    assert serialize_decimal(Decimal("19.90")) == "19.90"


@pytest.mark.parametrize(
    ("done", "required", "expected"),
    [(0, 0, "0.00"), (0, 3, "0.00"), (1, 3, "33.33"), (2, 3, "66.67"), (3, 3, "100.00"), (5, 3, "100.00"),
     (1, 8, "12.50"), (99_999, 100_000, "99.99")],
)  # fmt: skip
def test_percent_is_100_only_when_all_is_done(done: int, required: int, expected: str) -> None:
    assert str(percent(done, required)) == expected


def test_model_properties() -> None:
    user = User(first_name="Ada", last_name="Lovelace", role=Role.INSTRUCTOR, is_active=True, email="ADA@X.org")
    assert user.full_name == "Ada Lovelace"
    assert user.email_key == "ada@x.org"
    assert user.has_permission("course:create")
    assert not user.has_permission("user:manage")
    user.is_active = False
    assert not user.has_permission("course:create")
    user.deleted_at = clock.now()
    assert user.full_name == "Deleted user"
    course = Course(title="Été", price=0, status=CourseStatus.PUBLISHED)
    assert (course.is_free, course.is_published, course.title_key) == (True, True, "ete")
    progress = CourseProgress(completed_lectures=1, total_lectures=2, passed_quizzes=0, total_quizzes=1)
    assert progress.completion_percentage == Decimal("33.33")
    assert not Certificate(expires_at=None).is_expired
    assert Certificate(expires_at=clock.now() - timedelta(seconds=1)).is_expired
    assert Transaction(amount=1000, refunded_amount=300).net_amount == 700
