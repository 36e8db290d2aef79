"""What certificates are told apart by: a code that only who was given it knows, and a serial that anyone may know."""

import re
import secrets
from collections.abc import Callable
from datetime import datetime

ALPHABET = "34679CDFGHJKMNPQRTVWXY"
"""Without what is mistaken for another, read or written by hand (0O 1IL 2Z 5S 8B U), and without vowels: no words."""
GROUP_COUNT, GROUP_LENGTH = 5, 4
"""20 letters of 22 hold 89 random bits."""
SERIAL_GROUPS = 2
ISSUER = "LWR"
MAX_INPUT_LENGTH = 100
"""More than a code with spaces and dashes between all of its letters."""

_BETWEEN = re.compile(r"[\s\-\u00ad\u2010-\u2015\u2212]+")
"""Spaces and every dash that a mail program, a telephone or a PDF reader may put in a hyphen's place."""
_CODE = re.compile(f"[{ALPHABET}]{{{GROUP_COUNT * GROUP_LENGTH}}}")


RandomChoice = Callable[[str], str]


def new_code(choose: RandomChoice = secrets.choice) -> str:
    """Grouped for reading, which is how it is kept: 7KXM-3CDF-9QRT-GH46-WXYP."""
    return _random(GROUP_COUNT, choose)


def new_serial(issued_at: datetime, choose: RandomChoice = secrets.choice) -> str:
    """
    LWR-2026-7KXM-3CDF: the year, and letters at random, so that it tells neither how many there are nor which others.
    It opens nothing.
    """
    return f"{ISSUER}-{issued_at.year}-{_random(SERIAL_GROUPS, choose)}"


def normalize_code(text: str) -> str | None:
    """The code as it is kept, however it was typed: without case, spaces and dashes. None where it cannot be one."""
    if len(text) > MAX_INPUT_LENGTH:
        return None
    bare = _BETWEEN.sub("", text).upper()
    if not _CODE.fullmatch(bare):
        return None
    return "-".join(bare[start : start + GROUP_LENGTH] for start in range(0, len(bare), GROUP_LENGTH))


def _random(groups: int, choose: RandomChoice) -> str:
    return "-".join("".join(choose(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(groups))
