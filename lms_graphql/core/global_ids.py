"""Opaque ids: the kind and the key of a row as one string, unique across all kinds."""

import re
from base64 import urlsafe_b64decode
from binascii import Error as NotBase64
from binascii import b2a_base64
from collections.abc import Callable
from typing import Any, TypeVar

R = TypeVar("R", bound=type)

_FORM = re.compile(rb"([A-Za-z]{1,40}):([1-9][0-9]{0,18})\Z")
_LARGEST_KEY = 2**63 - 1


def encode(kind: str, key: int) -> str:
    # Letters, digits and a colon give neither + nor / in base64, so the plain alphabet is the URL-safe one.
    return b2a_base64(f"{kind}:{key}".encode(), newline=False).rstrip(b"=").decode()


def decode(text: str) -> tuple[str, int] | None:
    """The kind and key of an id, None where it is none. Only the one spelling that `encode` gives is an id."""
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (NotBase64, ValueError):
        return None
    if (found := _FORM.match(raw)) is None:
        return None
    kind, key = found[1].decode(), int(found[2])
    return (kind, key) if key <= _LARGEST_KEY and encode(kind, key) == text else None


def decode_key(kind: str, text: str) -> int | None:
    """The key in an id of this kind, None where it is malformed or of another kind."""
    decoded = decode(text)
    return decoded[1] if decoded is not None and decoded[0] == kind else None


def with_global_id(kind: str) -> Callable[[R], R]:
    """For a row class: its rows know what they are and, made of that and their `key`, their id."""

    def mark(row: R) -> R:
        marked: Any = row
        marked.kind = kind
        marked.id = property(lambda self: encode(kind, self.key))
        return row

    return mark
