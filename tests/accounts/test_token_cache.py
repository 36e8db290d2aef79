"""Cache of verified access tokens: a token that was accepted once is checked again for all that may have changed.

`test_forged_tokens.py` revokes sessions, changes roles and rotates keys after a token was accepted.
"""

from datetime import datetime, timedelta

import jwt
import pytest

from lms_graphql.accounts import access_tokens
from lms_graphql.accounts.access_tokens import Claims, InvalidTokenError, decode_token, encode_token
from lms_graphql.core import clock
from lms_graphql.core.actor import Role
from lms_graphql.core.signing import Signer

MINUTES = 15


def new_token(signer: Signer, user_key: int = 1) -> tuple[Claims, str, datetime]:
    claims = Claims(user_key, 1, Role.LEARNER, "k1", clock.now().replace(microsecond=0))
    return claims, *encode_token(signer, claims, MINUTES)


def reject_decoding(*_: object, **__: object) -> None:
    raise AssertionError("the token was decoded again")


def test_token_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    signer = Signer("secret")
    claims, token, _ = new_token(signer)
    assert decode_token(signer, token) == claims
    monkeypatch.setattr(jwt, "decode", reject_decoding)
    assert decode_token(signer, token) == claims


@pytest.mark.parametrize("seconds", [-MINUTES * 60 - 6, MINUTES * 60])
def test_cached_token_is_invalid_outside_its_lifetime(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    signer = Signer("secret")
    claims, token, _ = new_token(signer)
    decode_token(signer, token)
    moment = claims.issued_at + timedelta(seconds=seconds)
    monkeypatch.setattr(clock, "now", lambda: moment)
    with pytest.raises(InvalidTokenError):
        decode_token(signer, token)
    monkeypatch.undo()
    assert decode_token(signer, token) == claims


def test_cached_token_makes_no_other_token_valid() -> None:
    signer = Signer("secret")
    _, token, _ = new_token(signer)
    decode_token(signer, token)
    other_signature = new_token(Signer("another secret"))[1].rpartition(".")[2]
    for forged in (token[:-1], f"{token}A", f"{token.rpartition('.')[0]}.{other_signature}", token.swapcase()):
        with pytest.raises(InvalidTokenError):
            decode_token(signer, forged)


def test_cached_token_is_invalid_with_another_secret() -> None:
    _, token, _ = new_token(Signer("secret"))
    decode_token(Signer("secret"), token)
    with pytest.raises(InvalidTokenError):
        decode_token(Signer("another secret"), token)


@pytest.mark.slow
def test_number_of_cached_tokens_is_bounded() -> None:
    signer = Signer("secret")
    for user_key in range(1, access_tokens.MAX_CACHED_TOKENS + 50):
        decode_token(signer, new_token(signer, user_key)[1])
    assert access_tokens._verify.cache_info().currsize == access_tokens.MAX_CACHED_TOKENS == 10_000
