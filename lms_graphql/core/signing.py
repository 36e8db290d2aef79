"""Signing: keys and digests derived from the installation's secret, random tokens and their hashes."""

import base64
import hashlib
import hmac
import secrets

TOKEN_BYTES = 32


class Signer:
    """Derives keys and digests from the secret, so that no one without it can make them."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def key(self, key_id: str) -> bytes:
        """Return the HMAC-SHA-256 key for this id. The same id always gives the same key, so only ids are stored."""
        return self._derive(f"signing key {key_id}")

    def digest(self, purpose: str, *values: str) -> str:
        """Return 64 hexadecimal digits that identify these values to this installation only."""
        text = "\0".join(values)
        return hmac.new(self._derive(f"digest {purpose}"), text.encode(), hashlib.sha256).hexdigest()

    def successor_of(self, token: str) -> str:
        """Return the token that follows this one. It looks like a random one to everyone without the secret."""
        return _encode_token(hmac.new(self._derive("successor"), token.encode(), hashlib.sha256).digest())

    def _derive(self, label: str) -> bytes:
        return hmac.new(self._secret, label.encode(), hashlib.sha256).digest()


def new_token() -> str:
    """Return an opaque random token of letters, digits, - and _."""
    return _encode_token(secrets.token_bytes(TOKEN_BYTES))


def token_hash(token: str) -> str:
    """Return the hash of a token, for storage. A token has 256 random bits, so a plain hash cannot be reversed."""
    return hashlib.sha256(token.encode()).hexdigest()


def _encode_token(token: bytes) -> str:
    return base64.urlsafe_b64encode(token).rstrip(b"=").decode()
