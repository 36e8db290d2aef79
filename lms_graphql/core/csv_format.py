"""CSV files as in RFC 4180, in UTF-8, whose texts no spreadsheet takes for a formula."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum

MEDIA_TYPE = "text/csv; charset=utf-8; header=present"

Cell = str | int | Decimal | datetime | Enum | None

_FORMULA_START = re.compile(r"[\s\ufeff]*[=+\-@＝＋－＠]|[\t\r\n]")
"""Start of a text that a spreadsheet may run as a formula, also after spaces, and in the wide forms of the signs."""
NEUTRALIZER = "'"
"""A spreadsheet shows a text that begins with an apostrophe as it is."""


def csv_lines(rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return the lines of a file. Lines end with CR and LF."""
    file = io.StringIO(newline="")
    csv.writer(file).writerows([_text(cell) for cell in row] for row in rows)
    return file.getvalue().encode()


def _text(cell: Cell) -> str:
    """Return the text of a cell.

    Texts come from users, so those that may be formulas get an apostrophe in front. Numbers never do, because they
    are ours: the minus sign of a negative amount must stay a sign.
    """
    match cell:
        case None:
            return ""
        case Enum():
            return cell.name
        case datetime():
            return cell.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
        case Decimal():
            return format(cell, "f")
        case int():
            return str(cell)
    return f"{NEUTRALIZER}{cell}" if _FORMULA_START.match(cell) else cell
