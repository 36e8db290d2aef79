"""Forged and expired access tokens: all get the same response, whatever is wrong with them."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import update

from lms_graphql.accounts.models import SigningKey, User
from lms_graphql.accounts.services import credentials, sessions, users
from lms_graphql.accounts.services.current_password import PasswordCheck
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.signing import Signer
from tests.auth import SessionIssuer
from tests.factories import Factories
from tests.live_service import Client, Service

QUERY = "{ me { id } }"
MUTATION = 'mutation { updateProfile(input: {bio: "taken over"}) { user { id } errors { code } } }'
DIGESTS = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


def encode_part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_part(part: str) -> dict[str, Any]:
    members: dict[str, Any] = orjson.loads(base64.urlsafe_b64decode(part + "=="))
    return members


class Forger:
    """A maker of variants of a valid token. It also knows the signing keys, to pass the signature check."""

    def __init__(self, valid: str, signer: Signer, other_session: int) -> None:
        self.valid = valid
        self.header, self.claims, self.signature = valid.split(".")
        self.signer = signer
        self.other_session = other_session
        self.user, self.session = (int(decode_part(self.claims)[name]) for name in ("sub", "sid"))

    def token(self, header: Any = None, key: bytes | None = None, digest: str = "HS256", **claims: Any) -> str:
        """Return the valid token with these changes, signed again. `...` removes a member."""
        content = f"{self._changed(self.header, header or {})}.{self._changed(self.claims, claims)}"
        signature = hmac.new(self.signer.key("k1") if key is None else key, content.encode(), DIGESTS[digest])
        return f"{content}.{encode_part(signature.digest())}"

    def edited(self, **claims: Any) -> str:
        """Return the valid token with changed claims and the old signature."""
        return f"{self.header}.{self._changed(self.claims, claims)}.{self.signature}"

    def unsigned(self, algorithm: str) -> str:
        return f"{self._changed(self.header, {'alg': algorithm})}.{self.claims}."

    def _changed(self, part: str, changes: dict[str, Any]) -> str:
        members = {key: value for key, value in (decode_part(part) | changes).items() if value is not ...}
        return encode_part(orjson.dumps(members))


Forgery = Callable[[Forger], str | bytes]
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def other_spelling(forger: Forger) -> str:
    """Return the valid token with another last character that decodes to the same signature.

    Two bits of the last character are unused.
    """
    return forger.valid[:-1] + ALPHABET[ALPHABET.index(forger.valid[-1]) ^ 1]


def now() -> int:
    return int(time.time())


FORGERIES: dict[str, Forgery] = {
    "alg none": lambda forger: forger.unsigned("none"),
    "alg None": lambda forger: forger.unsigned("None"),
    "alg NONE": lambda forger: forger.unsigned("NONE"),
    "alg nOnE": lambda forger: forger.unsigned("nOnE"),
    "alg none with the old signature": lambda forger: forger.unsigned("none") + forger.signature,
    "alg none, signed": lambda forger: forger.token({"alg": "none"}),
    "alg in lower case": lambda forger: forger.token({"alg": "hs256"}),
    "alg missing": lambda forger: forger.token({"alg": ...}),
    "alg a list": lambda forger: forger.token({"alg": ["HS256"]}),
    "RS256 with our key as if it were public": lambda forger: forger.token({"alg": "RS256"}),
    "ES256": lambda forger: forger.token({"alg": "ES256"}),
    "HS384 with our key": lambda forger: forger.token({"alg": "HS384"}, digest="HS384"),
    "HS512 with our key": lambda forger: forger.token({"alg": "HS512"}, digest="HS512"),
    "HS512 by its name alone": lambda forger: forger.token({"alg": "HS512"}),
    "signed with nothing": lambda forger: forger.token(key=b""),
    "signed with the key's id": lambda forger: forger.token(key=b"k1"),
    "signed by another installation": lambda forger: forger.token(key=Signer("another secret").key("k1")),
    "key in the header": lambda forger: forger.token({"jwk": {"kty": "oct", "k": encode_part(b"mine")}}, key=b"mine"),
    "URL of a key in the header": lambda forger: forger.token({"jku": "http://127.0.0.1/keys"}, key=b"mine"),
    "a payload that is not encoded": lambda forger: forger.token({"b64": False, "crit": ["b64"]}),
    "an extension that must be understood": lambda forger: forger.token({"crit": ["exp"]}),
    "role edited": lambda forger: forger.edited(role="super_admin"),
    "user edited": lambda forger: forger.edited(sub="999"),
    "time edited": lambda forger: forger.edited(exp=now() + 10**6),
    "role escalated and signed": lambda forger: forger.token(role="super_admin"),
    "role unknown": lambda forger: forger.token(role="owner"),
    "role missing": lambda forger: forger.token(role=...),
    "role a list": lambda forger: forger.token(role=["learner"]),
    "issuer wrong": lambda forger: forger.token(iss="another-issuer"),
    "issuer missing": lambda forger: forger.token(iss=...),
    "issuer a list": lambda forger: forger.token(iss=["lms-graphql"]),
    "audience wrong": lambda forger: forger.token(aud="another-service"),
    "audience missing": lambda forger: forger.token(aud=...),
    "type wrong": lambda forger: forger.token({"typ": "JWT"}),
    "type missing": lambda forger: forger.token({"typ": ...}),
    "kid that never existed": lambda forger: forger.token({"kid": "k999"}, key=forger.signer.key("k999")),
    "kid that is SQL": lambda forger: forger.token({"kid": "k1' OR '1'='1"}),
    "kid that is a path": lambda forger: forger.token({"kid": "../../../../dev/null"}, key=b""),
    "kid a number": lambda forger: forger.token({"kid": 1}),
    "kid with a line feed": lambda forger: forger.token({"kid": "k1\n"}, key=forger.signer.key("k1\n")),
    "kid in capitals": lambda forger: forger.token({"kid": "K1"}, key=forger.signer.key("K1")),
    "kid missing": lambda forger: forger.token({"kid": ...}),
    "kid null": lambda forger: forger.token({"kid": None}),
    "expired": lambda forger: forger.token(exp=now() - 1),
    "expired long ago": lambda forger: forger.token(exp=0),
    "exp missing": lambda forger: forger.token(exp=...),
    "exp null": lambda forger: forger.token(exp=None),
    "exp a word": lambda forger: forger.token(exp="never"),
    "exp too large for a date": lambda forger: forger.token(exp=10**18, iat=10**18),
    "issued in the future": lambda forger: forger.token(iat=now() + 300),
    "issued at a word": lambda forger: forger.token(iat="today"),
    "iat missing": lambda forger: forger.token(iat=...),
    "not before tomorrow": lambda forger: forger.token(nbf=now() + 86_400),
    "sub a word": lambda forger: forger.token(sub="admin"),
    "sub a number": lambda forger: forger.token(sub=forger.user),
    "sub negative": lambda forger: forger.token(sub="-1"),
    "sub huge": lambda forger: forger.token(sub="9" * 30),
    "sub a list": lambda forger: forger.token(sub=["1"]),
    "sub missing": lambda forger: forger.token(sub=...),
    "sid a word": lambda forger: forger.token(sid="mine"),
    "sid a list": lambda forger: forger.token(sid=["1"]),
    "sid negative": lambda forger: forger.token(sid="-1"),
    "sid huge": lambda forger: forger.token(sid="9" * 1_000),
    "sid a number": lambda forger: forger.token(sid=forger.session),
    "sid with a fraction": lambda forger: forger.token(sid=forger.session + 0.5),
    "sid missing": lambda forger: forger.token(sid=...),
    "session of another user": lambda forger: forger.token(sid=str(forger.other_session)),
    "truncated by one character": lambda forger: forger.valid[:-1],
    "truncated to a half": lambda forger: forger.valid[: len(forger.valid) // 2],
    "without its signature": lambda forger: f"{forger.header}.{forger.claims}.",
    "two parts": lambda forger: f"{forger.header}.{forger.claims}",
    "padded": lambda forger: f"{forger.valid}=",
    "padded twice": lambda forger: f"{forger.valid}==",
    "padded inside": lambda forger: f"{forger.header}=.{forger.claims}.{forger.signature}",
    "with characters that decoders skip": lambda forger: f"{forger.valid}!!!!",
    "the same bytes in another spelling": other_spelling,
    "a space inside": lambda forger: f"{forger.header}. {forger.claims}.{forger.signature}",
    "a space in the signature": lambda forger: f"{forger.valid[:-4]} {forger.valid[-4:]}",
    "two tokens": lambda forger: f"{forger.valid} {forger.valid}",
    "two with a comma": lambda forger: f"{forger.valid}, Bearer {forger.valid}",
    "in quotes": lambda forger: f'"{forger.valid}"',
    "dots": lambda _: "..",
    "five kilobytes": lambda forger: forger.valid + "A" * 5_000,
    "five kilobytes, signed": lambda forger: forger.token(more="A" * 5_000),
    "bytes beyond ASCII": lambda _: b"\xff\xfe\xe2\x82\xac",
    "a no-break space before": lambda forger: b"\xa0" + forger.valid.encode(),
    "a no-break space after": lambda forger: forger.valid.encode() + b"\xa0",
    "encrypted": lambda forger: ".".join(
        [encode_part(b'{"alg":"dir","enc":"A256GCM","kid":"k1"}'), "", "aaaa", "bb", "cc"]
    ),
    "deeply nested": lambda forger: f"{encode_part(b'[' * 900)}.{forger.claims}.{forger.signature}",
    "no object": lambda forger: f"{encode_part(b'12')}.{forger.claims}.{forger.signature}",
}


@pytest.fixture
def session_issuer(service: Service) -> SessionIssuer:
    return SessionIssuer(service.database, service.resources.settings, service.resources.signer)


@pytest.fixture
def user(make: Factories) -> User:
    return make.user()


@pytest.fixture
def valid_token(session_issuer: SessionIssuer, user: User) -> str:
    return session_issuer.sign_in(user).access_token


@pytest.fixture
def forger(session_issuer: SessionIssuer, make: Factories, valid_token: str) -> Forger:
    other_claims = session_issuer.sign_in(make.user()).access_token.split(".")[1]
    return Forger(valid_token, session_issuer.auth.signer, int(decode_part(other_claims)["sid"]))


def response_to(client: Client, header: Any, document: str = QUERY) -> tuple[int, bytes]:
    response = client.post({"query": document}, headers=[("authorization", header)])
    return response.status_code, response.content


def is_rejected(client: Client, header: Any) -> bool:
    """Return whether query and mutation get the same response as with an arbitrary invalid token."""
    expected = response_to(client, "Bearer x")
    body = orjson.loads(expected[1])
    assert (expected[0], body.keys()) == (401, {"errors"})
    assert [error["extensions"] for error in body["errors"]] == [{"code": "UNAUTHENTICATED"}]
    return response_to(client, header) == expected and response_to(client, header, MUTATION) == expected


def is_valid(client: Client, header: Any) -> bool:
    status, body = response_to(client, header)
    return status == 200 and orjson.loads(body)["data"]["me"] is not None


def test_forged_tokens_are_rejected_alike(client: Client, forger: Forger) -> None:
    accepted = []
    for name, forge in FORGERIES.items():
        forged = forge(forger)
        header = b"Bearer " + (forged if isinstance(forged, bytes) else forged.encode())
        if not is_rejected(client, header):
            accepted.append(name)
    assert accepted == []
    assert is_valid(client, f"Bearer {forger.valid}")


def test_valid_token_requires_bearer_scheme(client: Client, valid_token: str, user: User) -> None:
    for prefix in ("", "Basic ", "Token ", "JWT ", "Bearer", "Bearer:", "Bearer,", "Bearer\t", "DPoP "):
        assert is_rejected(client, prefix + valid_token), prefix
    for header in ("x", ",", "Basic " + encode_part(f"{user.email}:password".encode())):
        assert is_rejected(client, header), header


def test_bearer_scheme_is_case_insensitive(client: Client, valid_token: str) -> None:
    for scheme in ("Bearer", "bearer", "BEARER", "bEaReR", "Bearer  "):
        assert is_valid(client, f"{scheme} {valid_token}"), scheme


def test_two_authorization_headers_are_rejected(client: Client, valid_token: str) -> None:
    for second in (f"Bearer {valid_token}", "Bearer x", ""):
        headers = [("authorization", f"Bearer {valid_token}"), ("authorization", second)]
        assert client.post({"query": QUERY}, headers=headers).status_code == 401


def end_sessions(session_issuer: SessionIssuer, _: Actor, user: User) -> None:
    session_issuer.database.write_sync(lambda session: sessions.end_all_sessions(session, user.id))


def suspend(session_issuer: SessionIssuer, admin: Actor, user: User) -> None:
    global_id = global_ids.encode("User", user.id)
    session_issuer.database.write_sync(lambda session: users.suspend_user(session, admin, global_id))


def delete(session_issuer: SessionIssuer, admin: Actor, user: User) -> None:
    global_id = global_ids.encode("User", user.id)
    session_issuer.database.write_sync(lambda session: users.delete_user(session, admin, global_id))


def promote(session_issuer: SessionIssuer, admin: Actor, user: User) -> None:
    global_id = global_ids.encode("User", user.id)
    session_issuer.database.write_sync(
        lambda session: users.set_user_role(session, admin, global_id, Role.INSTRUCTOR)
    )


def change_password(session_issuer: SessionIssuer, _: Actor, user: User) -> None:
    check = PasswordCheck(user.id, user.password_hash, "")
    actor = Actor(user.id, user.role)
    change = credentials.change_password
    session_issuer.database.write_sync(lambda session: change(session, actor, session_issuer.auth, check, "new"))


@pytest.mark.parametrize("revoke", [end_sessions, suspend, delete, promote, change_password])
def test_earlier_token_is_rejected_after_revocation(
    client: Client,
    make: Factories,
    session_issuer: SessionIssuer,
    user: User,
    valid_token: str,
    revoke: Callable[..., None],
) -> None:
    assert is_valid(client, f"Bearer {valid_token}")
    revoke(session_issuer, Actor(make.user(Role.SUPER_ADMIN).id, Role.SUPER_ADMIN), user)
    assert is_rejected(client, f"Bearer {valid_token}")


def test_token_is_rejected_after_logout(client: Client, session_issuer: SessionIssuer, user: User) -> None:
    session = session_issuer.sign_in(user)
    logout = "mutation ($token: String!) { logout(input: {refreshToken: $token}) { ok } }"
    assert client.execute(logout, token=session.refresh_token)["logout"]["ok"]
    assert is_rejected(client, f"Bearer {session.access_token}")


def test_token_signed_before_key_retirement_is_valid(
    client: Client, session_issuer: SessionIssuer, valid_token: str
) -> None:
    session_issuer.database.write_sync(sessions.rotate_keys)
    assert is_valid(client, f"Bearer {valid_token}")


def test_token_signed_after_key_retirement_is_rejected(
    client: Client, session_issuer: SessionIssuer, forger: Forger
) -> None:
    """A retired key that leaked makes no new valid tokens."""
    assert is_valid(client, f"Bearer {forger.token()}")
    session_issuer.database.write_sync(sessions.rotate_keys)
    first_key = update(SigningKey).where(SigningKey.key_id == "k1")
    retire_earlier = first_key.values(retired_at=clock.now() - timedelta(hours=1))
    session_issuer.database.write_sync(lambda session: session.execute(retire_earlier) and None)
    assert is_rejected(client, f"Bearer {forger.token()}")
