"""Access tokens: short-lived JWTs, signed with a key that only the secret and a key id give."""

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import jwt

from lms_graphql.core import clock
from lms_graphql.core.actor import Role
from lms_graphql.core.signing import Signer

ALGORITHM = "HS256"
JWT_TYPE = "at+jwt"
"""RFC 9068: an access token is nothing else, and nothing else is an access token."""
ISSUER = AUDIENCE = "lms-graphql"
MAX_TOKEN_LENGTH = 2_000
MAX_LIFETIME = timedelta(days=1)
"""More than the setting takes: whoever made a token that lasts longer is not this service."""
CLOCK_SKEW = timedelta(seconds=5)
"""By which two machines' clocks may differ."""
KEY_ID = re.compile(r"k[1-9][0-9]{0,8}\Z")
_SHAPE = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}\Z")
"""Without the padding that the decoder would take: a token has one spelling."""
_KEY = re.compile(r"[1-9][0-9]{0,17}\Z")
"""What fits the column: a larger number is an error to the drivers, not merely a row that is not there."""
_CLAIMS = ["sub", "role", "sid", "iat", "exp", "iss", "aud"]


class InvalidTokenError(Exception):
    """Not one of ours, or no longer good. Why is nobody's business."""


class Claims(NamedTuple):
    user_key: int
    session_key: int
    role: Role
    key_id: str
    issued_at: datetime


def encode_token(signer: Signer, claims: Claims, minutes: int) -> tuple[str, datetime]:
    """The token, and when it expires."""
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


def decode_token(signer: Signer, text: str) -> Claims:
    """What a token says whose signature, issuer, audience, type and time are right. InvalidTokenError otherwise."""
    try:
        if len(text) > MAX_TOKEN_LENGTH or not _SHAPE.match(text):
            raise InvalidTokenError
        header = jwt.get_unverified_header(text)
        key_id = header.get("kid")
        if header.get("typ") != JWT_TYPE or not isinstance(key_id, str) or not KEY_ID.match(key_id):
            raise InvalidTokenError
        payload = jwt.decode(
            text,
            signer.key(key_id),
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            options={"require": _CLAIMS, "verify_iat": False},
        )
        issued_at = datetime.fromtimestamp(payload["iat"], UTC)
        expires_at = datetime.fromtimestamp(payload["exp"], UTC)
        if issued_at > clock.now() + CLOCK_SKEW or expires_at > issued_at + MAX_LIFETIME:
            raise InvalidTokenError
        return Claims(_key(payload["sub"]), _key(payload["sid"]), Role(payload["role"]), key_id, issued_at)
    except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError, OSError, RecursionError):
        raise InvalidTokenError from None  # OSError: an instant that the machine cannot reckon with


def _key(said: object) -> int:
    if not isinstance(said, str) or not _KEY.match(said):
        raise InvalidTokenError
    return int(said)
