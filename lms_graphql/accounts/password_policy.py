"""Password policy: length, common passwords, similarity to the user's names."""

from functools import cache
from pathlib import Path

from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.password_hashing import normalize_password

MIN_LENGTH, MAX_LENGTH = 10, 256
_COMMON_PASSWORDS = Path(__file__).with_name("common_passwords.txt")
"""The most used passwords with at least ten characters, from the public lists of Django and zxcvbn."""


@cache
def _common_passwords() -> frozenset[str]:
    return frozenset(_COMMON_PASSWORDS.read_text(encoding="utf-8").split())


def password_errors(password: str, *names: str | None, path: str = "password") -> list[DomainError]:
    """Return the error of a password, or an empty list.

    `names` are the user's email and username, which the password must not equal. `path` is the input field.
    Characters are counted after normalization, so that the result does not depend on the keyboard.
    """
    if not password:
        return [DomainError(ErrorCode.REQUIRED, "Enter a password.", (path,))]
    normalized = normalize_password(password)
    # The shorter spelling counts, because normalization turns one ligature into up to 18 letters.
    if min(len(normalized), len(password)) < MIN_LENGTH:
        return [DomainError(ErrorCode.TOO_SHORT, f"Use at least {MIN_LENGTH} characters.", (path,), limit=MIN_LENGTH)]
    if len(normalized) > MAX_LENGTH:
        return [DomainError(ErrorCode.TOO_LONG, f"Use at most {MAX_LENGTH} characters.", (path,), limit=MAX_LENGTH)]
    folded = _fold(normalized)
    if folded in {_fold(name) for name in names if name}:
        message = "The password equals your email address or username. Choose another."
        return [DomainError(ErrorCode.WEAK_PASSWORD, message, (path,))]
    if folded in _common_passwords() or len(set(folded)) < 3:
        return [DomainError(ErrorCode.WEAK_PASSWORD, "This password is too common. Choose another.", (path,))]
    return []


def _fold(text: str) -> str:
    return normalize_password(text).strip().casefold()
