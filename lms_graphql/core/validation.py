"""Validation of inputs: all errors of an input are collected and raised together, each with its field."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar
from urllib.parse import urlsplit

import regex

from lms_graphql.core.errors import DomainError, DomainErrors, ErrorCode
from lms_graphql.core.text import is_blank, trim

MAX_URL_LENGTH = 2_000
MAX_TITLE_LENGTH = 200
MAX_REASON_LENGTH = 1_000
MAX_TEXT_LENGTH = 10_000
MAX_BODY_LENGTH = 50_000

Number = TypeVar("Number", int, Decimal)

REQUIRED_MESSAGE = "This field is required."

_PASTED_BREAK = regex.compile(r"[\v\f\x85\u2028\u2029]")
"""Line and paragraph separators that word processors and web pages put into copied texts."""
_NOT_IN_LINES = regex.compile(r"[\p{Cc}\p{Cs}]")
_NOT_IN_TEXTS = regex.compile(r"(?V1)[[\p{Cc}\p{Cs}]--[\n\r\t]]")
_NOT_IN_URLS = regex.compile(r'[\p{Cc}\p{Cs}\p{Cf}\p{Default_Ignorable_Code_Point}\p{White_Space}"<>\\`]')
"""Invisible characters, and those that could end a URL inside a page."""


class Validator:
    """
    Checks of an input's fields. Each check returns the value as it is stored, and collects errors. The value may be
    unusable until `raise_errors` has been called, which raises the errors as DomainErrors.
    """

    def __init__(self) -> None:
        self._errors: list[DomainError] = []
        self._prefix: tuple[str, ...] = ()

    def within(self, *prefix: str) -> "Validator":
        """Return a validator for the fields of a nested input. It collects into the errors of this one."""
        nested = Validator()
        nested._errors, nested._prefix = self._errors, (*self._prefix, *prefix)
        return nested

    def add_error(self, code: ErrorCode, message: str, *path: str, limit: int | Decimal | None = None) -> None:
        self._errors.append(DomainError(code, message, (*self._prefix, *path), limit=limit))

    def add_errors(self, errors: Sequence[DomainError]) -> None:
        self._errors.extend(errors)

    def has_error(self, name: str) -> bool:
        return any(error.path == (*self._prefix, name) for error in self._errors)

    def raise_errors(self) -> None:
        """Raise DomainErrors if there are any errors."""
        if self._errors:
            raise DomainErrors(self._errors)

    def single_line(self, name: str, value: str | None, *, max_length: int, min_length: int = 1) -> str:
        """Check a required text on one line, such as a name. Return it trimmed, with pasted breaks as spaces."""
        text = trim(value or "")
        indent = (value or "").find(text)
        text = _PASTED_BREAK.sub(" ", text)
        if is_blank(text):
            self.add_error(ErrorCode.REQUIRED, REQUIRED_MESSAGE, name)
        elif len(text) > max_length:
            self.add_error(ErrorCode.TOO_LONG, f"Use at most {max_length} characters.", name, limit=max_length)
        elif len(text) < min_length:
            self.add_error(ErrorCode.TOO_SHORT, f"Use at least {min_length} characters.", name, limit=min_length)
        else:
            self._require_none_of(_NOT_IN_LINES, name, text, indent)
        return text

    def multi_line(
        self, name: str, value: str | None, *, max_length: int = MAX_TEXT_LENGTH, required: bool = False
    ) -> str | None:
        """Check a text that may have several lines. Return it with pasted breaks as "\\n"; None if it is blank."""
        if value is None or is_blank(value):
            if required:
                self.add_error(ErrorCode.REQUIRED, REQUIRED_MESSAGE, name)
            return None
        value = _PASTED_BREAK.sub("\n", value)
        if len(value) > max_length:
            self.add_error(ErrorCode.TOO_LONG, f"Use at most {max_length} characters.", name, limit=max_length)
        else:
            self._require_none_of(_NOT_IN_TEXTS, name, value)
        return value

    def url(self, name: str, value: str | None) -> str | None:
        """Check a web URL. Return it trimmed; None if it is empty."""
        text = (value or "").strip()
        if not text:
            return None
        if len(text) > MAX_URL_LENGTH:
            message = f"Use at most {MAX_URL_LENGTH} characters."
            self.add_error(ErrorCode.TOO_LONG, message, name, limit=MAX_URL_LENGTH)
        elif self._require_none_of(_NOT_IN_URLS, name, text, (value or "").find(text)) and not _is_web_url(text):
            message = "This is not a web URL. Use a complete one, e.g. https://example.com/picture.jpg."
            self.add_error(ErrorCode.INVALID, message, name)
        return text

    def integer(self, name: str, value: int | None, *, minimum: int = 0, maximum: int | None = None) -> int:
        """Check a required integer between these bounds, both included."""
        if value is None:
            self.add_error(ErrorCode.REQUIRED, REQUIRED_MESSAGE, name)
        elif (limit := exceeded_bound(value, minimum, maximum)) is not None:
            bounds = f"of at least {minimum:,}" if maximum is None else f"from {minimum:,} to {maximum:,}"
            self.add_error(ErrorCode.OUT_OF_RANGE, f"Use a number {bounds}.", name, limit=limit)
        return value or 0

    def boolean(self, name: str, value: bool | None) -> bool:
        """Check a required boolean."""
        if value is None:
            self.add_error(ErrorCode.REQUIRED, f"{REQUIRED_MESSAGE} Use true or false.", name)
        return bool(value)

    def _require_none_of(self, forbidden: regex.Pattern[str], name: str, text: str, indent: int = 0) -> bool:
        """Return whether no character is forbidden. `indent` is the number of characters trimmed before the text."""
        match = forbidden.search(text)
        if match is not None:
            place = f"Character {indent + match.start() + 1} (U+{ord(match[0]):04X})"
            self.add_error(ErrorCode.INVALID, f"{place} is not allowed. Remove it.", name)
        return match is None


def exceeded_bound(value: Number, minimum: Number, maximum: Number | None) -> Number | None:
    """Return the bound that the value exceeds; None if it lies between them, both included."""
    if value < minimum:
        return minimum
    return maximum if maximum is not None and value > maximum else None


def _is_web_url(text: str) -> bool:
    """Return whether this is a URL that leads where it seems to lead: without a user name before an @."""
    try:
        parts = urlsplit(text)
        has_host = bool((parts.hostname or "").strip("."))
        return parts.scheme in {"http", "https"} and has_host and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return False
