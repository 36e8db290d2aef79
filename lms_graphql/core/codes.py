"""Random codes that people read and type. A code gives access to the PDF of a certificate, receipt or statement."""

import re
import secrets
from collections.abc import Callable

ALPHABET = "34679CDFGHJKMNPQRTVWXY"
"""Letters and digits that are not easily confused (no 0O 1IL 2Z 5S 8B U). Without vowels, they form no words."""
GROUP_COUNT, GROUP_LENGTH = 5, 4
"""20 characters out of 22 hold 89 random bits."""
MAX_INPUT_LENGTH = 100
"""More than a code with spaces and dashes between all its characters."""

_SEPARATORS = re.compile(r"[\s\-\u00ad\u2010-\u2015\u2212]+")
"""Spaces, hyphens and every dash that mail programs, telephones or PDF readers may replace a hyphen by."""
_CODE = re.compile(f"[{ALPHABET}]{{{GROUP_COUNT * GROUP_LENGTH}}}")
RandomChoice = Callable[[str], str]


def new_code(choose: RandomChoice = secrets.choice) -> str:
    """Return a random code in groups, the form in which codes are stored: `7KXM-3CDF-9QRT-GH46-WXYP`."""
    return random_groups(GROUP_COUNT, choose)


def random_groups(count: int, choose: RandomChoice = secrets.choice) -> str:
    return "-".join("".join(choose(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(count))


def normalize_code(text: str) -> str | None:
    """Return a typed code in its stored form, ignoring case, spaces and dashes. Return None if it is malformed."""
    if len(text) > MAX_INPUT_LENGTH:
        return None
    characters = _SEPARATORS.sub("", text).upper()
    if not _CODE.fullmatch(characters):
        return None
    return "-".join(characters[start : start + GROUP_LENGTH] for start in range(0, len(characters), GROUP_LENGTH))
