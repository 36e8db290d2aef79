"""Which passwords will do."""

from functools import cache
from pathlib import Path

from lms_graphql.core.errors import DomainError, ErrorCode

MIN_LENGTH, MAX_LENGTH = 10, 256
_COMMON = Path(__file__).with_name("common_passwords.txt")
"""The most used ones of ten characters and more, from the public lists that Django and zxcvbn ship."""


@cache
def _common() -> frozenset[str]:
    return frozenset(_COMMON.read_text(encoding="utf-8").split())


def password_errors(password: str, *names: str | None, path: str = "password") -> list[DomainError]:
    """What is wrong with it. `names` are the person's address and user name, which it must not be."""
    if not password:
        return [DomainError(ErrorCode.REQUIRED, "Give a password.", (path,))]
    if len(password) < MIN_LENGTH:
        return [DomainError(ErrorCode.TOO_SHORT, f"Use at least {MIN_LENGTH} characters.", (path,))]
    if len(password) > MAX_LENGTH:
        return [DomainError(ErrorCode.TOO_LONG, f"Use at most {MAX_LENGTH} characters.", (path,))]
    folded = password.strip().casefold()
    if folded in {name.casefold() for name in names if name}:
        return [DomainError(ErrorCode.WEAK_PASSWORD, "Do not use your address or user name as password.", (path,))]
    if folded in _common() or len(set(folded)) < 3:
        return [DomainError(ErrorCode.WEAK_PASSWORD, "This password is too common: think of another.", (path,))]
    return []
