"""Access tokens: short-lived JWTs, signed with a key that is derived from the secret and a key id."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import jwt

from lms_graphql.core import clock
from lms_graphql.core.actor import Role
from lms_graphql.core.signing import Signer

ALGORITHM = "HS256"
JWT_TYPE = "at+jwt"
"""The `typ` that RFC 9068 gives to access tokens. Any other type is invalid, so no other JWT passes as one."""
ISSUER = AUDIENCE = "lms-graphql"
MAX_TOKEN_LENGTH = 2_000
MAX_CACHED_TOKENS = 10_000
"""Verified tokens of a process. The one that was not used for the longest time is removed first."""
MAX_LIFETIME = timedelta(days=1)
"""The longest lifetime that the settings allow. This service never issued a token that lasts longer."""
CLOCK_SKEW = timedelta(seconds=5)
"""Tolerated difference between the clocks of two machines."""
KEY_ID = re.compile(r"k[1-9][0-9]{0,8}\Z")
_TOKEN = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}\Z")
"""Three parts without padding. The decoder would accept padding, but a token has exactly one spelling."""
_ROW_KEY = re.compile(r"[1-9][0-9]{0,17}\Z")
"""Numbers that fit the column. A larger one would be an error of the driver, not just a missing row."""
_CLAIMS = ["sub", "role", "sid", "iat", "exp", "iss", "aud"]


class InvalidTokenError(Exception):
    """A token that this service did not issue, or that has expired. The reason is never disclosed."""


class Claims(NamedTuple):
    user_key: int
    session_key: int
    role: Role
    key_id: str
    issued_at: datetime


def encode_token(signer: Signer, claims: Claims, minutes: int) -> tuple[str, datetime]:
    """Return the token and its expiry time."""
    expires_at = claims.issued_at.replace(microsecond=0) + timedelta(minutes=minutes)
    payload = {
        "sub": str(claims.user_key),
        "sid": str(claims.session_key),
        "role": claims.role.value,
        "iat": int(claims.issued_at.timestamp()),
        "exp": int(expires_at.timestamp()),
        "iss": ISSUER,
        "aud": AUDIENCE,
    }
    headers = {"kid": claims.key_id, "typ": JWT_TYPE}
    return jwt.encode(payload, signer.key(claims.key_id), ALGORITHM, headers=headers), expires_at


def decode_token(signer: Signer, token: str) -> Claims:
    """Return the claims of a token. Raise InvalidTokenError unless signature, issuer, audience, type and times hold.

    The session and the user may have ended since: `reads.sessions.find_actor` checks that. It also checks whether
    the signing key was retired, so tokens that are cached here are as valid as others.
    """
    if len(token) > MAX_TOKEN_LENGTH:  # so that the size of the cache is limited, too
        raise InvalidTokenError
    claims, expires_at = _verify(signer, token)
    now = clock.now()
    if now >= expires_at or claims.issued_at > now + CLOCK_SKEW:
        raise InvalidTokenError
    return claims


@lru_cache(MAX_CACHED_TOKENS)
def _verify(signer: Signer, token: str) -> tuple[Claims, datetime]:
    """Return the claims and the expiry time of a token that this service has issued, else raise InvalidTokenError.

    The token is the key of the cache, whole and with its signature. It is verified once, because that takes 150 µs.
    """
    try:
        if not _TOKEN.match(token):
            raise InvalidTokenError
        header = jwt.get_unverified_header(token)
        key_id = header.get("kid")
        if header.get("typ") != JWT_TYPE or not isinstance(key_id, str) or not KEY_ID.match(key_id):
            raise InvalidTokenError
        payload = jwt.decode(
            token,
            signer.key(key_id),
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            options={"require": _CLAIMS, "verify_iat": False},
        )
        issued_at = datetime.fromtimestamp(payload["iat"], UTC)
        expires_at = datetime.fromtimestamp(payload["exp"], UTC)
        if expires_at > issued_at + MAX_LIFETIME:
            raise InvalidTokenError
        row_keys = _parse_row_key(payload["sub"]), _parse_row_key(payload["sid"])
        return Claims(*row_keys, Role(payload["role"]), key_id, issued_at), expires_at
    except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError, OSError, RecursionError):
        raise InvalidTokenError from None  # OSError: a timestamp that the platform cannot convert


def _parse_row_key(value: object) -> int:
    if not isinstance(value, str) or not _ROW_KEY.match(value):
        raise InvalidTokenError
    return int(value)
