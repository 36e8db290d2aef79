"""Which passwords will do."""

from functools import cache
from pathlib import Path

from lms_graphql.core.errors import ErrorCode, Refusal

SHORTEST, LONGEST = 10, 256
_COMMON = Path(__file__).with_name("common_passwords.txt")
"""The most used ones of ten characters and more, from the public lists that Django and zxcvbn ship."""


@cache
def _common() -> frozenset[str]:
    return frozenset(_COMMON.read_text(encoding="utf-8").split())


def faults(password: str, *names: str | None, path: str = "password") -> list[Refusal]:
    """What is wrong with it. `names` are the person's address and user name, which it must not be."""
    if not password:
        return [Refusal(ErrorCode.REQUIRED, "Give a password.", (path,))]
    if len(password) < SHORTEST:
        return [Refusal(ErrorCode.TOO_SHORT, f"Use at least {SHORTEST} characters.", (path,))]
    if len(password) > LONGEST:
        return [Refusal(ErrorCode.TOO_LONG, f"Use at most {LONGEST} characters.", (path,))]
    folded = password.strip().casefold()
    if folded in {name.casefold() for name in names if name}:
        return [Refusal(ErrorCode.WEAK_PASSWORD, "Do not use your address or user name as password.", (path,))]
    if folded in _common() or len(set(folded)) < 3:
        return [Refusal(ErrorCode.WEAK_PASSWORD, "This password is too common: think of another.", (path,))]
    return []
