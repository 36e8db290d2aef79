"""Password policy: length, common passwords, similarity to the user's names."""

from functools import cache
from pathlib import Path

from lms_graphql.core.errors import DomainError, ErrorCode

MIN_LENGTH, MAX_LENGTH = 10, 256
_COMMON_PASSWORDS = Path(__file__).with_name("common_passwords.txt")
"""The most used passwords with at least ten characters, from the public lists of Django and zxcvbn."""


@cache
def _common_passwords() -> frozenset[str]:
    return frozenset(_COMMON_PASSWORDS.read_text(encoding="utf-8").split())


def password_errors(password: str, *names: str | None, path: str = "password") -> list[DomainError]:
    """Return the error of a password, or an empty list.

    `names` are the user's email and username, which the password must not equal. `path` is the input field.
    """
    if not password:
        return [DomainError(ErrorCode.REQUIRED, "Enter a password.", (path,))]
    if len(password) < MIN_LENGTH:
        return [DomainError(ErrorCode.TOO_SHORT, f"Use at least {MIN_LENGTH} characters.", (path,))]
    if len(password) > MAX_LENGTH:
        return [DomainError(ErrorCode.TOO_LONG, f"Use at most {MAX_LENGTH} characters.", (path,))]
    folded = password.strip().casefold()
    if folded in {name.casefold() for name in names if name}:
        message = "The password equals your email address or username. Choose another."
        return [DomainError(ErrorCode.WEAK_PASSWORD, message, (path,))]
    if folded in _common_passwords() or len(set(folded)) < 3:
        return [DomainError(ErrorCode.WEAK_PASSWORD, "This password is too common. Choose another.", (path,))]
    return []
