"""Global ids: the kind and the key of a row encoded as one opaque string, unique across all kinds."""

import re
from base64 import urlsafe_b64decode
from binascii import Error as NotBase64
from binascii import b2a_base64
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

R = TypeVar("R", bound=type)

_PATTERN = re.compile(rb"([A-Za-z]{1,40}):([1-9][0-9]{0,18})\Z")
_MAX_KEY = 2**63 - 1
MAX_CACHED_IDS = 16_384
"""Encoded ids in memory, about 3 MB. A page of courses has 60, and most of them were sent before."""


@lru_cache(MAX_CACHED_IDS)
def encode(kind: str, key: int) -> str:
    # Letters, digits and a colon never produce + or / in base64, so the plain alphabet is URL-safe here.
    # As a decimal number, because True equals 1, so that both have one place in the cache.
    return b2a_base64(f"{kind}:{key:d}".encode(), newline=False).rstrip(b"=").decode()


def decode(text: str) -> tuple[str, int] | None:
    """Return kind and key of an id; None if it is invalid. Only the exact string that `encode` returns is valid."""
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (NotBase64, ValueError):
        return None
    if (match := _PATTERN.match(raw)) is None:
        return None
    kind, key = match[1].decode(), int(match[2])
    return (kind, key) if key <= _MAX_KEY and encode(kind, key) == text else None


NO_KEY = 0
"""A key that no row has."""


def decode_key(kind: str, text: str) -> int | None:
    """Return the key in an id of this kind; None if the id is invalid or of another kind."""
    decoded = decode(text)
    return decoded[1] if decoded is not None and decoded[0] == kind else None


def decode_filter_key(kind: str, text: str | None) -> int | None:
    """Return the key in an id that a filter names; None without an id. An id that is invalid matches no row."""
    return None if text is None else decode_key(kind, text) or NO_KEY


def with_global_id(kind: str) -> Callable[[R], R]:
    """Return a class decorator that adds `kind` and the property `id`, which encodes the kind and the row's `key`."""

    def decorate(row_class: R) -> R:
        decorated: Any = row_class
        decorated.kind = kind
        decorated.id = property(lambda self: encode(kind, self.key))
        return row_class

    return decorate
