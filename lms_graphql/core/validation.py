"""An input is looked at as a whole: all its faults are told at once, each at its place."""

import unicodedata
from collections.abc import Sequence
from urllib.parse import urlsplit

from lms_graphql.core.errors import DomainError, DomainErrors, ErrorCode

MAX_URL_LENGTH = 2_000
NOT_IN_URLS = '"<>\\`'
MAX_TITLE_LENGTH = 200
MAX_REASON_LENGTH = 1_000
MAX_TEXT_LENGTH = 10_000
MAX_BODY_LENGTH = 50_000


class Validator:
    """
    Each check returns the value as it is stored and collects its errors. `raise_errors` raises them as DomainErrors.
    Before that, a returned value may be unusable.
    """

    def __init__(self) -> None:
        self._faults: list[DomainError] = []

    def add_error(self, code: ErrorCode, message: str, *path: str) -> None:
        self._faults.append(DomainError(code, message, path))

    def add_errors(self, faults: Sequence[DomainError]) -> None:
        self._faults.extend(faults)

    def has_error(self, name: str) -> bool:
        return any(fault.path == (name,) for fault in self._faults)

    def raise_errors(self) -> None:
        if self._faults:
            raise DomainErrors(self._faults)

    def single_line(self, name: str, value: str | None, *, most: int, least: int = 1) -> str:
        """A name or title: trimmed, on one line, not empty."""
        text = (value or "").strip()
        if _is_blank(text):
            self.add_error(ErrorCode.REQUIRED, "Give it: it cannot be empty.", name)
        elif len(text) > most:
            self.add_error(ErrorCode.TOO_LONG, f"Use at most {most} characters.", name)
        elif len(text) < least:
            self.add_error(ErrorCode.TOO_SHORT, f"Use at least {least} characters.", name)
        elif any(_is_control(char) for char in text):
            self.add_error(ErrorCode.INVALID, "Use plain characters on one line.", name)
        return text

    def multi_line(
        self, name: str, value: str | None, *, most: int = MAX_TEXT_LENGTH, required: bool = False
    ) -> str | None:
        """Several lines, kept as they were written; null where it is empty."""
        if value is None or _is_blank(value):
            if required:
                self.add_error(ErrorCode.REQUIRED, "Give it: it cannot be empty.", name)
            return None
        if len(value) > most:
            self.add_error(ErrorCode.TOO_LONG, f"Use at most {most} characters.", name)
        elif any(_is_control(char) for char in value if char not in "\n\r\t"):
            self.add_error(ErrorCode.INVALID, "Use plain characters.", name)
        return value

    def url(self, name: str, value: str | None) -> str | None:
        """An address on the web; null where it is empty."""
        text = (value or "").strip()
        if not text:
            return None
        if len(text) > MAX_URL_LENGTH:
            self.add_error(ErrorCode.TOO_LONG, f"Use at most {MAX_URL_LENGTH} characters.", name)
        elif not _is_web_address(text):
            self.add_error(ErrorCode.INVALID, "Give a whole address, e.g. https://example.com/picture.jpg.", name)
        return text

    def integer(self, name: str, value: int | None, *, least: int = 0, most: int | None = None) -> int:
        """A whole number that is not left empty."""
        if value is None:
            self.add_error(ErrorCode.REQUIRED, "Give it: it cannot be empty.", name)
        elif most is not None and not least <= value <= most:
            self.add_error(ErrorCode.OUT_OF_RANGE, f"Give a number from {least:,} to {most:,}.", name)
        elif value < least:
            self.add_error(ErrorCode.OUT_OF_RANGE, f"Give a number from {least:,} on.", name)
        return value or 0

    def boolean(self, name: str, value: bool | None) -> bool:
        """Yes or no, and not left empty."""
        if value is None:
            self.add_error(ErrorCode.REQUIRED, "Say true or false: it cannot be empty.", name)
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
