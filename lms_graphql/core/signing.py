"""What only this installation can make: keys and digests, all derived from its one secret."""

import base64
import hashlib
import hmac
import secrets

TOKEN_BYTES = 32


class Signer:
    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def key(self, key_id: str) -> bytes:
        """The key of this id, for HMAC-SHA-256. The one id gives the one key, so only ids need to be kept."""
        return self._derived(f"signing key {key_id}")

    def digest(self, purpose: str, *values: str) -> str:
        """64 hexadecimal digits that name these values to us and to nobody else."""
        text = "\0".join(values)
        return hmac.new(self._derived(f"digest {purpose}"), text.encode(), hashlib.sha256).hexdigest()

    def _derived(self, label: str) -> bytes:
        return hmac.new(self._secret, label.encode(), hashlib.sha256).digest()


def new_token() -> str:
    """An opaque token that cannot be guessed, in letters, digits, - and _."""
    return base64.urlsafe_b64encode(secrets.token_bytes(TOKEN_BYTES)).rstrip(b"=").decode()


def token_hash(token: str) -> str:
    """What is kept of a token. It holds 256 random bits, so a plain hash cannot be turned back."""
    return hashlib.sha256(token.encode()).hexdigest()
