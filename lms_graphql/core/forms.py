"""An input is looked at as a whole: all its faults are told at once, each at its place."""

import unicodedata
from collections.abc import Sequence
from urllib.parse import urlsplit

from lms_graphql.core.errors import ErrorCode, Refusal, Refusals

LONGEST_URL = 2_000
NOT_IN_URLS = '"<>\\`'
LONGEST_TITLE = 200
LONGEST_REASON = 1_000
LONGEST_TEXT = 10_000
LONGEST_BODY = 50_000


class Form:
    """
    Each check gives the value as it is kept and notes what is wrong with it; `done` raises Refusals where something
    was. What a check gives before that may be of no use.
    """

    def __init__(self) -> None:
        self._faults: list[Refusal] = []

    def fault(self, code: ErrorCode, message: str, *path: str) -> None:
        self._faults.append(Refusal(code, message, path))

    def add(self, faults: Sequence[Refusal]) -> None:
        self._faults.extend(faults)

    def is_faulty(self, name: str) -> bool:
        return any(fault.path == (name,) for fault in self._faults)

    def done(self) -> None:
        if self._faults:
            raise Refusals(self._faults)

    def line(self, name: str, value: str | None, *, most: int, least: int = 1) -> str:
        """A name or title: trimmed, on one line, not empty."""
        text = (value or "").strip()
        if _is_blank(text):
            self.fault(ErrorCode.REQUIRED, "Give it: it cannot be empty.", name)
        elif len(text) > most:
            self.fault(ErrorCode.TOO_LONG, f"Use at most {most} characters.", name)
        elif len(text) < least:
            self.fault(ErrorCode.TOO_SHORT, f"Use at least {least} characters.", name)
        elif any(_is_control(char) for char in text):
            self.fault(ErrorCode.INVALID, "Use plain characters on one line.", name)
        return text

    def text(self, name: str, value: str | None, *, most: int = LONGEST_TEXT, required: bool = False) -> str | None:
        """Several lines, kept as they were written; null where it is empty."""
        if value is None or _is_blank(value):
            if required:
                self.fault(ErrorCode.REQUIRED, "Give it: it cannot be empty.", name)
            return None
        if len(value) > most:
            self.fault(ErrorCode.TOO_LONG, f"Use at most {most} characters.", name)
        elif any(_is_control(char) for char in value if char not in "\n\r\t"):
            self.fault(ErrorCode.INVALID, "Use plain characters.", name)
        return value

    def url(self, name: str, value: str | None) -> str | None:
        """An address on the web; null where it is empty."""
        text = (value or "").strip()
        if not text:
            return None
        if len(text) > LONGEST_URL:
            self.fault(ErrorCode.TOO_LONG, f"Use at most {LONGEST_URL} characters.", name)
        elif not _is_web_address(text):
            self.fault(ErrorCode.INVALID, "Give a whole address, e.g. https://example.com/picture.jpg.", name)
        return text

    def number(self, name: str, value: int | None, *, least: int = 0, most: int | None = None) -> int:
        """A whole number that is not left empty."""
        if value is None:
            self.fault(ErrorCode.REQUIRED, "Give it: it cannot be empty.", name)
        elif most is not None and not least <= value <= most:
            self.fault(ErrorCode.OUT_OF_RANGE, f"Give a number from {least:,} to {most:,}.", name)
        elif value < least:
            self.fault(ErrorCode.OUT_OF_RANGE, f"Give a number from {least:,} on.", name)
        return value or 0

    def flag(self, name: str, value: bool | None) -> bool:
        """Yes or no, and not left empty."""
        if value is None:
            self.fault(ErrorCode.REQUIRED, "Say true or false: it cannot be empty.", name)
        return bool(value)


def _is_blank(text: str) -> bool:
    """Whether nothing is to be seen in it: spaces, and marks without width that shape what is around them."""
    return all(char.isspace() or unicodedata.category(char) == "Cf" for char in text)


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}


def _is_web_address(text: str) -> bool:
    """One that leads where it seems to: no name before an @, nothing unseen, nothing that ends it in a page."""
    if any(_is_control(char) or unicodedata.category(char) == "Cf" for char in text):
        return False
    if any(char.isspace() or char in NOT_IN_URLS for char in text):
        return False
    try:
        parts = urlsplit(text)
        has_host = bool((parts.hostname or "").strip("."))
        return parts.scheme in {"http", "https"} and has_host and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return False
