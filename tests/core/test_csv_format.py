"""CSV: RFC 4180, exact values, and no text that a spreadsheet runs as a formula."""

import csv
import io
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from lms_graphql.core.csv_format import Cell, csv_lines
from lms_graphql.core.money import Money


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (None, ""),
        ("", ""),
        ("plain", "plain"),
        ('a "b", c', '"a ""b"", c"'),
        ("two\r\nlines", '"two\r\nlines"'),
        ("佐藤 ", "佐藤 "),
        (Money(-1399, "USD").amount, "-13.99"),
        (Money(0, "BHD").amount, "0.000"),
        (Money(10**15, "JPY").amount, "1000000000000000"),
        (Decimal("70.00"), "70.00"),
        (-3, "-3"),
        (datetime(2026, 11, 2, 9, 30, tzinfo=UTC), "2026-11-02T09:30:00Z"),
        (datetime(2026, 11, 2, 1, 0, 0, 5, tzinfo=timezone(timedelta(hours=2))), "2026-11-01T23:00:00.000005Z"),
        ("=1+1", "'=1+1"),
        ("+49 30 123", "'+49 30 123"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\rx", '"\'\rx"'),
        ("\nx", '"\'\nx"'),
        ("  =1", "'  =1"),
        ("＝1", "'＝1"),
        ("C++ = fun", "C++ = fun"),
        ("'=1", "'=1"),
    ],
)
def test_cell_is_written_exactly_and_harmless(cell: Cell, expected: str) -> None:
    assert csv_lines([["x", cell, "y"]]).decode() == f"x,{expected},y\r\n"


def test_lines_can_be_read_back() -> None:
    rows = [["name", "note"], ["a\r\nb", 'c"d,e'], ["", "é"]]
    assert list(csv.reader(io.StringIO(csv_lines(rows).decode(), newline=""))) == rows
